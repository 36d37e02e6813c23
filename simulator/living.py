"""The municipalities of a demonstration that go on living: their CS answers, and a day happens when one is asked for.

Decides:    that whoever starts `make up` after `make demo` finds 19 offices to work with, as a prefecture does.
Leaves:     what is known of them to `simulator.kept`, being started and ended to `simulator.offices_command`.
Invariants: one process a home. What is published is kept first: the numbers of an office never come twice.
"""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Event
from types import FrameType

import pyarrow as pa

from juki.credentials import Credentials
from juki.dates import civil_date
from juki.home import Home
from simulator import installation, pki
from simulator.exercise import numbered
from simulator.kept import Kept, host_key, keep
from simulator.notices import Channel
from simulator.office import MunicipalOffice
from simulator.sftp_server import Server, serve
from simulator.world import World

_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Wishes:
    """How another process asks for a day: a file that is answered by its replacement."""

    home: Home

    @property
    def asked(self) -> Path:
        """There while a day is wanted."""
        return installation.folder(self.home) / "day-wanted"

    @property
    def answer(self) -> Path:
        """What the last day brought: notices by channel."""
        return installation.folder(self.home) / "day.json"


@dataclass(slots=True)
class Living:
    """The offices of one home, their world, and what is kept of them."""

    home: Home
    kept: Kept
    world: World
    offices: dict[str, MunicipalOffice]

    @classmethod
    def of(cls, home: Home, kept: Kept) -> Living:
        """Make the world again, and let the offices go on where they were."""
        world = kept.world()
        offices = installation.offices(home, _identities(home, world))
        for code, office in offices.items():
            office.go_on_from(kept.numbers[code])
        return cls(home, kept, world, offices)

    def answer(self, at: datetime) -> None:
        """Answer what was asked for, and read what was sent."""
        standing = cache(self.world.standing)
        for office in self.offices.values():
            has_answered = office.answer_requests(standing, at)
            office.tidy(at)
            office.receipts.clear()
            office.reports.clear()
            if has_answered:
                self._keep()

    def live(self, at: datetime) -> dict[str, int]:
        """Let a day happen and publish its notices; count them by channel."""
        day = max(civil_date(at), self.world.scene.today)
        tables = self.world.live(day)
        self.kept = self.kept.after(day, self.offices)
        for channel, table in tables.items():
            self._publish(channel, table, at)
        self._keep()
        return {f"{one.municipality_code}-{one.file.value}": table.num_rows for one, table in tables.items()}

    def _publish(self, channel: Channel, table: pa.Table, at: datetime) -> None:
        office = self.offices[channel.municipality_code]
        first_no = office.numbers()[channel.file.value]["notice"] + 1
        office.publish(channel.file, numbered(table, first_no), at)

    def _keep(self) -> None:
        numbers = {code: office.numbers() for code, office in self.offices.items()}
        self.kept = replace(self.kept, numbers=numbers)
        keep(self.home, self.kept)


def run(home: Home, kept: Kept, say_ready: Callable[[], object]) -> None:
    """Keep the offices of a home going until this process is asked to end; say so once the CS listens."""
    ended = Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    wishes = Wishes(home)
    wishes.asked.unlink(missing_ok=True)
    with _listening(home, kept) as server:
        say_ready()
        living = Living.of(home, replace(kept, port=server.port))
        while not ended.wait(_LOOK_SECONDS):
            living.answer(datetime.now(UTC))
            if wishes.asked.exists():
                told = living.live(datetime.now(UTC))
                wishes.answer.write_text(json.dumps(told))
                wishes.asked.unlink()


@contextlib.contextmanager
def _listening(home: Home, kept: Kept) -> Iterator[Server]:
    """Listen where the CS was registered; where that port is taken, elsewhere, and register that."""
    accounts = _accounts(home, kept.numbers)
    root, key = installation.folder(home) / "cs", host_key(home)
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(serve(root, accounts, key, port=kept.port))
        except OSError:
            server = stack.enter_context(serve(root, accounts, key))
            installation.register(home, pki.build(installation.folder(home) / "pki", kept.numbers), server)
        yield server


def _accounts(home: Home, codes: Mapping[str, object]) -> dict[str, str]:
    client = Credentials(home.keys).sftp_public_key.read_text().strip()
    return dict.fromkeys(codes, client)


def _identities(home: Home, world: World) -> pki.Pki:
    return pki.build(installation.folder(home) / "pki", world.municipalities)
