"""The demonstration's chapter on notices to J-LIS: everything told once, its ledgers equal to our files, one report.

Decides:    what is told when, what J-LIS does not take at first, and what of it is shown.
Leaves:     the runs to the real flow, the checks of every package to `simulator.jlis`.
Invariants: a chapter is ok only if every update was told and acknowledged under consecutive numbers, a refused
            package came again under its own number, both ledgers equal our files person by person, and a report
            opened exactly its differences, which comparisons then settled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import psycopg
from rich.console import Console

from config.settings import load_settings
from config.stores import admin_url
from juki.columns import IdentityFile
from juki.differences import Mode
from juki.home import Home
from juki.order import Channel
from simulator import pki
from simulator.comparison import lines_of, stored
from simulator.exercise import Exercise
from simulator.installation import folder
from simulator.jlis import Jlis, register
from simulator.reconciliation_demo import reconcile
from tasks import clock

_REFUSED = "jlis.maintenance"
_REPORTED = (
    "SELECT resident_code, sender_code FROM current WHERE kind <> 'deletion' ORDER BY resident_code LIMIT 1"
)


@dataclass(slots=True)
class JlisChapter:
    """What `demo-summary.json` says of the notices to J-LIS."""

    ok: bool = False
    updates: dict[str, int] = field(default_factory=dict)
    packages: dict[str, int] = field(default_factory=dict)
    refused_and_told_again: bool = False
    acknowledged: bool = False
    lost: int = 0
    complaints: int = 0
    compared: dict[str, dict[str, int]] = field(default_factory=dict)
    """By file: people in J-LIS's ledger, and those only on one side."""
    reported: int = 0
    report_settled: bool = False


def begin(now: Exercise, chapter: JlisChapter) -> Jlis:
    """Register J-LIS and tell it of everything so far; it does not take the first package of the residents at first.

    Before anything is spoilt behind the back of the stores: what was changed there is told as it is found.
    """
    jlis = register(now.home, pki.build(folder(now.home) / "pki", now.offices))
    jlis.refusing[IdentityFile.RESIDENT, 1] = _REFUSED
    _forward()
    jlis.work(clock.now())
    _forward()
    first = "SELECT attempts, their_code FROM jlis_package WHERE sequence = 1"
    chapter.refused_and_told_again = _ask(now.home, IdentityFile.RESIDENT, first) == [(2, _REFUSED)]
    settle(jlis)
    return jlis


def run(now: Exercise, jlis: Jlis, chapter: JlisChapter) -> None:
    """Tell the rest, compare both ledgers with both files, and take one report in."""
    settle(jlis)
    for file in IdentityFile:
        chapter.updates[file.value] = jlis.ledgers[file].last_update_no
        chapter.packages[file.value] = jlis.ledgers[file].last_sequence
        chapter.compared[file.value] = _compared(now.home, jlis, file)
    chapter.complaints = len(jlis.complaints)
    chapter.acknowledged = all(_is_acknowledged(now.home, file) for file in IdentityFile)
    lost = "SELECT coalesce(sum(lost), 0)::integer FROM outbox"
    chapter.lost = sum(_ask(now.home, file, lost)[0][0] for file in IdentityFile)
    _report(now, jlis, chapter)
    is_equal = not any(one["only_theirs"] or one["only_ours"] for one in chapter.compared.values())
    chapter.ok = (
        is_equal and chapter.refused_and_told_again and chapter.acknowledged and not chapter.complaints
        and chapter.reported == len(IdentityFile) and chapter.report_settled
    )  # fmt: skip


def tell(console: Console, chapter: JlisChapter) -> None:
    """Say in a few lines what the chapter has shown."""
    updates, packages = sum(chapter.updates.values()), sum(chapter.packages.values())
    again = "同じ番号・同じ内容で届け直しました" if chapter.refused_and_told_again else "届け直せていません"
    console.print(f"  更新 {updates:,} 件をパッケージ {packages:,} 個で順に通知。一度拒まれたものは{again}")
    people = sum(one["compared"] for one in chapter.compared.values())
    differing = sum(one["only_theirs"] + one["only_ours"] for one in chapter.compared.values())
    said = "機構の台帳と一致" if not differing else f"機構の台帳と不一致 {differing:,}"
    console.print(
        f"  受領確認 {'すべて' if chapter.acknowledged else '未了'}。{people:,} 人が{said}（両ファイル）"
    )
    settled = "次の照合で解消" if chapter.report_settled else "未解消"
    console.print(
        f"  機構からの誤りの通報（法30条の8・30条の43） {chapter.reported} 件を差異として記録、{settled}"
    )


def _forward() -> None:
    """Run the real flow."""
    from flows.forward import forward

    forward()


def settle(jlis: Jlis) -> None:
    """Tell what is due, let J-LIS work, take its answers in."""
    _forward()
    jlis.work(clock.now())
    _forward()


def _compared(home: Home, jlis: Jlis, file: IdentityFile) -> dict[str, int]:
    found = {"compared": 0, "only_theirs": 0, "only_ours": 0}
    for erased in (False, True):
        theirs, ours = lines_of(jlis.ledgers[file].records(erased=erased)), stored(home, file, erased=erased)
        found["compared"] += theirs.total()
        found["only_theirs"] += (theirs - ours).total()
        found["only_ours"] += (ours - theirs).total()
    return found


def _is_acknowledged(home: Home, file: IdentityFile) -> bool:
    query = """SELECT (SELECT count(*) FROM outbox WHERE sent_at IS NULL),
                      (SELECT count(*) FROM jlis_package WHERE state <> 'acknowledged')"""
    return _ask(home, file, query) == [(0, 0)]


def _report(now: Exercise, jlis: Jlis, chapter: JlisChapter) -> None:
    """Let J-LIS report somebody of each file by mistake: a difference opens, the municipality's word settles it."""
    channels = []
    for file in IdentityFile:
        ((code, municipality),) = _ask(now.home, file, _REPORTED)
        jlis.report(
            file, [{"resident_code": code, "columns": "address", "code": "jlis.differs"}], clock.now()
        )
        channels.append(Channel(municipality, file))
    _forward()
    chapter.reported = sum(_reported(now.home, file, "settled_at IS NULL") for file in IdentityFile)
    with now.answering():
        failed = reconcile(channels, Mode.REPORT)
    settled = sum(_reported(now.home, file, "state = 'settled'") for file in IdentityFile)
    chapter.report_settled = not failed and settled == len(channels)


def _reported(home: Home, file: IdentityFile, where: str) -> int:
    query = f"SELECT count(*) FROM difference WHERE jlis_report_no IS NOT NULL AND {where}"
    return int(_ask(home, file, query)[0][0])


def _ask(home: Home, file: IdentityFile, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(admin_url(home, load_settings(home), file)) as connection:
        return connection.execute(query).fetchall()
