"""Days on which everything goes wrong once, in a process of their own: `python -m tests.scenarios.fault_days OUT`.

Every fault the simulator knows befalls a channel; after every intake `juki status` is asked, at the held clock of
that evening; an operator releases what only an operator can. What was seen and what the stores hold at the end is
written to OUT as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from config.settings import home_of, load_settings
from flows import environment
from juki.cli import status_command
from juki.cli.app import build_app
from juki.columns import IdentityFile
from juki.home import Home
from simulator.comparison import compare
from simulator.demo import FIRST_DAY, intake_of
from simulator.demo_report import findings_of, journal_sizes
from simulator.exercise import EVENING, Exercise, exercise
from simulator.faults import Fault
from simulator.world import World
from tasks import clock

PEOPLE = 1_200
SEED = 20260401
PACKAGE_RECORDS = 30
"""Small, so that a day has several packages to be laid out in the wrong order."""
FAULTS_BY_DAY: tuple[tuple[Fault, ...], ...] = (
    (Fault.BAD_VALUES, Fault.REORDER, Fault.GAP, Fault.LATE, Fault.TAMPERED, Fault.TRUNCATED, Fault.OTHER_CONTENT),
    (Fault.WRONG_SENDER, Fault.WRONG_RECIPIENT, Fault.EXPIRED_CERTIFICATE, Fault.UNKNOWN_AUTHORITY,
     Fault.WRONG_OUTBOX, Fault.DUPLICATE),
    (Fault.WRONG_NUMBER, Fault.WRONG_COUNT, Fault.WRONG_DIGEST, Fault.EXTRA_COLUMN, Fault.MISSING_COLUMN,
     Fault.RESEALED, Fault.REPLAYED),
)  # fmt: skip


class _HeldClock(datetime):
    """The clock of the command line, held where that of the tasks is."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        """Tell the instant."""
        return clock.now().astimezone(tz)


@dataclass(slots=True)
class Diary:
    """What was seen, day by day."""

    faults: list[tuple[str, str, str, str]] = field(default_factory=list)
    """Day, municipality, file, fault."""
    looks: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Day and what `juki status --json` said."""
    repeated: list[dict[str, Any]] = field(default_factory=list)
    compared: dict[str, dict[str, Any]] = field(default_factory=dict)
    rejected_as_spoilt: bool = False
    rerun_changes_nothing: bool = False
    journal_entries: dict[str, int] = field(default_factory=dict)


def juki(*arguments: str) -> Any:
    """Ask the command line of this process."""
    result = CliRunner().invoke(build_app(), [*arguments, "--json"])
    if not isinstance(result.exception, SystemExit | None):
        raise result.exception
    return json.loads(result.stdout)


def _look(diary: Diary, day: date) -> None:
    diary.looks.append((day.isoformat(), juki("status")))


def _release(now: Exercise, diary: Diary, day: date) -> None:
    """Decide as an operator about what stopped a channel on a day or lay where it does not belong."""
    decided = {
        (channel.municipality_code, channel.file.value)
        for at, channel, fault in now.befallen
        if at == day and fault in (Fault.OTHER_CONTENT, Fault.WRONG_OUTBOX)
    }
    for channel in diary.looks[-1][1]["channels"]:
        if (channel["municipality_code"], channel["file"]) in decided:
            for package in (one for reason in channel["reasons"] for one in reason["packages"]):
                juki("package", "release", package["id"], "--reason", "市町村に確認済み")


def _live(now: Exercise, diary: Diary, home: Home) -> None:
    intake = intake_of(home)
    now.load(FIRST_DAY, intake)
    for number, faults in enumerate(FAULTS_BY_DAY, start=1):
        day = FIRST_DAY + timedelta(days=number)
        # The second day finds what the first one spoilt still spoilt, and the late package not there yet.
        look = (lambda day=day: _look(diary, day)) if number == 2 else None
        now.live(day, intake, faults, heal=number != 2, look=look)
        with clock.held_at(datetime.combine(day, EVENING, clock.JAPAN) + timedelta(hours=1)):
            _look(diary, day)
        _release(now, diary, day)
    last = FIRST_DAY + timedelta(days=len(FAULTS_BY_DAY) + 1)
    now.settle(last, intake)
    before = findings_of(home)
    intake()
    diary.rerun_changes_nothing = findings_of(home) == before
    with clock.held_at(datetime.combine(last, EVENING, clock.JAPAN) + timedelta(hours=1)):
        _look(diary, last)


def main(out: Path) -> None:
    """Live through the days and write the diary."""
    home, diary = home_of(), Diary()
    world = World.create(PEOPLE, SEED, FIRST_DAY, pace=100_000 / PEOPLE)
    status_command.datetime = _HeldClock  # type: ignore[misc]
    with exercise(home, world) as now:
        for office in now.offices.values():
            office.package_records = PACKAGE_RECORDS
        environment.prepare(home, load_settings(home))
        _live(now, diary, home)
        diary.faults = [
            (day.isoformat(), channel.municipality_code, channel.file.value, fault.value)
            for day, channel, fault in now.befallen
        ]
        diary.repeated = juki("package", "list", "--state", "repeated")["packages"]
        diary.compared = {
            file.value: {one.what: asdict(one) for one in compare(home, now.truth, file)}
            for file in IdentityFile
        }
        diary.rejected_as_spoilt = now.rejected() == now.spoilt and bool(now.spoilt)
        diary.journal_entries = journal_sizes(home)
    out.write_text(json.dumps(asdict(diary), ensure_ascii=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
