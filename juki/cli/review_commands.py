"""`juki review`: review the operation log, show what was found, acknowledge it.

Decides:    what is asked for and how findings are shown.
Leaves:     reviewing and acknowledging to `juki.oplog.reviewing`.
Invariants: of a person only the first letters of the keyed index are shown; whoever looks at findings is in the log.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from juki.cli.acting import acting, operated
from juki.cli.installation import Installation, explained, iso, shown
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.reasons_shown import code_lines
from juki.columns import IdentityFile
from juki.journal import Action, Entry, Outcome
from juki.oplog.reviewing import Reviewed, acknowledge, all_reviews, do_review, review_again
from juki.overview.reviews import late_reviews
from juki.reason_text import checked_reason
from juki.reasons import Code
from juki.review import Finding
from juki.review_record import RESIDENT, Review
from juki.store.roles import Duty
from juki.store.unit import open_unit

app = typer.Typer(
    help="操作ログの点検と、その指摘を示す・確認済みにする", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip

_REVIEWS = ("番号", "点検した日時", "対象の操作", "指摘", "未確認", "指摘の種類")
_FINDINGS = ("番号", "種類", "操作者", "端末", "最初", "最後", "件数", "操作ログの番号", "詳細", "確認")
_ENTRIES_SHOWN = 5
Id = Annotated[int, typer.Argument(metavar="ID", min=1, help="点検の番号（juki review list の番号）")]
Numbers = Annotated[
    list[int] | None, typer.Argument(metavar="N", min=1, help="確認した指摘の番号（なければ未確認のすべて）")
]
Reason = Annotated[str, typer.Option("--reason", help="調べた結果（操作ログに残る。氏名などは書かない）")]


@app.callback()
def _root() -> None:
    """Keep `review` a group of commands."""


@app.command()
@operated("review run")
def run(as_json: AsJson = False) -> None:
    """前回の点検より後の操作ログを点検する。毎週の点検は自動で行う。

    終了コード: 0 指摘なし、1 指摘がある、2 誤り。
    """
    installation = Installation.open()
    limits = installation.settings.review_limits
    _finish(do_review(_urls(installation), limits, acting(), datetime.now(UTC)), as_json)


@app.command("list")
def list_reviews(as_json: AsJson = False) -> None:
    """点検を新しいものから示す。

    終了コード: 0 未確認の指摘なし、1 ある、2 誤り。
    """
    installation, now = Installation.open(), datetime.now(UTC)
    found = all_reviews({file: installation.store_url(file) for file in IdentityFile})[::-1]
    open_ones = sum(len(one.open) for one in found)
    late = late_reviews(found, timedelta(days=installation.settings.review_acknowledge_days), now)
    lines = [f"点検 {len(found):,} 件、未確認の指摘 {open_ones:,} 件"]
    lines += code_lines(Code.REVIEW_UNACKNOWLEDGED) if late else []
    tables = [Table("操作ログの点検", _REVIEWS, [_row(one) for one in found])] if found else []
    data = {"reviews": [_described(one) for one in found], "open": open_ones}
    finish(Result(data, tables, lines, ExitCode.FOUND if open_ones else ExitCode.OK), as_json=as_json)


@app.command()
@operated("review show", "number")
def show(number: Id, as_json: AsJson = False) -> None:
    """一回の点検の指摘を示す。示したこと自体も操作ログに残る。

    終了コード: 0 未確認の指摘なし、1 ある、2 誤り。
    """
    installation, at = Installation.open(), datetime.now(UTC)
    done = review_again(_urls(installation), number)
    _note_looked_at(installation, done, at)
    _finish(done, as_json)


@app.command("acknowledge")
@operated("review acknowledge", "number", "findings")
def acknowledge_findings(
    number: Id, reason: Reason, findings: Numbers = None, as_json: AsJson = False
) -> None:
    """調べた指摘を確認済みにする。自分についての指摘はできない。

    終了コード: 0 未確認の指摘はもうない、1 まだある、2 誤り。
    """
    installation, at = Installation.open(), datetime.now(UTC)
    wanted = frozenset(findings or ())
    done = acknowledge(_urls(installation), number, wanted, checked_reason(reason), acting(), at)
    _finish(done, as_json)


def _urls(installation: Installation) -> dict[IdentityFile, str]:
    return {file: installation.store_url(file) for file in IdentityFile}


def _note_looked_at(installation: Installation, done: Reviewed, at: datetime) -> None:
    entry = Entry(
        action=Action.LOG_SEARCHED, file=RESIDENT, outcome=Outcome.DONE, basis="review",
        counts={"review": done.review.number, "found": len(done.findings)},
    )  # fmt: skip
    with open_unit(installation.store_url(RESIDENT), RESIDENT, Duty.AUDITOR) as unit:
        unit.journal.append(acting().signed(entry), at)


def _finish(done: Reviewed, as_json: bool) -> None:
    review = done.review
    rows = [_finding_row(no, one, review) for no, one in enumerate(done.findings, 1)]
    tables = (
        [Table(f"点検 {review.number} の指摘", _FINDINGS, rows, ("操作ログの番号", "詳細"))] if rows else []
    )
    lines = [
        f"点検 {review.number}（{shown(review.at)}）: 人による操作 {review.seen:,} 件、"
        f"指摘 {review.found:,} 件、うち未確認 {len(review.open):,} 件",
        *(() if done.is_same else code_lines(Code.REVIEW_DIFFERS)),
    ]
    found = [
        {"no": no, **_described_finding(one), "is_acknowledged": no in review.acknowledged}
        for no, one in enumerate(done.findings, 1)
    ]
    data = {**_described(review), "findings": found, "is_same": done.is_same}
    data |= {} if done.is_same else {"alarm": explained(Code.REVIEW_DIFFERS)}
    finish(Result(data, tables, lines, ExitCode.FOUND if review.open else ExitCode.OK), as_json=as_json)


def _row(one: Review) -> tuple[str, ...]:
    kinds = "、".join(f"{kind.japanese} {count:,}" for kind, count in one.counts.items()) or "-"
    return (
        str(one.number), shown(one.at), f"{one.seen:,}", f"{one.found:,}", f"{len(one.open):,}", kinds,
    )  # fmt: skip


def _finding_row(number: int, one: Finding, review: Review) -> tuple[str, ...]:
    more = " …" if one.count > _ENTRIES_SHOWN else ""
    return (
        str(number), one.kind.japanese, one.operator, " ".join(one.terminals) or "-", shown(one.first_at),
        shown(one.last_at), f"{one.count:,}", " ".join(one.entries[:_ENTRIES_SHOWN]) + more, one.detail or "-",
        "済" if number in review.acknowledged else "未",
    )  # fmt: skip


def _described(one: Review) -> dict[str, object]:
    return {
        "review": one.number, "reviewed_at": iso(one.at), "since": iso(one.stretch.previous_at), "seen": one.seen,
        "found": one.found, "open": sorted(one.open),
        "kinds": {kind.value: count for kind, count in one.counts.items()},
    }  # fmt: skip


def _described_finding(one: Finding) -> dict[str, object]:
    return {
        "kind": one.kind.value, "operator": one.operator, "terminals": list(one.terminals),
        "first_at": iso(one.first_at), "last_at": iso(one.last_at), "count": one.count,
        "entries": list(one.entries), "detail": one.detail,
    }  # fmt: skip
