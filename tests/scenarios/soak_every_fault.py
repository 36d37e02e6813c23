"""Every fault there is, at least once in days of events: seen with a code and what to do, harmless in the end.

The days are lived once, in a process of their own (`fault_days`); each test looks at another side of the diary.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from juki.columns import IdentityFile
from juki.home import Home
from juki.reasons import Code
from juki.store import embedded
from simulator.faults import EXPECTED, Effect, Fault

ROOT = Path(__file__).resolve().parents[2]
Diary = dict[str, Any]

CONDITION: dict[Effect, Code] = {
    Effect.WITHHELD: Code.CHANNEL_GAP,
    Effect.BROKEN: Code.CHANNEL_REFUSED_OPEN,
    Effect.RECORDS: Code.CHANNEL_RECORDS_REJECTED,
}
"""What `juki status` says of a channel a fault has befallen."""
OPERATORS: dict[Fault, Code] = {
    Fault.OTHER_CONTENT: Code.CHANNEL_STOPPED,
    Fault.WRONG_OUTBOX: Code.CHANNEL_REFUSED_OPEN,
}
"""Faults that an operator must decide about."""
REPEATS = (Fault.DUPLICATE, Fault.RESEALED, Fault.REPLAYED)
"""Nothing is to be done: the package is listed as a repeat, its channel is in order."""
QUIET = (*REPEATS, Fault.REORDER)
"""Faults that change nothing: no status may say anything of them (ADR-0019)."""


@pytest.fixture(scope="module")
def diary() -> Iterator[Diary]:
    """Live through the days once."""
    folder = Path(tempfile.mkdtemp(prefix="juki-faults-"))
    home = Home.at(folder / "home")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("JUKI_", "PREFECT_"))}
    command = [sys.executable, "-m", "tests.scenarios.fault_days", str(folder / "diary.json")]
    done = subprocess.run(
        command, cwd=ROOT, env=clean | {"JUKI_HOME": str(home.root)},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    try:
        assert done.returncode == 0, done.stderr[-2000:]
        yield json.loads((folder / "diary.json").read_text())
    finally:
        embedded.stop(home)
        shutil.rmtree(folder, ignore_errors=True)


def reasons_on(diary: Diary, day: str, municipality_code: str, file: str) -> list[dict[str, Any]]:
    """List what was said of a channel on a day and the day after, whenever it was asked."""
    days = sorted({one for one, _ in diary["looks"]})
    wanted = days[days.index(day) : days.index(day) + 2]
    return [
        reason
        for one, status in diary["looks"]
        for channel in status["channels"]
        if one in wanted and (channel["municipality_code"], channel["file"]) == (municipality_code, file)
        for reason in channel["reasons"]
    ]


def test_every_fault_has_happened(diary: Diary) -> None:
    """None of them found no channel to befall, and no fault exists that this does not know."""
    assert {Fault(fault) for *_, fault in diary["faults"]} == set(Fault)


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.value)
def test_a_fault_is_seen_with_its_code_and_what_to_do(diary: Diary, fault: Fault) -> None:
    """In `juki status --json`: the condition of the channel, the code of the package, and the next step of each."""
    expected = EXPECTED[fault]
    condition = OPERATORS.get(fault) or CONDITION.get(expected.effect)
    for day, *channel in [one[:3] for one in diary["faults"] if one[3] == fault.value]:
        said = [
            one for one in reasons_on(diary, day, *channel) if condition and one["code"] == condition.value
        ]
        assert bool(said) == (condition is not None)
        packages = [package for one in said for package in one["packages"]]
        assert all(one["message"] and one["next_step"] for one in (*said, *packages))
        if expected.effect is Effect.BROKEN or fault in OPERATORS:
            assert expected.code is not None and expected.code.value in {one["code"] for one in packages}


def test_repeats_are_listed_and_trouble_nobody(diary: Diary) -> None:
    """The same package again, sealed again or much later: answered again, with its code, nothing to be done."""
    listed = {(one["municipality_code"], one["file"]): one for one in diary["repeated"]}
    befallen = {tuple(one[1:3]) for one in diary["faults"] if Fault(one[3]) in REPEATS}
    assert len(befallen) == len(REPEATS)
    assert set(listed) >= befallen


def test_what_changes_nothing_is_in_no_status(diary: Diary) -> None:
    """Of a channel that had nothing else, status says what it says of channels no fault has befallen."""
    befallen = {tuple(one[1:3]) for one in diary["faults"]}
    usual = {
        reason["code"]
        for _, status in diary["looks"]
        for channel in status["channels"]
        if (channel["municipality_code"], channel["file"]) not in befallen
        for reason in channel["reasons"]
    }
    quiet = [one for one in diary["faults"] if Fault(one[3]) in QUIET]
    assert {Fault(one[3]) for one in quiet} == set(QUIET)
    for day, *channel in [one[:3] for one in quiet]:
        others = {Fault(one[3]) for one in diary["faults"] if list(one[1:3]) == channel} - set(QUIET)
        conditions = {OPERATORS.get(fault) or CONDITION.get(EXPECTED[fault].effect) for fault in others}
        allowed = usual | {one.value for one in conditions if one is not None}
        assert {reason["code"] for reason in reasons_on(diary, day, *channel)} <= allowed


@pytest.mark.parametrize("file", list(IdentityFile))
def test_both_files_end_equal_to_the_truth(diary: Diary, file: IdentityFile) -> None:
    """Standing, erased and every version with its days of keeping, person by person."""
    for what, counts in diary["compared"][file.value].items():
        assert counts["compared"] > 0, what
        assert (counts["only_in_store"], counts["only_in_truth"]) == (0, 0), what


def test_the_days_end_in_order(diary: Diary) -> None:
    """Only what was spoilt was rejected, that alone is still told, and another intake changes nothing."""
    assert diary["rejected_as_spoilt"]
    assert diary["rerun_changes_nothing"]
    _, last = diary["looks"][-1]
    told = {reason["code"] for channel in last["channels"] for reason in channel["reasons"]}
    assert told == {Code.CHANNEL_RECORDS_REJECTED.value}
    assert all(diary["journal_entries"].values())
