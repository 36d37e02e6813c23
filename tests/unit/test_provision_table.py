"""The decision on a request, cell by cell over every basis, against a second table written from the statute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import islice

import pytest

from config import bases
from config.bases import ordinance_basis
from config.legal_bases import statute
from config.legal_bases.statute import statute_bases
from config.ordinances import OrdinanceBasis
from juki.authority import Asked, Decided, Granted, LegalBasis, NumberUse, Recipient, Refused, decide
from juki.columns import IdentityFile
from juki.reasons import Code
from tests.provision_oracle import PAPER, TODAY, Known, beside_the_statute, disagreements, everybody

BY = Decided("number allowed", TODAY, "番号法9条2項", "総務部長", TODAY)


def _ordinance(code: str, number: str, receiver: str = "都道府県知事") -> LegalBasis:
    kind = "transfer" if receiver == "都道府県知事" else "provide"
    values = {
        "basis": code, "kind": kind, "receiver": receiver, "work": "奨学のための給付金の支給に関する事務",
        "article": "条例2条一号", "files": ["resident", "fuhyo"], "number": number,
        "number_article": "条例3条" if number == "allowed" else None,
        "valid_from": date(2020, 4, 1), "decided_by": "総務部長", "decided_on": date(2020, 3, 1),
    }  # fmt: skip
    return ordinance_basis(OrdinanceBasis.model_validate(values))


ORDINANCES = [
    (_ordinance("jorei-t-1", "undecided"), Known("jorei-t", article="条例2条一号")),
    (_ordinance("jorei-t-2", "never"), Known("jorei-t", article="条例2条一号")),
    (_ordinance("jorei-p-1", "undecided", "公安委員会"), Known("jorei-p", "公安委員会", "条例2条一号")),
    (_ordinance("jorei-p-2", "never", "教育委員会"), Known("jorei-p", "教育委員会", "条例2条一号")),
]


@pytest.mark.parametrize("basis", statute_bases(), ids=lambda basis: basis.code)
def test_every_cell_of_a_basis_of_the_statute_is_as_the_law_says(basis: LegalBasis) -> None:
    """Six recipients × both files × every field, none and all × with the number or not × with consent or not."""
    assert list(islice(disagreements(basis), 3)) == []
    assert list(beside_the_statute(basis)) == []


@pytest.mark.parametrize(("basis", "known"), ORDINANCES, ids=lambda value: getattr(value, "code", ""))
def test_every_cell_of_a_basis_of_an_ordinance_is_as_the_law_says(basis: LegalBasis, known: Known) -> None:
    """An ordinance opens the statute's own door for ordinances, with its article beside, and no other."""
    assert list(islice(disagreements(basis, known), 3)) == []


@pytest.mark.parametrize("code", ["beppyo5-4-3", "beppyo6-3", "beppyo6-6"])
def test_every_cell_with_the_number_decided_is_as_the_law_says(code: str) -> None:
    """A decision of the prefecture opens or closes the number of both files, and changes nothing else."""
    basis = next(one for one in statute_bases() if one.code == code)
    never = basis.with_number_decided(NumberUse.NEVER, replace(BY, what="number never"))
    assert list(islice(disagreements(never), 3)) == []
    allowed = basis.with_number_decided(NumberUse.ALLOWED, BY)
    assert list(islice(disagreements(allowed, number_decided=True), 3)) == []


def test_nobody_of_all_these_gets_what_was_not_registered_for_him() -> None:
    """The register of recipients stands before the law: not among the recipient's bases, no further question."""
    for basis in statute_bases():
        for to in everybody(["another"]):
            for file, article in (
                (IdentityFile.RESIDENT, basis.coverage[0].article),
                (IdentityFile.FUHYO, basis.coverage[1].article),
            ):
                answer = decide(Asked(to.code, basis.code, file, ()), basis, to, TODAY)
                assert answer == Refused(Code.PROVISION_BASIS_NOT_PERMITTED, article)


@pytest.mark.parametrize("day", [date.min, TODAY, date.max])
def test_what_the_statute_gives_no_term_has_none(day: date) -> None:
    """Its text does not say since when an item holds; the table claims nothing it does not know."""
    for basis in statute_bases():
        to = next(one for one in everybody([basis.code]) if isinstance(_asked(basis, one, TODAY), Granted))
        assert isinstance(_asked(basis, to, day), Granted)


def _asked(basis: LegalBasis, to: Recipient, day: date) -> Granted | Refused:
    return decide(Asked(to.code, basis.code, IdentityFile.RESIDENT, (), False, PAPER), basis, to, day)


# -- the data itself is broken, cell by cell --------------------------------------------------------------------

_ROWS = statute._rows("statute.tsv")
_OPENINGS = statute._rows("coverage.tsv")
_GROUPS = sorted({row["group"] for row in _OPENINGS})
_FIELDS = sorted({name for row in _OPENINGS for name in row["fields"].split()})


def _broken_cells(column: str, value: str) -> list[str]:
    """Give what a slip of the hand may make of a cell."""
    if column == "group":
        return [one for one in _GROUPS if one != value]
    if column == "number":
        return [one for one in ("allowed", "never", "undecided", "by_basis", "") if one != value]
    if column in ("valid_from", "valid_to"):
        return ["2026-07-01", "2027-01-01"]
    if column in ("abroad_only", "needs_consent"):
        return ["1" if value == "0" else "0"]
    if column == "file":
        return ["fuhyo" if value == "resident" else "resident"]
    if column == "kind":
        return [one for one in ("transfer", "provide", "jlis", "disclosure") if one != value]
    if column == "fields":
        names = value.split()
        less = [" ".join(one for one in names if one != gone) for gone in names]
        return less + [f"{value} {new}" for new in _FIELDS if new not in names]
    return [f"{value}x", value[:-1]] if value else ["x"]


def _notices(row: dict[str, str]) -> bool:
    """Tell whether reading the row, comparing it with the statute, or the table of cells notices a fault."""
    try:
        basis = statute._basis(row)
    except (KeyError, ValueError):
        return True
    return any(True for _ in beside_the_statute(basis)) or any(True for _ in disagreements(basis))


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row["basis"])
def test_every_broken_cell_of_a_row_of_the_statute_is_noticed(row: dict[str, str]) -> None:
    """No word, receiver, number or day of the 114 bases can be changed without a test that turns red."""
    assert not _notices(row)
    unnoticed = [
        f"{column}: {cell!r}"
        for column, value in row.items()
        for cell in _broken_cells(column, value)
        if not _notices({**row, column: cell})
    ]
    assert unnoticed == []


@pytest.mark.parametrize("place", range(len(_OPENINGS)))
def test_every_broken_cell_of_what_a_group_opens_is_noticed(
    place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each article, field, condition and kind of both files of each group, taken away or added."""
    group = _OPENINGS[place]["group"]
    assert not _group_notices(group, _OPENINGS, monkeypatch)
    unnoticed = []
    for column, value in _OPENINGS[place].items():
        for cell in _broken_cells(column, value):
            rows = [{**row, column: cell} if at == place else row for at, row in enumerate(_OPENINGS)]
            if not _group_notices(group, rows, monkeypatch):
                unnoticed.append(f"{column}: {cell!r}")
    assert unnoticed == []


def _group_notices(group: str, rows: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Tell whether the bases of a group, made of these rows, are otherwise than the law says."""
    with monkeypatch.context() as patch:
        patch.setattr(statute, "_rows", lambda name: rows)
        try:
            opened = statute.openings.__wrapped__()
            for module in (statute, bases):
                patch.setattr(module, "openings", lambda: opened)
            made = list(_bases_of(group))
        except (KeyError, ValueError, IndexError):
            return True
        return any(True for one in made for _ in disagreements(one[0], one[1], number_decided=one[2]))


def _bases_of(group: str) -> Iterator[tuple[LegalBasis, Known | None, bool]]:
    """Make bases of a group: with the number closed and open, for what it says of either counts."""
    if group.startswith("jorei"):
        receiver = "都道府県知事" if group == "jorei-transfer" else "公安委員会"
        known = Known(f"jorei-{group[6]}", receiver, "条例2条一号")
        yield _ordinance("jorei-9", "never", receiver), known, False
        yield _ordinance("jorei-9", "allowed", receiver), known, True
        return
    row = next(row for row in _ROWS if row["group"] == group)
    yield statute._basis({**row, "number": "never"}), None, False
    yield statute._basis({**row, "number": "allowed"}), None, True
