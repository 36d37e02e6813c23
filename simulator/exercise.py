"""A prefecture in exercise: the 19 offices, their CS, a world, and an installation that pulls from them.

Decides:    how a simulated day goes: the offices publish (with faults, if asked), the prefecture takes in, the
            offices read their receipts; what was spoilt is made good the next day.
Leaves:     people and events to `simulator.world`, the faults to `simulator.faults`, the intake itself to the
            function it is given.
Invariants: the oracle is told every lawful notice with the day it arrived, in the order its channel must apply
            it, from what the simulator knows, never from what the prefecture answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from juki.columns import IdentityFile
from juki.credentials import Credentials
from juki.home import Home
from juki.packages import PackageName, RecordVerdict
from juki.snapshot_manifests import MAX_SNAPSHOT_RECORDS
from simulator import installation
from simulator.faults import EXPECTED, MUTATIONS, Effect, Fault
from simulator.kept import host_key
from simulator.notices import JAPAN, Channel
from simulator.office import MunicipalOffice
from simulator.repeating import repeating
from simulator.sftp_server import serve
from simulator.snapshots import SnapshotFault
from simulator.truth import Truth
from simulator.world import World
from tasks import clock

EVENING = time(20, 0)
"""When the prefecture takes in the notices of the day."""
BEFORE_LATE = time(19, 30)
"""When it does so before what is late has come, on days on which somebody wants to see it missing."""

_LOOK_SECONDS = 0.1
"""Between two looks of the offices into their inboxes."""

Intake = Callable[[], None]


@dataclass(slots=True)
class Posted:
    """A package on its way: its lawful notices, and the day it was or will be there to be fetched."""

    notices: pa.Table
    arrived_on: date | None
    is_late: bool = False
    """Arrives with the next package of its channel, whether or not anything is made good."""


@dataclass(slots=True)
class Ledger:
    """The packages of one channel in order, and how many of them the oracle has heard of."""

    posted: list[Posted] = field(default_factory=list)
    heard: int = 0
    counts_from: date = date.min
    """The day by which everything heard of had arrived: a package counts when all before it are here, too."""
    next_notice_no: int = 1
    to_resend: pa.Table | None = None
    """Lawful notices whose spoilt form was rejected; they go out again under new numbers."""


@dataclass(slots=True)
class Exercise:
    """One exercise on one installation."""

    home: Home
    world: World
    offices: dict[str, MunicipalOffice]
    truth: Truth = field(default_factory=Truth)
    ledgers: dict[Channel, Ledger] = field(default_factory=dict)
    spoilt: set[tuple[Channel, str]] = field(default_factory=set)
    """The notices that were spoilt on purpose, by channel and number."""
    befallen: list[tuple[date, Channel, Fault]] = field(default_factory=list)
    """Which fault befell which channel on which day."""
    port: int = 0
    """Where the CS listens."""

    def load(self, day: date, intake: Intake) -> int:
        """Publish the first load, take it in, and return how many notices it had."""
        count = 0
        for channel, table in self.world.initial_notices():
            self._publish(channel, table, day, None)
            count += table.num_rows
        self._evening(day, intake)
        return count

    def live(
        self, day: date, intake: Intake, faults: Sequence[Fault] = (),
        *, heal: bool = True, look: Intake | None = None,
    ) -> int:  # fmt: skip
        """Live through a day: make good what was spoilt (`heal`), publish, take in, read receipts.

        Each fault befalls one channel that nothing holds up, those with the most to say first. With `look` there
        is an intake before what is late has come, and a look at how everything is then.
        """
        if heal:
            self._heal(day)
        tables = self.world.live(day)
        free = (channel for channel in tables if not self._is_blocked(channel))
        busiest = sorted(free, key=lambda channel: (-tables[channel].num_rows, channel))
        befallen = dict(zip(busiest, faults, strict=False))
        self.befallen += [(day, channel, fault) for channel, fault in befallen.items()]
        for channel in self._with_something_to_say(tables):
            self._publish(channel, tables.get(channel), day, befallen.get(channel), brings_late=look is None)
        if look is not None:
            self._before_late(day, intake, look)
        self._evening(day, intake)
        return sum(table.num_rows for table in tables.values())

    def settle(self, day: date, intake: Intake) -> None:
        """Let a quiet day pass in which everything spoilt or withheld is made good."""
        self._heal(day)
        for channel in self._with_something_to_say({}):
            self._publish(channel, None, day, None)
        self._evening(day, intake)

    def answer_requests(
        self, at: datetime, faults: Mapping[Channel, SnapshotFault] | None = None,
        *, part_records: int = MAX_SNAPSHOT_RECORDS,
    ) -> list[PackageName]:  # fmt: skip
        """Let every office answer the requests in its inbox with what is so; a fault befalls one channel each.

        Between days it is the truth as of the last notices published, whatever became of them on their way.
        """
        befallen, standing = faults or {}, cache(self.world.standing)
        names: list[PackageName] = []
        for code, office in self.offices.items():
            for file in IdentityFile:
                fault = befallen.get(Channel(code, file))
                names += office.answer_requests(
                    standing, at, part_records=part_records, fault=fault, only=file
                )
        return names

    def _is_blocked(self, channel: Channel) -> bool:
        ledger = self.ledgers.get(channel)
        return ledger is not None and ledger.heard < len(ledger.posted)

    def _with_something_to_say(self, tables: Mapping[Channel, pa.Table]) -> list[Channel]:
        waiting = {channel for channel, ledger in self.ledgers.items() if ledger.to_resend is not None}
        return sorted(waiting | set(tables))

    def _publish(
        self, channel: Channel, table: pa.Table | None, day: date, fault: Fault | None,
        *, brings_late: bool = True,
    ) -> None:  # fmt: skip
        ledger = self.ledgers.setdefault(channel, Ledger())
        parts = [part for part in (ledger.to_resend, table) if part is not None]
        notices = numbered(pa.concat_tables(parts), ledger.next_notice_no)
        ledger.next_notice_no += notices.num_rows
        office = self.offices[channel.municipality_code]
        office.publish(channel.file, notices, _at(day, time(19, 0)), fault=fault, brings_late=brings_late)
        *whole, last = _packages(notices, office.package_records)
        lawful, ledger.to_resend = _parted(last, channel, fault)
        if ledger.to_resend is not None:
            self.spoilt |= {(channel, number) for number in ledger.to_resend.column("notice_no").to_pylist()}
        is_withheld = fault is not None and EXPECTED[fault].effect in (Effect.WITHHELD, Effect.BROKEN)
        for late in ledger.posted[ledger.heard :]:
            if late.is_late:
                late.arrived_on = late.arrived_on or day
        ledger.posted += [Posted(package, day) for package in whole]
        ledger.posted.append(Posted(lawful, None if is_withheld else day, fault is Fault.LATE))

    def _heal(self, day: date) -> None:
        for office in self.offices.values():
            office.heal()
        for ledger in self.ledgers.values():
            for posted in ledger.posted[ledger.heard :]:
                posted.arrived_on = posted.arrived_on or day

    def _before_late(self, day: date, intake: Intake, look: Intake) -> None:
        with clock.held_at(_at(day, BEFORE_LATE)):
            intake()
            look()
        for office in self.offices.values():
            office.bring_late()

    def _evening(self, day: date, intake: Intake) -> None:
        with clock.held_at(_at(day, EVENING)):
            intake()
            now = clock.now()
        for channel, ledger in sorted(self.ledgers.items()):
            self._tell(channel, ledger)
        for office in self.offices.values():
            office.tidy(now)

    def _tell(self, channel: Channel, ledger: Ledger) -> None:
        """Tell the oracle what must have been applied by now: everything up to the first gap."""
        for posted in ledger.posted[ledger.heard :]:
            if posted.arrived_on is None:
                break
            ledger.counts_from = max(ledger.counts_from, posted.arrived_on)
            self.truth.receive(ledger.counts_from, channel.file, channel.municipality_code, posted.notices)
            ledger.heard += 1
            posted.notices = posted.notices.slice(0, 0)

    @contextmanager
    def answering(self, faults: Mapping[Channel, SnapshotFault] | None = None) -> Iterator[None]:
        """Let the offices answer requests for snapshots while the block runs, then read what they were sent."""
        with repeating(lambda: self.answer_requests(clock.now(), faults), _LOOK_SECONDS):
            yield
        for office in self.offices.values():
            office.tidy(clock.now())

    def rejected(self) -> set[tuple[Channel, str]]:
        """List the notices that receipts reported as rejected, by channel and number."""
        return {
            (Channel(receipt.manifest.municipality_code, receipt.manifest.file), number)
            for office in self.offices.values()
            for receipt in office.receipts
            for number in _rejected(receipt.lines)
        }


def _rejected(lines: pa.Table) -> list[str]:
    is_rejected = pc.equal(lines.column("verdict"), RecordVerdict.REJECTED.value)
    numbers: list[str] = lines.filter(is_rejected).column("notice_no").to_pylist()
    return numbers


def _parted(notices: pa.Table, channel: Channel, fault: Fault | None) -> tuple[pa.Table, pa.Table | None]:
    """Part a package into the notices that arrive well and those a fault spoils (the last ones)."""
    if fault is not Fault.BAD_VALUES:
        return notices, None
    well = max(0, notices.num_rows - len(MUTATIONS[channel.file]))
    return notices.slice(0, well), notices.slice(well)


def _packages(notices: pa.Table, size: int) -> list[pa.Table]:
    """Cut the notices of a day as the office does; a fault befalls the last package only."""
    return [notices.slice(start, size) for start in range(0, notices.num_rows, size)]


def numbered(notices: pa.Table, first_no: int) -> pa.Table:
    """Give notices the numbers from `first_no` on."""
    numbers = [str(first_no + position) for position in range(notices.num_rows)]
    return notices.set_column(
        notices.column_names.index("notice_no"), "notice_no", pa.array(numbers, pa.string())
    )


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, JAPAN)


@contextmanager
def exercise(home: Home, world: World) -> Iterator[Exercise]:
    """Set up an installation and its municipalities, with the CS running while the block runs."""
    made = installation.prepare(home, world.municipalities)
    client = Credentials(home.keys).sftp_public_key.read_text().strip()
    accounts = dict.fromkeys(world.municipalities, client)
    with serve(installation.folder(home) / "cs", accounts, host_key(home, is_new=True)) as server:
        installation.register(home, made, server)
        yield Exercise(home, world, installation.offices(home, made), port=server.port)
