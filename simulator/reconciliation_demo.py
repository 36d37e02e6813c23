"""The demonstration's chapter on 整合処理: corrupt the stores, reconcile, repair, confirm that all are equal.

Decides:    what is planted, in which order the runs follow, and what of them is told.
Leaves:     the runs to the real flow, what must be found to `simulator.corruption`.
Invariants: a chapter is ok only if exactly what was planted was found, and besides only people who are on the move;
            everything was repaired, every channel ended confirmed equal, a snapshot cut in half changed nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from rich.console import Console
from rich.padding import Padding

from config.places import municipality_name
from config.settings import load_settings
from config.stores import admin_url
from juki.acts.differences import approve
from juki.cli.acting import site_of
from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.differences import AUTOMATIC, DifferenceKind, Mode
from juki.home import Home
from juki.order import Channel
from juki.package_id import PackageId
from juki.reasons import Code
from simulator import notices
from simulator.corruption import Corruption, Planted, expected, plant
from simulator.exercise import Exercise
from simulator.snapshots import SnapshotFault
from tasks import clock

PLANTED: dict[IdentityFile, tuple[Corruption, ...]] = {
    IdentityFile.RESIDENT: tuple(Corruption),
    IdentityFile.FUHYO: (Corruption.CHANGED_CELL, Corruption.LOST_ROW, Corruption.ZOMBIE),
}
CUT_IN_HALF = Channel("352039", IdentityFile.RESIDENT)
"""Whose snapshot comes cut in half, as if it were whole."""
_OPEN = "SELECT difference_id, municipality_code, kind FROM difference WHERE settled_at IS NULL ORDER BY 1"
_FOUND = "SELECT municipality_code, resident_code, kind FROM difference WHERE difference_id >"
Difference = tuple[IdentityFile, str, str, str]
"""File, municipality, person and kind."""


@dataclass(slots=True)
class ReconciliationChapter:
    """What `demo-summary.json` says of the reconciliation."""

    ok: bool = False
    channels: int = 0
    planted: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    found_exactly_what_was_planted: bool = False
    on_the_move: int = 0
    """People who have arrived elsewhere and whose old municipality has yet to say so: its notice is on its way."""
    repaired_at_once: int = 0
    repaired_after_approval: int = 0
    confirmed_equal: int = 0
    cut_in_half_changed_nothing: bool = False


def run(now: Exercise, chapter: ReconciliationChapter) -> None:
    """Go through the chapter."""
    # Prefect reads its environment once, when it is imported.
    from tasks.reconciling import reconcile_channel

    channels = [Channel(code, file) for code in now.offices for file in IdentityFile]
    chapter.channels = len(channels)
    chapter.cut_in_half_changed_nothing = _cut_in_half(now)
    before = {file: _newest(now.home, file) for file in IdentityFile}
    planted = [one for file, which in PLANTED.items() for one in plant(now.home, file, which)]
    chapter.planted = dict(Counter(one.corruption.value for one in planted))
    touched = sorted({Channel(code, file) for file, code, _, _ in expected(planted)})
    with now.answering():
        reconcile(touched, Mode.REPAIR)
        moved = on_the_move(now, _found(now.home, before))
        found = _found(now.home, before) - moved
        chapter.found_exactly_what_was_planted = found == _wanted(planted)
        chapter.found = dict(Counter(kind for *_, kind in found))
        chapter.on_the_move = len(moved)
        chapter.repaired_at_once = _repaired(now.home)
        # Whoever holds somebody by mistake first: then nothing stands in the way of the other municipality.
        reconcile(reversed(approve_the_rest(now.home)), Mode.REPAIR)
        chapter.repaired_after_approval = _repaired(now.home) - chapter.repaired_at_once
        for channel in channels:
            # Without the engine around each, whose start alone takes a second.
            reconcile_channel.fn(channel, Mode.REPORT)
    chapter.confirmed_equal = _confirmed(now.home, channels)
    chapter.ok = (
        chapter.found_exactly_what_was_planted
        and chapter.cut_in_half_changed_nothing
        and chapter.confirmed_equal == len(channels)
    )


def reconcile(channels: Iterable[Channel], mode: Mode) -> list[Code]:
    """Run the real flow for some channels; give the codes of the runs that failed."""
    from flows.choices import ModeChoice, choices_of
    from flows.reconcile import reconcile as flow

    failed = []
    for channel in channels:
        municipality, file = choices_of(channel)
        state = flow(municipality=municipality, file=file, mode=ModeChoice[mode.name], return_state=True)
        if state.is_failed():
            error = state.result(raise_on_failure=False)
            failed.append(getattr(error, "code", Code.RUN_UNEXPECTED))
    return failed


def tell(console: Console, chapter: ReconciliationChapter) -> None:
    """Say in a few lines what the chapter has shown."""
    planted = "、".join(f"{Corruption(name).japanese} {count}" for name, count in chapter.planted.items())
    console.print(Padding(f"気付かれない破損を植える: {planted}", (0, 0, 0, 2)))
    half = "何も変更せずに止まりました" if chapter.cut_in_half_changed_nothing else "止まりませんでした"
    console.print(
        f"  {municipality_name(CUT_IN_HALF.municipality_code)}の現況が半分に欠けて届いたときは{half}"
    )
    exactly = (
        "植えたものすべて、ほかはなし" if chapter.found_exactly_what_was_planted else "植えたものと違います"
    )
    console.print(f"  見つけた差異 {sum(chapter.found.values())} 件（{exactly}）")
    if chapter.on_the_move:
        console.print(
            f"  ほかに、転出元の消除の通知を待っている人 {chapter.on_the_move} 人（破損ではありません）"
        )
    console.print(
        f"  その場で修復 {chapter.repaired_at_once} 件、承認の後に修復 {chapter.repaired_after_approval} 件。"
        f"一致を確認 {chapter.confirmed_equal}/{chapter.channels}（市町村×ファイル）"
    )


def _cut_in_half(now: Exercise) -> bool:
    """Let a snapshot come cut in half in the mode that repairs: the run must fail and change nothing."""
    before = _rows(now.home)
    with now.answering(
        {notices.Channel(CUT_IN_HALF.municipality_code, CUT_IN_HALF.file): SnapshotFault.HALF}
    ):
        codes = reconcile([CUT_IN_HALF], Mode.REPAIR)
    with now.answering():
        reconcile([CUT_IN_HALF], Mode.REPORT)
    return codes == [Code.RECONCILIATION_BEYOND_BOUND] and _rows(now.home) == before


def _newest(home: Home, file: IdentityFile) -> int:
    ((newest,),) = _ask(home, file, "SELECT coalesce(max(difference_id), 0) FROM difference")
    return int(newest)


def on_the_move(now: Exercise, found: set[Difference]) -> set[Difference]:
    """Choose who was found to have moved, and by the truth stands elsewhere: the deletion comes days later."""
    truth = {file: _senders(now, file) for file in IdentityFile}
    return {
        one
        for one in found
        if one[3] == DifferenceKind.MOVED.value and truth[one[0]].get(one[2], one[1]) != one[1]
    }


def _senders(now: Exercise, file: IdentityFile) -> dict[str, str]:
    standing = now.world.standing(file)
    codes, senders = (standing.column(name).to_pylist() for name in ("resident_code", "sender_code"))
    return dict(zip(codes, senders, strict=True))


def _found(home: Home, before: dict[IdentityFile, int]) -> set[Difference]:
    """List the differences found since, by file, municipality, person and kind."""
    return {(file, *row) for file, newest in before.items() for row in _ask(home, file, f"{_FOUND} {newest}")}


def _wanted(planted: list[Planted]) -> set[Difference]:
    return {(file, code, person, kind.value) for file, code, person, kind in expected(planted)}


def approve_the_rest(home: Home) -> list[Channel]:
    """Approve, as the local administrator, what only an operator may let through; name the channels it is of.

    What nobody here can repair is left: a municipality has to notify it.
    """
    rest = [
        (file, number, code)
        for file in IdentityFile
        for number, code, kind in _ask(home, file, _OPEN)
        if DifferenceKind(kind) in AUTOMATIC
    ]
    approve(site_of(Installation.open()), [PackageId(file, number) for file, number, _ in rest], clock.now())
    return sorted({Channel(code, file) for file, _, code in rest})


def _repaired(home: Home) -> int:
    query = "SELECT count(*) FROM difference WHERE settled_by = 'repair'"
    return sum(int(count) for file in IdentityFile for ((count,),) in [_ask(home, file, query)])


def _confirmed(home: Home, channels: list[Channel]) -> int:
    """Count the channels whose last reconciliation found both sides equal."""
    query = """SELECT municipality_code, is_equal FROM reconciliation ORDER BY reconciliation_id"""
    last = {file: dict(_ask(home, file, query)) for file in IdentityFile}
    return sum(bool(last[one.file].get(one.municipality_code)) for one in channels)


def _rows(home: Home) -> list[tuple[Any, ...]]:
    query = """SELECT (SELECT count(*) FROM current), (SELECT count(*) FROM history),
                      (SELECT count(*) FROM package), (SELECT count(*) FROM outbox)"""
    return [row for file in IdentityFile for row in _ask(home, file, query)]


def _ask(home: Home, file: IdentityFile, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(admin_url(home, load_settings(home), file)) as connection:
        return connection.execute(query).fetchall()
