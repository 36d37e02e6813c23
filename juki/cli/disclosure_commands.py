"""`juki disclosure`: requests to be told what is held and to have it corrected, from receipt to answer.

Invariants: what is shown of a request are days, states and decisions; whom it is of is shown once, when it is
            taken in, so that the counter sees whom it took, and in no later output.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from config.overviews import disclosure_days_of
from juki.cli import disclosure_actions
from juki.cli.acting import operated
from juki.cli.installation import Installation, explained, iso, shown
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.person_document import PersonDocument
from juki.cli.reasons_shown import code_lines
from juki.columns import IdentityFile
from juki.dates import civil_date
from juki.disclosures import Decision, Disclosure, alarm_of, number_of
from juki.errors import ConfigurationError
from juki.reasons import Code
from juki.record_words import birth_date_words
from juki.store.roles import Duty
from juki.store.unit import open_unit

app = typer.Typer(
    help="開示の請求・訂正の申出を受け付け、期限まで追う（法30条の32から30条の35まで）", no_args_is_help=True,
    add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip

_MEANT = ("name", "name_kana", "birth_date", "address")
_HEADINGS = ("番号", "種類", "受理", "期限", "延長の通知", "書面", "結果", "回答")
Id = Annotated[str, typer.Argument(metavar="ID", help="請求・申出の番号（D3 の形）")]
Source = Annotated[
    PersonDocument,
    typer.Argument(
        metavar="FILE|-",
        parser=PersonDocument,
        help="誰の請求か（juki-person/1）。自分だけが読めるファイルか -（標準入力）",
    ),
]
ReceivedOn = Annotated[
    str, typer.Option("--received-on", metavar="YYYY-MM-DD", help="受理した日（なければ今日）")
]
NotHeld = Annotated[bool, typer.Option("--not-held", help="該当者がいないことを確かめた（不存在を通知する）")]
Until = Annotated[str, typer.Option("--until", metavar="YYYY-MM-DD", help="通知した新しい期限")]
NotifiedOn = Annotated[
    str, typer.Option("--notified-on", metavar="YYYY-MM-DD", help="本人に書面で通知した日")
]
AnsweredOn = Annotated[
    str, typer.Option("--answered-on", metavar="YYYY-MM-DD", help="答えた日（なければ今日）")
]
Ended = Annotated[
    Decision, typer.Option("--decision", help="、".join(f"{one.value} {one.japanese}" for one in Decision))
]
Reason = Annotated[str, typer.Option("--reason", help="理由（操作ログに残る）")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="新しいものから何件まで示すか")]


@app.callback()
def _root() -> None:
    """Keep `disclosure` a group of commands."""


@app.command()
@operated("disclosure receive", "source", "received_on", "not_held")
def receive(
    source: Source, received_on: ReceivedOn = "", not_held: NotHeld = False, as_json: AsJson = False
) -> None:
    """開示の請求を受け付ける。期限は受理の日を含めて30日（法30条の33）。誰の請求として受け付けたかを示す。"""
    at, installation = datetime.now(UTC), Installation.open()
    day = _day(received_on, "--received-on", at)
    done = disclosure_actions.receive(installation, source.query, day, at, not_held=not_held)
    said = f"次にすること: juki disclose {done.request} --to フォルダ"
    _finish(installation, done.request, said, as_json, done.person)


@app.command()
@operated("disclosure correction", "disclosure", "received_on")
def correction(disclosure: Id, received_on: ReceivedOn = "", as_json: AsJson = False) -> None:
    """開示を受けた人からの訂正の申出を受け付ける（法30条の35）。"""
    at, installation = datetime.now(UTC), Installation.open()
    day = _day(received_on, "--received-on", at)
    request = disclosure_actions.receive_correction(installation, number_of(disclosure), day, at)
    _finish(installation, request, "次にすること: 市町村に調査を求め、結果を本人に書面で通知する", as_json)


@app.command()
@operated("disclosure extend", "disclosure", "until", "notified_on")
def extend(
    disclosure: Id, until: Until, notified_on: NotifiedOn, reason: Reason, as_json: AsJson = False
) -> None:
    """期限内に本人に通知した延長を記録する（法30条の33第2項、一度だけ）。"""
    at, installation = datetime.now(UTC), Installation.open()
    days = _day(until, "--until", at), _day(notified_on, "--notified-on", at)
    request = disclosure_actions.extend(installation, number_of(disclosure), *days, reason, at)
    _finish(installation, request, "", as_json)


@app.command()
@operated("disclosure close", "disclosure", "decision", "answered_on")
def close(
    disclosure: Id, decision: Ended, reason: Reason, answered_on: AnsweredOn = "", as_json: AsJson = False
) -> None:
    """請求・申出の結果と、本人に答えた日を記録する。開示・不存在は、書面を作った後に限る。"""
    at, installation = datetime.now(UTC), Installation.open()
    day = _day(answered_on, "--answered-on", at)
    request = disclosure_actions.close(installation, number_of(disclosure), decision, day, reason, at)
    _finish(installation, request, "", as_json)


@app.command("list")
def list_disclosures(
    every: Annotated[bool, typer.Option("--all", help="答えたものも示す")] = False,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """請求・申出を新しい順に示す。

    終了コード: 0 期限の近いもの・過ぎたものなし、1 ある、2 誤り。
    """
    installation, today = Installation.open(), civil_date(datetime.now(UTC))
    with open_unit(installation.store_url(IdentityFile.RESIDENT), IdentityFile.RESIDENT, Duty.READER) as unit:
        found = unit.disclosures.listed(limit, only_open=not every)
    codes = [alarm_of(one, today, disclosure_days_of(installation.settings)) for one in found]
    lines = [
        f"{len(found):,} 件",
        *(line for code in dict.fromkeys(codes) if code for line in code_lines(code)),
    ]
    data = {"disclosures": [_described(installation, one, today) for one in found]}
    tables = [Table("開示の請求・訂正の申出", _HEADINGS, list(map(_row, found)))] if found else []
    finish(Result(data, tables, lines, ExitCode.FOUND if any(codes) else ExitCode.OK), as_json=as_json)


@app.command("show")
def show_disclosure(disclosure: Id, as_json: AsJson = False) -> None:
    """一つの請求・申出の日付と状態を示す。誰のものかは示さない。"""
    installation = Installation.open()
    with open_unit(installation.store_url(IdentityFile.RESIDENT), IdentityFile.RESIDENT, Duty.READER) as unit:
        request = unit.disclosures.shown(number_of(disclosure))
    _finish(installation, request, "", as_json)


def _finish(
    installation: Installation, request: Disclosure, next_step: str, as_json: bool,
    person: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    today = civil_date(datetime.now(UTC))
    code = alarm_of(request, today, disclosure_days_of(installation.settings))
    meant = (
        [f"請求した人: {_named(person)}。違うときは、この請求を取り下げとして閉じてください。"]
        if person
        else []
    )
    lines = [*meant, *([next_step] if next_step else []), *(code_lines(code) if code else [])]
    table = Table("開示の請求・訂正の申出", _HEADINGS, [_row(request)])
    data = _described(installation, request, today)
    data |= {"person": {name: person[name] for name in _MEANT}} if person else {}
    finish(Result(data, [table], lines), as_json=as_json)


def _named(person: Mapping[str, str]) -> str:
    """Name whom a request was taken for, as the entry of the search already says that they were shown."""
    said = {**person, "birth_date": birth_date_words(person["birth_date"])}
    return "、".join(said[name] for name in _MEANT)


def _row(one: Disclosure) -> tuple[str, ...]:
    kind = f"{one.kind.japanese}（D{one.follows}）" if one.follows else one.kind.japanese
    ended = one.decision.japanese if one.decision else "未回答"
    return (
        str(one), kind, str(one.received_on), str(one.due_on or "遅滞なく"), str(one.extended_on or "-"),
        shown(one.printed_at), ended, str(one.answered_on or "-"),
    )  # fmt: skip


def _described(installation: Installation, one: Disclosure, today: date) -> dict[str, object]:
    code = alarm_of(one, today, disclosure_days_of(installation.settings))
    return {
        "id": str(one), "kind": one.kind.value, "follows": f"D{one.follows}" if one.follows else None,
        "received_on": str(one.received_on), "due_on": str(one.due_on) if one.due_on else None,
        "extended_on": str(one.extended_on) if one.extended_on else None, "printed_at": iso(one.printed_at),
        "decision": one.decision.value if one.decision else None,
        "answered_on": str(one.answered_on) if one.answered_on else None,
        "alarm": explained(code) if code else None,
    }  # fmt: skip


def _day(text: str, option: str, at: datetime) -> date:
    try:
        return date.fromisoformat(text) if text else civil_date(at)
    except ValueError:
        pass
    raise ConfigurationError(Code.COMMAND_ARGUMENT, option)
