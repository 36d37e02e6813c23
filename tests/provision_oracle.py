"""Who may get what, written a second time from the statute: the table the decision is compared with.

It knows the law by article, in its own words, and reads neither the data files nor the rules of the product; of
the product it uses the types only, to ask it.

Source: 法30条の7, 30条の15, 30条の25, 30条の32, 30条の41, 30条の42, 30条の44の6, 30条の44の13; 番号法9条①②.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product

from juki.authority import (
    Asked,
    Field,
    Granted,
    LegalBasis,
    Limits,
    Recipient,
    RecipientKind,
    Refused,
    decide,
)
from juki.columns import IdentityFile
from tests.statute import act_tables

TODAY = date(2026, 11, 24)
PAPER = "R8-0007"
EVERYBODY_ELSE = "都道府県知事以外の執行機関"

# 法7条1号〜3号・7号 (and 17条): what stands in each file apart from the two numbers, with our count of 〓 beside it.
COMMON = "name name_kana birth_date sex municipality_code address name_gaiji address_gaiji"
STANDS_IN = {
    "resident": set(f"{COMMON} former_name former_name_kana alias".split()),
    "fuhyo": set(f"{COMMON} is_abroad".split()),
}
NAMES_SOMEBODY = {"name", "name_kana", "former_name", "former_name_kana", "alias", "name_gaiji"}
"""What a statistic has no use for (ADR-0025)."""


@dataclass(frozen=True)
class Door:
    """One way out: by which article of which file, for whom, and what it takes."""

    kind: str
    articles: dict[str, str]
    number_of_fuhyo: bool = True
    consent: bool = False
    names: bool = True
    abroad: bool = True


DOORS = {
    "beppyo5": Door("transfer", {"resident": "法30条の15①一", "fuhyo": "法30条の44の6①一"}),
    "beppyo6": Door("provide", {"resident": "法30条の15②一", "fuhyo": "法30条の44の6②一"}),
    "jorei-t": Door("transfer", {"resident": "法30条の15①二", "fuhyo": "法30条の44の6①二"}),
    "jorei-p": Door("provide", {"resident": "法30条の15②二", "fuhyo": "法30条の44の6②二"}),
    "consent": Door("transfer", {"resident": "法30条の15①三", "fuhyo": "法30条の44の6①三"}, consent=True),
    "statistics": Door("transfer", {"resident": "法30条の15①四", "fuhyo": "法30条の44の6①四"}, names=False),
    "disclosure": Door(
        "disclosure",
        {"resident": "法30条の32①②", "fuhyo": "法30条の44の13において準用する30条の32①②"},
        number_of_fuhyo=False, abroad=False,
    ),
    "jlis": Door(
        "jlis", {"resident": "法30条の7①", "fuhyo": "法30条の42①"}, number_of_fuhyo=False, abroad=False
    ),
}  # fmt: skip

NUMBER_BY_LAW = {"disclosure", "jlis"}
"""Where the statute itself hands the number over; anywhere else somebody must have decided (番号法9条①②)."""
RECEIVERS = {
    "beppyo6-1": EVERYBODY_ELSE, "beppyo6-1-2": "監査委員", "beppyo6-2": "教育委員会", "beppyo6-3": "教育委員会",
    "beppyo6-4": "教育委員会", "beppyo6-5": "教育委員会", "beppyo6-6": EVERYBODY_ELSE,
}  # fmt: skip
FORBIDDEN = {"resident": "法30条の25①", "fuhyo": "法30条の44の13において準用する30条の25①"}
NUMBER_ARTICLES = {
    "transfer": {"resident": "法30条の15①ただし書、番号法9条①②", "fuhyo": "法30条の44の6③、番号法9条①②"},
    "provide": {"resident": "法30条の15②ただし書、番号法9条①②", "fuhyo": "法30条の44の6③、番号法9条①②"},
    "jlis": {"resident": "法30条の7①", "fuhyo": "法30条の41①"},
    "disclosure": {"resident": "法30条の32①", "fuhyo": "法30条の41①"},
}


@dataclass(frozen=True)
class Known:
    """What a test says of a basis of an ordinance, which the statute can not know."""

    door: str
    receiver: str = "都道府県知事"
    article: str = ""


def door_of(code: str) -> Door:
    """Find the way out a basis of the statute leads to, by the name of its table."""
    return DOORS[code.split("-")[0]]


@dataclass(frozen=True)
class Case:
    """What the law is asked: a file, its fields, with the number or not, with a paper of consent or not."""

    file: str
    fields: frozenset[str]
    number: bool
    paper: bool


def expected(
    code: str, to: Recipient, case: Case, known: Known | None, number_decided: bool | None
) -> tuple[str, str, bool]:
    """Say what the law says: (`granted` or a code, the article, whether for people abroad only)."""
    door = DOORS[known.door] if known else door_of(code)
    receiver = known.receiver if known else RECEIVERS.get(code, "")
    file, fields = case.file, case.fields
    article = door.articles[file] + (f"、{known.article}" if known else "")
    if door.kind != to.kind.value:
        return "provision.recipient_kind", article, False
    if door.kind == "provide" and receiver not in (EVERYBODY_ELSE, to.receiver):
        return "provision.receiver_differs", article, False
    if door.consent and not case.paper:
        return "provision.consent_missing", article, False
    if fields - STANDS_IN[file] or (not door.names and fields & NAMES_SOMEBODY):
        return "provision.field_beyond_basis", article, False
    may = code in NUMBER_BY_LAW if number_decided is None else number_decided
    if case.number and not (may and (file == "resident" or door.number_of_fuhyo)):
        return "provision.number_not_allowed", NUMBER_ARTICLES[door.kind][file], False
    return "granted", article, file == "fuhyo" and door.abroad


def everybody(bases: Iterable[str]) -> list[Recipient]:
    """One recipient of every kind, and three bodies of the kind that is told apart by name; all bases permitted."""
    permitted, limits = frozenset(bases), Limits(1, 1, 1)
    who = [
        ("zeimu", RecipientKind.TRANSFER, "総務部税務課"), ("kyoiku", RecipientKind.PROVIDE, "教育委員会"),
        ("kansa", RecipientKind.PROVIDE, "監査委員"), ("koan", RecipientKind.PROVIDE, "公安委員会"),
        ("madoguchi", RecipientKind.DISCLOSURE, "本人"),
        ("jlis", RecipientKind.JLIS, "地方公共団体情報システム機構"),
    ]  # fmt: skip
    return [Recipient(code, code, kind, receiver, permitted, limits) for code, kind, receiver in who]


def questions() -> list[tuple[Field, ...]]:
    """Every field alone, none, and all that stand in each file."""
    whole = [tuple(f for f in Field if f.value in STANDS_IN[file.value]) for file in IdentityFile]
    return [(), *((field,) for field in Field), *whole]


def disagreements(
    basis: LegalBasis, known: Known | None = None, *, number_decided: bool | None = None
) -> Iterator[str]:
    """List the cells in which the decision says other than the law, on one basis; none when they agree."""
    cells = product(
        everybody([basis.code]), IdentityFile, questions(), (False, True), (None, "同意書7号", PAPER)
    )
    for to, file, fields, number, paper in cells:
        asked = Asked(to.code, basis.code, file, fields, number, paper)
        case = Case(file.value, frozenset(field.value for field in fields), number, paper == PAPER)
        law = expected(basis.code, to, case, known, number_decided)
        said = _said(decide(asked, basis, to, TODAY), asked, basis)
        if said != law:
            yield f"{to.code} {asked}: {said} ≠ {law}"


def _said(answer: Granted | Refused, asked: Asked, basis: LegalBasis) -> tuple[str, str, bool]:
    if isinstance(answer, Refused):
        return answer.code.value, answer.article, False
    whole = (answer.fields, answer.with_number, answer.file, answer.basis, answer.version)
    assert whole == (asked.fields, asked.with_number, asked.file, asked.basis, basis.version)
    return "granted", answer.article, answer.abroad_only


def beside_the_statute(basis: LegalBasis) -> Iterator[str]:
    """List in what a basis is not the statute's: its words, its receiver, its terms."""
    items = {item.code: item for item in act_tables()}
    others = {
        "consent": "本人確認情報又は附票本人確認情報の利用につき本人が同意した事務", "statistics": "統計資料の作成",
        "disclosure": "自己に係る本人確認情報又は附票本人確認情報の開示",
        "jlis": "本人確認情報又は附票本人確認情報の通知",
    }  # fmt: skip
    to = {"disclosure": "本人", "jlis": "地方公共団体情報システム機構"}
    if basis.code in items:
        item = items[basis.code]
        words = (f"{item.table} {item.item}", item.receiver, item.work)
    elif basis.code in others:
        words = (others[basis.code], to.get(basis.code, "都道府県知事"), others[basis.code])
    else:
        yield "no such basis"
        return
    if (basis.title, basis.receiver, basis.work) != words:
        yield "other words"
    terms = (basis.valid_from, basis.valid_to, basis.number_from, basis.withdrawn_from, basis.decisions)
    if terms != (None, None, None, None, ()):
        yield "a term"
    undecided = basis.code in items
    if basis.is_number_undecided != undecided:
        yield "decided by nobody"
