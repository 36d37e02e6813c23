"""The document a person is given of their own record (法30条の32第2項): what stands on it.

Decides:    its words, its tables, and how an entry of the operation log or an update told to 機構 reads on it.
Leaves:     the record and the log to whoever reads them, what counts as given to `juki.became`, the page to
            `juki.printing`.
Invariants: 個人番号 and 住民票コード are shown: both are items of 本人確認情報 (法30条の6第1項) and the person's own.
            Nobody else's are in it. That nothing is held is said in so many words (法30条の32第1項括弧書). What was
            sealed for somebody and never left is not said to have been given.
Source:     法30条の32, 30条の44の13; ADR-0037.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from juki.became import GIVEN, UNKNOWN, Became
from juki.columns import IdentityFile
from juki.dates import JAPAN
from juki.journal import Action
from juki.printing.paper import Grid, Paper

_ITEMS = ("項目", "内容")
_ITEM_WIDTHS = (1, 3)
_ACCESS_HEADS = ("日時", "取扱い", "相手方・取扱者", "根拠・目的", "個人番号")
_ACCESS_WIDTHS = (22, 14, 19, 32, 13)
ACCESSES = "提供・閲覧の記録"
_DEEDS = {
    Action.PERSON_PROVIDED.value: GIVEN, Action.PERSON_VIEWED.value: "閲覧",
    Action.PERSON_LISTED.value: "検索結果に表示", Action.PERSON_DISCLOSED.value: "本人への開示",
    Action.DISCLOSURE_RECEIVED.value: "請求・申出の受付", Action.LOG_SEARCHED.value: "操作ログの調査",
}  # fmt: skip
_FIRST_OF_REIWA, _BEFORE_REIWA = date(2019, 5, 1), 2018
_OUR_OWN = "操作者"
_TOLD = "変更の通知"
_JLIS = "地方公共団体情報システム機構"
_TOLD_BY = {
    IdentityFile.RESIDENT: "住民基本台帳法第30条の7", IdentityFile.FUHYO: "住民基本台帳法第30条の42",
}  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class HeldVersion:
    """One version of a record in words, and since when another stands in its place, if so."""

    rows: Sequence[tuple[str, str]]
    superseded_on: date | None


@dataclass(frozen=True, slots=True, repr=False)
class HeldRecord:
    """What one file holds of a person, the newest first, and what the log says of it, the newest first."""

    file: IdentityFile
    versions: Sequence[HeldVersion]
    accesses: Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Names:
    """What codes in the log are called on paper: recipients, legal bases."""

    recipients: Mapping[str, str]
    bases: Mapping[str, str]


def disclosure_paper(
    reference: str, issuer: str, received_on: date, today: date, records: Sequence[HeldRecord]
) -> Paper:
    """Lay the document out."""
    held = [record for record in records if record.versions]
    said = _said(received_on, held)
    grids = [grid for record in held for grid in _grids(record)]
    accesses = sorted((row for record in records for row in record.accesses), reverse=True)
    if held:
        grids.append(Grid(ACCESSES, _ACCESS_WIDTHS, _ACCESS_HEADS, accesses))
    notes = (
        "この書面の内容の訂正、追加又は削除は、書面により申し出ることができます（住民基本台帳法第30条の35）。",
        "提供・閲覧の記録は、操作ログに残る、この書面を作る前までのものです。",
    )
    return Paper(
        "本人確認情報等開示書" if held else "本人確認情報等不存在通知書", reference, era_date(today), issuer, said,
        grids, notes if held else (),
    )  # fmt: skip


def access_row(
    entry: Mapping[str, Any], names: Names, became: Mapping[str, Became]
) -> tuple[str, ...] | None:
    """Write an entry about a person as a line of the document; None for one that tells of no access.

    The entry of a provision is as old as its seal: `became` says by its number whether it left, and when.
    """
    deed = _DEEDS.get(entry["action"])
    if deed is None or entry["outcome"] != "done":
        return None
    at = datetime.fromisoformat(entry["recorded_at"])
    if entry["action"] == Action.PERSON_PROVIDED.value:
        known = became.get(entry["provision"])
        deed, at = (known.words, known.delivered_at or at) if known else (UNKNOWN, at)
    recipient = entry.get("recipient", "")
    whom = names.recipients.get(recipient, recipient) or _actor(entry["actor"])
    basis = names.bases.get(entry["basis"], entry["basis"])
    return _row(at, deed, whom, basis, has_number=entry["number_accessed"])


def told_row(file: IdentityFile, at: datetime, *, has_number: bool) -> tuple[str, ...]:
    """Write an update of the record that 機構 was told of, as every update is, as a line of the document."""
    return _row(at, _TOLD, _JLIS, _TOLD_BY[file], has_number=has_number)


def era_date(day: date) -> str:
    """Write a day with its era, as official documents do; before 令和 with its year alone."""
    if day < _FIRST_OF_REIWA:
        return f"{day.year}年{day.month}月{day.day}日"
    year = day.year - _BEFORE_REIWA
    return f"令和{year if year > 1 else '元'}年{day.month}月{day.day}日"


def _said(received_on: date, held: Sequence[HeldRecord]) -> tuple[str, ...]:
    asked = f"{era_date(received_on)}に受理した請求について、"
    law = "住民基本台帳法第30条の32第2項（第30条の44の13において準用する場合を含む。）の規定により、"
    if not held:
        return (
            f"{asked}{law}次のとおり通知します。",
            "請求された本人確認情報及び附票本人確認情報は、保存していません。",
        )
    files = "及び".join(record.file.japanese for record in held)
    missing = [file.japanese for file in IdentityFile if file not in {record.file for record in held}]
    more = (f"{'及び'.join(missing)}は、保存していません。",) if missing else ()
    return (f"{asked}{law}保存している{files}を次のとおり開示します。", *more)


def _grids(record: HeldRecord) -> list[Grid]:
    name = record.file.japanese
    grids = []
    for place, version in enumerate(record.versions):
        until = f"（{era_date(version.superseded_on)}まで）" if version.superseded_on else ""
        title = f"{name}　以前の記録 {place}{until}" if place else f"{name}　現在の記録"
        grids.append(Grid(title, _ITEM_WIDTHS, _ITEMS, version.rows))
    return grids


def _row(at: datetime, deed: str, whom: str, basis: str, *, has_number: bool) -> tuple[str, ...]:
    shown = f"{at.astimezone(JAPAN):%Y-%m-%d %H:%M}"
    return (shown, deed, whom, basis, "取扱いあり" if has_number else "なし")


def _actor(actor: str) -> str:
    """Name who handled it at our side; a run is nobody's hand."""
    kind, _, word = actor.partition(":")
    return f"本県の{_OUR_OWN} {word}" if kind in ("operator", "local-administrator") else "自動処理"
