"""The shipped table: every item of 別表第五 and 別表第六, and the other bases of the statute.

Decides:    how the rows of the three data files become bases.
Leaves:     what a prefecture adds and decides to `config.ordinances`, what a basis means to `juki.bases`.
Invariants: the files are part of the program: a row that can not be read is a defect of the build, not of an
            installation. An empty cell is nothing, never a default.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from juki.bases import Coverage, LegalBasis, NumberUse
from juki.columns import IdentityFile
from juki.fields import Field
from juki.recipients import RecipientKind

BY_BASIS = "by_basis"
"""In `coverage.tsv`: the number goes along as the basis says. Anything else must be `never`."""


@dataclass(frozen=True, slots=True)
class TextOfLaw:
    """The text the table was taken from: its word, the law, and a day on which it was in force."""

    version: str
    law: str
    in_force_on: date


@dataclass(frozen=True, slots=True)
class Opening:
    """What a group of bases opens of one file (a row of `coverage.tsv`)."""

    group: str
    file: IdentityFile
    kind: RecipientKind
    article: str
    fields: frozenset[Field]
    follows_basis: bool
    number_article: str
    abroad_only: bool
    needs_consent: bool

    def coverage(self, number: NumberUse) -> Coverage:
        """Say what one basis of the group opens, given what is decided on its number."""
        use = number if self.follows_basis else NumberUse.NEVER
        return Coverage(self.file, self.article, self.fields, use, self.number_article, self.abroad_only)


@cache
def text_of_law() -> TextOfLaw:
    """Read which text the shipped table was taken from."""
    return TextOfLaw(**tomllib.loads(_text("version.toml")))


@cache
def openings() -> dict[str, tuple[Opening, ...]]:
    """Read what each group opens, by group; the two files of a group have one kind and one condition."""
    found: dict[str, tuple[Opening, ...]] = {}
    for row in _rows("coverage.tsv"):
        found[row["group"]] = (*found.get(row["group"], ()), _opening(row))
    for group, parts in found.items():
        if len({(one.kind, one.needs_consent) for one in parts}) > 1:
            raise ValueError(group)
    return found


@cache
def statute_bases() -> tuple[LegalBasis, ...]:
    """Read the bases of the statute, in the order of the file."""
    return tuple(map(_basis, _rows("statute.tsv")))


def _opening(row: Mapping[str, str]) -> Opening:
    if row["number"] not in (BY_BASIS, NumberUse.NEVER.value):
        raise ValueError(row["group"])
    return Opening(
        row["group"],
        IdentityFile(row["file"]),
        RecipientKind(row["kind"]),
        row["article"],
        frozenset(map(Field, row["fields"].split())),
        row["number"] == BY_BASIS,
        row["number_article"],
        _flag(row["abroad_only"]),
        _flag(row["needs_consent"]),
    )


def _basis(row: Mapping[str, str]) -> LegalBasis:
    parts = openings()[row["group"]]
    number = NumberUse(row["number"])
    return LegalBasis(
        code=row["basis"],
        title=f"{row['table']} {row['item']}".strip() or row["work"],
        kind=parts[0].kind,
        receiver=row["receiver"],
        work=row["work"],
        coverage=tuple(one.coverage(number) for one in parts),
        needs_consent=parts[0].needs_consent,
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
    )


def _flag(text: str) -> bool:
    return {"0": False, "1": True}[text]


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _rows(name: str) -> list[dict[str, str]]:
    lines = _text(name).splitlines()
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True))


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")
