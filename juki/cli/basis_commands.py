"""`juki basis`: by which article of which version who may get what, and what the prefecture decided on it.

Decides:    what is shown of a legal basis: its words, what it opens of each file, its terms, who decided what.
Leaves:     the table to `config.bases`, whether a basis holds on a day to `juki.authority`.
Invariants: works without stores, so that it can be looked at before anything is set up; nothing of a record.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from config.bases import load_bases
from config.settings import home_of
from juki.authority import Coverage, LegalBasis, NumberUse, out_of_term
from juki.cli.output import AsJson, Result, Table, finish
from juki.columns import IdentityFile
from juki.dates import civil_date
from juki.errors import ConfigurationError
from juki.fields import GRANTABLE
from juki.reasons import Code
from juki.recipients import RecipientKind

app = typer.Typer(
    help="提供・移転の根拠（別表・条例・同意・統計・開示・機構）を調べる",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_HEADINGS = ("根拠", "名称", "種類", "相手方", "ファイル", "個人番号", "効力")
_COVERAGE_HEADINGS = ("ファイル", "条項", "個人番号", "個人番号の条項", "対象", "項目")
_DECISION_HEADINGS = ("決定", "効力の日", "条項・理由", "決定者", "決定日")
_DECISIONS = {
    "registered": "条例の事務として登録",
    "number allowed": "個人番号を利用する",
    "number never": "個人番号を利用しない",
    "withdrawn": "使うことをやめる",
}

OneBasis = Annotated[str, typer.Argument(metavar="BASIS", help="根拠の名前（beppyo5-4-3 など）")]
Kind = Annotated[
    RecipientKind | None,
    typer.Option(help="種類で絞る: " + "、".join(f"{one.value} {one.japanese}" for one in RecipientKind)),
]
Number = Annotated[
    NumberUse | None,
    typer.Option(help="個人番号で絞る: " + "、".join(f"{one.value} {one.japanese}" for one in NumberUse)),
]
Word = Annotated[str, typer.Option(metavar="WORD", help="事務または相手方にこの語を含むものに絞る")]


@app.callback()
def _root() -> None:
    """Keep `basis` a group of commands."""


@app.command("list")
def list_bases(kind: Kind = None, number: Number = None, word: Word = "", as_json: AsJson = False) -> None:
    """すべての根拠を、別表の順に示す（事務の全文は show、または --json）。"""
    bases, today = load_bases(home_of()), today_in_japan()
    chosen = [
        one for one in bases.bases
        if kind in (None, one.kind) and number in (None, number_of(one)) and word in one.work + one.receiver
    ]  # fmt: skip
    rows = [
        (one.code, one.title, one.kind.japanese, one.receiver, _files(one.files), number_of(one).japanese,
         standing(out_of_term(one, today)))
        for one in chosen
    ]  # fmt: skip
    data = {"version": bases.version, "bases": [described(one, today) for one in chosen]}
    lines = [f"{len(chosen):,} 件", f"根拠の一覧の版: {bases.version}"]
    finish(Result(data, [Table("根拠", _HEADINGS, rows)] if rows else [], lines), as_json=as_json)


@app.command()
def show(basis: OneBasis, as_json: AsJson = False) -> None:
    """一つの根拠について、事務・条項・項目・個人番号・期間・決定をすべて示す。"""
    bases, today = load_bases(home_of()), today_in_japan()
    one = bases.of(basis)
    if one is None:
        raise ConfigurationError(Code.PROVISION_BASIS_UNKNOWN, "BASIS")
    facts = [
        ("名称", one.title), ("種類", one.kind.japanese), ("相手方", one.receiver), ("事務", one.work),
        ("条件", "本人の同意の文書の番号が必要" if one.needs_consent else "-"),
        ("期間", _term(one)), ("今日の効力", standing(out_of_term(one, today))),
    ]  # fmt: skip
    tables = [
        Table(f"根拠 {one.code}", ("項目", "内容"), facts),
        Table("及ぶ範囲", _COVERAGE_HEADINGS, [_covered(each) for each in one.coverage]),
    ]
    if one.decisions:
        rows = [
            (_DECISIONS[each.what], str(each.effective_from), each.ground, each.decided_by, str(each.decided_on))
            for each in one.decisions
        ]  # fmt: skip
        tables.append(Table("この都道府県の決定", _DECISION_HEADINGS, rows))
    lines = [
        "住民票コードは、どの根拠でも提供も移転もできません（機構への通知は別に定める形によります）。",
        f"根拠の一覧の版: {bases.version}",
    ]
    finish(Result(described(one, today), tables, lines), as_json=as_json)


def today_in_japan() -> date:
    """Give the civil date in Japan, by which terms are counted."""
    return civil_date(datetime.now(UTC))


def number_of(basis: LegalBasis) -> NumberUse:
    """Say in one word whether 個人番号 may go with a basis: the widest of its files."""
    uses = {one.number for one in basis.coverage}
    return next(use for use in (NumberUse.ALLOWED, NumberUse.UNDECIDED, NumberUse.NEVER) if use in uses)


def standing(fault: Code | None) -> str:
    """Write for a table whether a basis can be used."""
    return f"[{fault.value}]" if fault else "有効"


def described(one: LegalBasis, today: date) -> dict[str, object]:
    """Write a basis for programs."""
    fault = out_of_term(one, today)
    return {
        "basis": one.code, "version": one.version, "title": one.title, "kind": one.kind.value,
        "receiver": one.receiver, "work": one.work, "needs_consent": one.needs_consent,
        "valid_from": _iso(one.valid_from), "valid_to": _iso(one.valid_to),
        "number_from": _iso(one.number_from), "withdrawn_from": _iso(one.withdrawn_from),
        "code": fault.value if fault else None,
        "files": {
            each.file.value: {
                "article": each.article, "fields": fields_in_order(each), "number": each.number.value,
                "number_article": each.number_article, "abroad_only": each.abroad_only,
            }
            for each in one.coverage
        },
        "decisions": [
            {"what": each.what, "effective_from": _iso(each.effective_from), "ground": each.ground,
             "decided_by": each.decided_by, "decided_on": _iso(each.decided_on)}
            for each in one.decisions
        ],
    }  # fmt: skip


def fields_in_order(covered: Coverage) -> list[str]:
    """List the fields a basis opens of a file, in the order of the file."""
    return [field.value for field in GRANTABLE[covered.file] if field in covered.fields]


def _covered(one: Coverage) -> tuple[str, ...]:
    names = "・".join(field.japanese for field in GRANTABLE[one.file] if field in one.fields)
    whom = "国外転出者" if one.abroad_only else "すべての者"
    return one.file.japanese, one.article, one.number.japanese, one.number_article, whom, names


def _term(one: LegalBasis) -> str:
    parts = [
        f"{one.valid_from} から" if one.valid_from else "",
        f"{one.valid_to} まで" if one.valid_to else "",
    ]
    return " ".join(part for part in parts if part) or "定めなし"


def _files(files: Sequence[IdentityFile]) -> str:
    return "・".join({"resident": "本人", "fuhyo": "附票"}[file.value] for file in files)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
