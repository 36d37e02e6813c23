"""Legal bases as data: what each opens, to whom, from when until when, and what a prefecture decided on it.

Decides:    what a legal basis consists of, how decisions of a prefecture change one, and the version word.
Leaves:     reading files to `config.bases`, the decision on a request to `juki.authority`.
Invariants: a number nobody decided on does not go out; what the statute excludes no decision brings back. Dates
            are civil dates in Japan; `valid_from` is the first day a basis holds, `valid_to` the last (含む),
            `withdrawn_from` the first day it does not hold any more. The version word changes with any of it.
            The statute's text does not say since when each of its items holds: those have no first day.
Source:     法30条の7, 30条の15, 30条の25, 30条の32, 30条の42, 30条の44の6, 30条の44の13; 番号法9条①②; M13.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import date
from enum import StrEnum

from juki.columns import IdentityFile
from juki.fields import Field
from juki.recipients import RecipientKind

DIGEST_LETTERS = 12
"""How much of the SHA-256 of the table stands in the version word: 48 bits tell tables apart, not attackers."""


class NumberUse(StrEnum):
    """Whether 個人番号 may go with what a basis opens; nobody having decided means no."""

    ALLOWED = "allowed"
    NEVER = "never"
    UNDECIDED = "undecided"

    @property
    def japanese(self) -> str:
        """The word on screens and in reports."""
        return {"allowed": "可", "never": "不可", "undecided": "未定（不可）"}[self.value]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a basis opens of one file: by which article, which fields, and whether the number can go along.

    `number_article` is where the law speaks of 個人番号 in this case; `abroad_only` says that the law opens the
    file for 国外転出者 alone, person by person.
    """

    file: IdentityFile
    article: str
    fields: frozenset[Field]
    number: NumberUse
    number_article: str
    abroad_only: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision of the prefecture on one basis: what, from which day on, by which article or for which reason."""

    what: str
    effective_from: date
    ground: str
    decided_by: str
    decided_on: date


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """One legal basis. `version` is the word of the table it was taken from; a grant names it."""

    code: str
    title: str
    kind: RecipientKind
    receiver: str
    work: str
    coverage: tuple[Coverage, ...]
    needs_consent: bool
    valid_from: date | None = None
    valid_to: date | None = None
    number_from: date | None = None
    withdrawn_from: date | None = None
    decisions: tuple[Decided, ...] = ()
    version: str = ""

    def covering(self, file: IdentityFile) -> Coverage | None:
        """Say what the basis opens of a file; None when it does not open it."""
        return next((one for one in self.coverage if one.file is file), None)

    @property
    def files(self) -> tuple[IdentityFile, ...]:
        """The files it opens."""
        return tuple(one.file for one in self.coverage)

    @property
    def is_number_undecided(self) -> bool:
        """Tell whether a decision of the prefecture on the number has a place here."""
        return any(one.number is NumberUse.UNDECIDED for one in self.coverage)

    def may_use_number(self, file: IdentityFile, as_of: date) -> bool:
        """Tell whether 個人番号 may go with what this basis opens of a file on a day."""
        covered = self.covering(file)
        is_allowed = covered is not None and covered.number is NumberUse.ALLOWED
        return is_allowed and (self.number_from is None or self.number_from <= as_of)

    def with_number_decided(self, use: NumberUse, decided: Decided) -> LegalBasis:
        """Put a decision in the place of what was undecided; what the statute says stays."""
        coverage = tuple(
            replace(one, number=use) if one.number is NumberUse.UNDECIDED else one for one in self.coverage
        )
        decisions = (*self.decisions, decided)
        return replace(self, coverage=coverage, number_from=decided.effective_from, decisions=decisions)

    def withdrawn(self, decided: Decided) -> LegalBasis:
        """End the basis with the day before a day; it stays in the table, so that it can be told from none."""
        return replace(self, withdrawn_from=decided.effective_from, decisions=(*self.decisions, decided))


@dataclass(frozen=True, slots=True)
class LegalBases:
    """All bases that are known on this installation, of one version."""

    version: str
    bases: tuple[LegalBasis, ...]

    @classmethod
    def of_table(cls, statute_version: str, bases: Iterable[LegalBasis]) -> LegalBases:
        """Give a table its version word: that of the statute, and a digest of everything in force here."""
        listed = [replace(one, version="") for one in bases]
        version = f"{statute_version}+{table_digest(listed)}"
        return cls(version, tuple(replace(one, version=version) for one in listed))

    def of(self, code: str) -> LegalBasis | None:
        """Return a basis by its code; None when there is none, which `decide` refuses with a code."""
        return next((one for one in self.bases if one.code == code), None)


def table_digest(bases: Sequence[LegalBasis]) -> str:
    """Condense a table: every attribute of every basis in order, separators that occur in no text."""
    text = "\x1e".join("\x1f".join(_words(astuple(one))) for one in bases)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LETTERS]


def _words(value: object) -> list[str]:
    """Write a value and what it holds as words; a set in its order, so that two runs say the same."""
    if isinstance(value, frozenset):
        return ["(", *sorted(map(str, value)), ")"]
    if isinstance(value, tuple):
        return ["(", *(word for part in value for word in _words(part)), ")"]
    return [str(value)]
