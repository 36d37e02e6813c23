"""The demonstration's chapter on 提供・移転: three requests, a receipt, a re-send, the end of the hold, the proof.

Decides:    who asks for whom, what must be granted, refused and erased, and what of it is told.
Leaves:     the runs to the real flows, opening the answers to `simulator.recipients`.
Invariants: lived through in the days before now, so that nothing in the stores lies in the future. A chapter is ok
            only if every line of every answer is true by the oracle, the refused request got nothing, the re-sent
            package is the same to the byte, nothing was erased a second too early, and nothing is left afterwards.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console

from config.settings import Period, load_settings
from config.stores import admin_url
from juki.columns import IdentityFile
from juki.home import Home
from juki.package_id import PackageId
from juki.packages import sha256_hex
from juki.provision_receipts import ProvisionReceipt, receipt_name
from juki.reasons import Code, known_code
from simulator import pki, recipients
from simulator.exercise import Exercise
from simulator.installation import folder
from simulator.recipients import BOARD, DEPARTMENT, Answer, Person, RecipientOffice
from tasks import clock

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
NUMBER_BASIS = BOARD.bases[0]
"""The basis with which 個人番号 may go along, as the prefecture of the exercise has decided (番号法9条)."""
_DAYS_AGO = timedelta(days=6)
_ABROAD, _NOT_HELD, _RESIDENTS = 6, 2, 5
_NOBODY = "999999999993"
"""A number of the right form that nobody has been given."""
_FIELDS = ("name", "name_kana", "birth_date", "address")


@dataclass(slots=True)
class ProvisionChapter:
    """What `demo-summary.json` says of provision, hold and purge."""

    ok: bool = False
    requests: int = 0
    granted_with_number: dict[str, int] = field(default_factory=dict)
    """Lines by outcome."""
    granted_without_number: dict[str, int] = field(default_factory=dict)
    refused_code: str = ""
    answers_true: bool = False
    numbers_held: int = 0
    journal_entries_of_people: int = 0
    resent_is_the_same: bool = False
    receipt_brought_forward: bool = False
    erased_too_early: bool = True
    erased_in_time: bool = False
    proofs: int = 0
    left_behind: int = -1
    """Rows, keys and copies that are still there after the purge."""
    resend_after_purge: str = ""


def run(now: Exercise, chapter: ProvisionChapter) -> None:
    """Go through the chapter."""
    offices = recipients.build(now.home, pki.build(folder(now.home) / "pki", now.offices))
    recipients.register(now.home, offices.values())
    asked_at = clock.now() - _DAYS_AGO
    recipients.allow_numbers(now.home, [NUMBER_BASIS], clock.civil_date(asked_at))
    board, department = offices[BOARD.code], offices[DEPARTMENT.code]
    abroad, residents = _abroad(now), _residents(now)
    with clock.held_at(asked_at):
        board.ask(abroad, file=FUHYO, at=asked_at, fields=list(_FIELDS), with_number=True)
        department.ask(residents, file=RESIDENT, at=asked_at, fields=list(_FIELDS))
        department.ask(residents[:1], file=RESIDENT, at=asked_at, fields=["name", "resident_code"])
        _provide()
    chapter.requests = 3
    with_number, without = board.answers(by_openssl=True)[-1], department.answers(by_openssl=True)[-1]
    chapter.granted_with_number = _outcomes(with_number)
    chapter.granted_without_number = _outcomes(without)
    chapter.answers_true = _is_true(now, with_number, without, residents)
    ((chapter.refused_code,),) = _ask(
        now.home, RESIDENT, "SELECT code FROM provision WHERE state = 'refused'"
    )
    ((chapter.numbers_held,),) = _ask(now.home, FUHYO, "SELECT count(*) FROM held_number")
    told = "SELECT count(*) FROM journal WHERE action = 'person.provided'"
    chapter.journal_entries_of_people = sum(_ask(now.home, file, told)[0][0] for file in IdentityFile)
    provision = PackageId.parse(with_number.manifest.provision_id)
    _send_again(now, chapter, board, provision, asked_at)
    _let_time_pass(now, chapter, provision, asked_at)
    chapter.ok = _is_ok(chapter)


def tell(console: Console, chapter: ProvisionChapter) -> None:
    """Say in a few lines what the chapter has shown."""
    lines = {
        "found": "該当",
        "number_not_held": "番号の保存なし",
        "not_found": "該当なし",
        "ambiguous": "複数該当",
    }
    with_number = "、".join(f"{lines[name]} {count}" for name, count in chapter.granted_with_number.items())
    without = "、".join(f"{lines[name]} {count}" for name, count in chapter.granted_without_number.items())
    truth = "真の状態と一致" if chapter.answers_true else "真の状態と不一致"
    console.print(f"  国外転出者を個人番号つきで提供（{BOARD.name}）: {with_number}")
    console.print(f"  住民を個人番号なしで移転（{DEPARTMENT.name}）: {without}。答えはすべて{truth}")
    refused = known_code(chapter.refused_code)
    said = refused.message if refused else ""
    console.print(f"  住民票コードを求めた要求は拒否: {chapter.refused_code} {said}")
    same = "同じバイト列" if chapter.resent_is_the_same else "異なるバイト列"
    sooner = "期限が早まり" if chapter.receipt_brought_forward else "期限が変わらず"
    early = "何も消えませんでした" if not chapter.erased_too_early else "消えてしまいました"
    console.print(f"  再送は{same}、受領で一時保存の{sooner}、期限の1秒前の消去では{early}")
    console.print(
        f"  期限に消去: 個人番号 {chapter.numbers_held} 件、証拠 {chapter.proofs} 件。"
        f"残ったもの {chapter.left_behind}、消去後の再送は {chapter.resend_after_purge}"
    )


def _provide() -> None:
    """Run the real flow."""
    from flows.provide import provide

    provide()


def _purge() -> None:
    from flows.purge import purge

    purge()


def _abroad(now: Exercise) -> list[Person]:
    """Describe some who have moved abroad by the four items, most of whom the resident file held once."""
    table = now.world.standing(FUHYO)
    is_abroad = pc.and_(pc.equal(table.column("is_abroad"), "1"), pc.not_equal(table.column("name_kana"), ""))
    people = table.filter(is_abroad)
    once_here = pc.is_in(people.column("resident_code"), value_set=_numbered(now).column("resident_code"))
    chosen = [
        *people.filter(once_here).to_pylist()[:_ABROAD],
        *people.filter(pc.invert(once_here)).to_pylist()[:_NOT_HELD],
    ]
    return [{name: one[name] for name in ("name_kana", "birth_date", "sex") if one[name]} for one in chosen]


def _numbered(now: Exercise) -> pa.Table:
    """Give whom the resident file holds a number of: whoever stands in it, and whoever was erased from it."""
    columns = ["resident_code", "individual_number"]
    held = pa.concat_tables(
        [now.truth.standing(RESIDENT).select(columns), now.truth.erased(RESIDENT).select(columns)]
    )
    return held.filter(pc.not_equal(held.column("individual_number"), ""))


def _residents(now: Exercise) -> list[Person]:
    standing = now.world.standing(RESIDENT)
    numbers = standing.filter(pc.not_equal(standing.column("individual_number"), "")).column(
        "individual_number"
    )
    return [{"individual_number": number} for number in (*numbers.to_pylist()[:_RESIDENTS], _NOBODY)]


def _outcomes(answer: Answer) -> dict[str, int]:
    return dict(Counter(line["outcome"] for line in answer.lines))


def _is_true(now: Exercise, with_number: Answer, without: Answer, residents: list[Person]) -> bool:
    """Hold every line to the oracle: exactly the fields granted, and exactly what is so."""
    by_number = {one["individual_number"]: one for one in now.world.standing(RESIDENT).to_pylist()}
    numbers = dict(zip(*(column.to_pylist() for column in _numbered(now).columns), strict=True))
    abroad = {
        _said(one): numbers.get(one["resident_code"], "")
        for one in now.world.standing(FUHYO).to_pylist() if one["is_abroad"] == "1"
    }  # fmt: skip
    expected = [by_number.get(one["individual_number"]) for one in residents]
    nothing = ("",) * len(_FIELDS)
    plain = all(
        _said(line) == (_said(true) if true else nothing)
        for line, true in zip(without.lines, expected, strict=True)
    )
    numbered = all(
        abroad.get(_said(line)) == line["individual_number"]
        for line in with_number.lines if line["outcome"] in ("found", "number_not_held")
    )  # fmt: skip
    return plain and numbered and "individual_number" not in without.table.column_names


def _said(record: Person) -> tuple[str, ...]:
    return tuple(record[name] for name in _FIELDS)


def _send_again(
    now: Exercise, chapter: ProvisionChapter, board: RecipientOffice, provision: PackageId, asked_at: datetime
) -> None:
    """Lose the package on its way, send it again, and acknowledge it."""
    from tasks.delivering import resend_provision
    from tasks.receipting import take_receipts

    delivered = _package(board, provision)
    first = delivered.read_bytes()
    delivered.unlink()
    before = _due(now.home, provision)
    with clock.held_at(asked_at + timedelta(hours=1)):
        resend_provision.fn(provision)
    chapter.resent_is_the_same = delivered.read_bytes() == first
    at = asked_at + timedelta(hours=2)
    sequence = int(delivered.stem.rsplit("-", 1)[1])
    receipt = ProvisionReceipt(BOARD.code, str(provision), sequence, sha256_hex(first), at)
    with clock.held_at(at):
        board.lay(receipt_name(BOARD.code, provision, sequence), receipt.line())
        take_receipts.fn()
    after_receipt = load_settings(now.home).hours(Period.HOLD_AFTER_RECEIPT)
    chapter.receipt_brought_forward = _due(now.home, provision) == min(before, at + after_receipt)


def _let_time_pass(
    now: Exercise, chapter: ProvisionChapter, provision: PackageId, asked_at: datetime
) -> None:
    """Purge a second before the end and at the end; afterwards nothing may be left, and nothing can be sent again."""
    from tasks.boundary import PipelineError
    from tasks.delivering import resend_provision

    due = _due(now.home, provision)
    with clock.held_at(due - timedelta(seconds=1)):
        _purge()
    chapter.erased_too_early = _left(now.home, provision) == 0
    with clock.held_at(due):
        _purge()
        chapter.erased_in_time = _left(now.home, provision) == 0
        try:
            resend_provision.fn(provision)
        except PipelineError as error:
            chapter.resend_after_purge = error.code.value
    with clock.held_at(asked_at + load_settings(now.home).hours(Period.HOLD)):
        _purge()
    proofs = "SELECT count(*) FROM journal WHERE action = 'hold.purged'"
    chapter.proofs = sum(_ask(now.home, file, proofs)[0][0] for file in IdentityFile)
    chapter.left_behind = sum(_left(now.home, one) for one in _provisions(now.home))


def _is_ok(chapter: ProvisionChapter) -> bool:
    return (
        chapter.answers_true
        and chapter.granted_with_number.get("found") == chapter.numbers_held > 0
        and chapter.granted_without_number == {"found": _RESIDENTS, "not_found": 1}
        and chapter.refused_code == Code.PROVISION_CODE_NOT_GIVEN.value
        and chapter.resent_is_the_same
        and chapter.receipt_brought_forward
        and not chapter.erased_too_early
        and chapter.erased_in_time
        and chapter.left_behind == 0
        and chapter.proofs == chapter.requests - 1
        and chapter.resend_after_purge == Code.PROVISION_PURGED.value
    )


def _package(office: RecipientOffice, provision: PackageId) -> Path:
    """Find the newest package of a file in the folder of a recipient."""
    return max(office.delivery.glob(f"{office.described.code}-{provision.file.value}-provision-*.p7m"))


def _due(home: Home, provision: PackageId) -> datetime:
    query = f"SELECT due_at FROM hold WHERE provision_id = {provision.number}"
    due: datetime = _ask(home, provision.file, query)[0][0]
    return due


def _provisions(home: Home) -> list[PackageId]:
    query = "SELECT provision_id FROM hold"
    return [PackageId(file, number) for file in IdentityFile for (number,) in _ask(home, file, query)]


def _left(home: Home, provision: PackageId) -> int:
    """Count what is kept of a provision: its key, its sealed copy, its numbers."""
    files = [path for place in (home.holds, home.outbox) for path in place.rglob(f"*{provision}.*")]
    held = f"SELECT count(*) FROM held_number WHERE provision_id = {provision.number}"
    return len(files) + (_ask(home, FUHYO, held)[0][0] if provision.file is FUHYO else 0)


def _ask(home: Home, file: IdentityFile, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(admin_url(home, load_settings(home), file)) as connection:
        return connection.execute(query).fetchall()
