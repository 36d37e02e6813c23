"""`juki person`: look for people and at one person, at the counter, for a stated purpose.

Decides:    what is shown of whom: of those found what tells them apart, of one person every version.
Leaves:     caps, masking and what is logged to `juki.cli.person_actions`.
Invariants: who is sought is in no argument; 個人番号 is shown only where it was asked for on a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from config.places import municipality_name
from juki.cli.acting import operated
from juki.cli.installation import Installation, iso, shown
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.person_actions import Hits, Seen, asked_for, find, show
from juki.cli.person_document import PersonDocument
from juki.columns import BY_NAME, RECORD_COLUMNS, IdentityFile
from juki.record_words import NUMBER_COLUMN, birth_date_words, record_rows, value_words
from juki.store.person_records import Version

app = typer.Typer(
    help="人を探す・一人の現在の記録と履歴を見る（目的とともに操作ログに残る）", no_args_is_help=True,
    add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip

MASKED, NONE = "（保有・非表示）", "（なし）"
_HITS = ("name", "name_kana", "birth_date", "sex", "address")
_EVENT = ("kind", "reason", "event_date")

Source = Annotated[
    PersonDocument,
    typer.Argument(
        metavar="FILE|-",
        parser=PersonDocument,
        help="誰を探すか（juki-person/1）。自分だけが読めるファイルか標準入力（-）",
    ),
]
Purpose = Annotated[str, typer.Option("--purpose", metavar="TEXT", help="目的と事案（操作ログに残る）")]
File = Annotated[IdentityFile, typer.Option("--file", help="resident 本人確認情報 / fuhyo 附票本人確認情報")]
WithNumber = Annotated[
    str,
    typer.Option(
        "--with-number",
        metavar="BASIS",
        help="個人番号も示す。その根拠（提供担当と管理者だけ、操作ログに残る）",
    ),
]


@app.callback()
def _root() -> None:
    """Keep `person` a group of commands."""


@app.command("find")
@operated("person find", "source", "file", "purpose")
def find_people(
    source: Source, purpose: Purpose, file: File = IdentityFile.RESIDENT, as_json: AsJson = False
) -> None:
    """住民票コード・個人番号・四情報のいずれかで人を探し、該当者を順に示す。

    終了コード: 0 該当者がいる、1 いない、2 誤り。
    """
    installation = Installation.open()
    hits = find(installation, asked_for(source, file, purpose), datetime.now(UTC))
    finish(_found(file, hits), as_json=as_json)


@app.command("show")
@operated("person show", "source", "file", "purpose", "with_number")
def show_person(
    source: Source, purpose: Purpose, file: File = IdentityFile.RESIDENT, with_number: WithNumber = "",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """一人の現在の記録と、異動ごとの以前の記録を示す。該当者が複数なら、文書の position で選ぶ。

    終了コード: 0 示した、2 該当者がいない・一人に決まらない・誤り。
    """
    installation = Installation.open()
    asked = asked_for(source, file, purpose, with_number or None)
    finish(_shown(file, show(installation, asked, datetime.now(UTC))), as_json=as_json)


def _found(file: IdentityFile, hits: Hits) -> Result:
    heads = ("順", *(BY_NAME[name].japanese for name in _HITS), "市区町村", "状態")
    rows = [(str(place), *_hit(one)) for place, one in enumerate(hits.shown, 1)]
    lines = [f"{hits.total:,} 人が該当しました。" if hits.total else "該当する人はいません。"]
    if hits.total > len(hits.shown):
        lines.append(f"はじめの {len(hits.shown)} 人だけを示しています。条件を加えて探し直してください。")
    if hits.total > 1:
        lines.append('一人を見るには: 同じ文書に "position": 順 を加えて juki person show')
    data = {
        "file": file.value,
        "total": hits.total,
        "people": [_hit_data(n, one) for n, one in enumerate(hits.shown, 1)],
    }
    tables = [Table(f"{file.japanese}の該当者", heads, rows)] if rows else []
    return Result(data, tables, lines, ExitCode.OK if rows else ExitCode.FOUND)


def _hit(one: Mapping[str, str]) -> tuple[str, ...]:
    words = [value_words(name, one[name]) for name in _HITS]
    return (*words, municipality_name(one["municipality_code"]), _state(one["kind"]))


def _hit_data(position: int, one: Mapping[str, str]) -> dict[str, object]:
    named = {name: one[name] for name in (*_HITS, "municipality_code")}
    return {"position": position, **named, "is_erased": one["kind"] == "deletion"}


def _shown(file: IdentityFile, seen: Seen) -> Result:
    current, number = seen.versions[0], _number_words(seen.numbers[0])
    rows = [*record_rows(file, current.values, number), *_event_rows(current)]
    tables = [
        Table(f"{file.japanese}の現在の記録（{_state(current.values['kind'])}）", ("項目", "内容"), rows),
        Table("以前の記録（新しい順）", _history_headings(file), [
            _history_row(file, version, held)
            for version, held in zip(seen.versions[1:], seen.numbers[1:], strict=True)
        ]),
    ]  # fmt: skip
    lines = [f"以前の記録 {len(seen.versions) - 1:,} 件"]
    versions = zip(seen.versions, seen.numbers, strict=True)
    data = {"file": file.value, "versions": [_version_data(file, one, held) for one, held in versions]}
    return Result(data, tables if len(seen.versions) > 1 else tables[:1], lines)


def _event_rows(version: Version) -> list[tuple[str, str]]:
    said = [
        (BY_NAME[name].japanese, _event_words(version, name)) for name in _EVENT if name in version.values
    ]
    return [*said, ("通知", _notice(version)), ("受信日", str(version.values["received_on"]))]


def _history_headings(file: IdentityFile) -> tuple[str, ...]:
    events = [name for name in _EVENT if name == "kind" or name != "reason" or file is IdentityFile.RESIDENT]
    names = (*events, "name", "birth_date", "sex", "address")
    number = (BY_NAME[NUMBER_COLUMN].japanese,) if file is IdentityFile.RESIDENT else ()
    return (*(BY_NAME[name].japanese for name in names), *number, "通知", "受信日", "置換日")


def _history_row(file: IdentityFile, version: Version, held: str | None) -> tuple[str, ...]:
    events = [_event_words(version, name) for name in _EVENT if name in version.values]
    words = [value_words(name, version.values[name]) for name in ("name", "birth_date", "sex", "address")]
    number = (_number_words(held),) if file is IdentityFile.RESIDENT else ()
    days = (str(version.values["received_on"]), str(version.superseded_on))
    return (*events, *words, *number, _notice(version), *days)


def _event_words(version: Version, name: str) -> str:
    return value_words(name, version.values[name]) or "-"


def _notice(version: Version) -> str:
    values = version.values
    repair = "（修復）" if values["repair_no"] else ""
    sender = municipality_name(values["sender_code"])
    return f"{sender} {values['notice_no']:,} {shown(values['notified_at'])}{repair}"


def _number_words(held: str | None) -> str:
    return MASKED if held is None else held or NONE


def _state(kind: str) -> str:
    return "消除" if kind == "deletion" else "記載中"


def _version_data(file: IdentityFile, version: Version, held: str | None) -> dict[str, Any]:
    values, names = version.values, [name for name in RECORD_COLUMNS[file] if name != NUMBER_COLUMN]
    data: dict[str, Any] = {name: values[name] for name in names}
    if file is IdentityFile.RESIDENT:
        data |= {"has_number": held != "", NUMBER_COLUMN: held or None}
    day = values["event_date"]
    return data | {
        "birth_date_words": birth_date_words(values["birth_date"]),
        "kind": values["kind"], "reason": values.get("reason"), "event_date": str(day) if day else None,
        "sender_code": values["sender_code"], "notice_no": values["notice_no"],
        "is_repair": bool(values["repair_no"]), "notified_at": iso(values["notified_at"]),
        "received_on": str(values["received_on"]),
        "superseded_on": str(version.superseded_on) if version.superseded_on else None,
    }  # fmt: skip
