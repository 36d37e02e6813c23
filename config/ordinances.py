"""What a prefecture adds to the statute: work its ordinances name, and its own decisions on legal bases.

Decides:    the form of `ordinance_bases.toml` and `basis_decisions.toml`, and that each entry says who decided.
Leaves:     putting them together with the statute to `config.bases`.
Invariants: absent files add nothing. An ordinance can not open what the statute's door does not open; a number
            goes along only by an article that says so, and not before the day somebody decided it.
Source:     法30条の15①二・②二, 30条の44の6①二・②二; 番号法9条①②; docs/formats/recipients.md.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic import Field as Limited

from config.reading import read_toml, validated
from config.recipients import BasisCode, Words
from juki.bases import NumberUse
from juki.columns import IdentityFile
from juki.fields import GRANTABLE, Field
from juki.home import Home

GOVERNOR = "都道府県知事"
_Long = Annotated[str, Limited(min_length=1, max_length=1000, pattern=r"^\S(.*\S)?$")]
_OrdinanceCode = Annotated[str, Limited(pattern=r"^jorei(-[a-z0-9]+)+$", max_length=64)]


def _member(kind: type[Field] | type[IdentityFile] | type[NumberUse]) -> BeforeValidator:
    """Read a word of an enumeration; strict models take no string for one by themselves."""
    return BeforeValidator(lambda value: kind(value) if isinstance(value, str) else value)


_File = Annotated[IdentityFile, _member(IdentityFile)]
_Field = Annotated[Field, _member(Field)]
_Number = Annotated[NumberUse, _member(NumberUse)]


class _Entry(BaseModel):
    """Whatever a person decided: who, and on which day."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    decided_by: Words
    decided_on: date


class OrdinanceBasis(_Entry):
    """Work an ordinance of this prefecture names; dates as in `juki.bases`."""

    basis: _OrdinanceCode
    kind: Literal["transfer", "provide"]
    receiver: Words
    """`都道府県知事` for a transfer, else the 執行機関 the ordinance names."""
    work: _Long
    article: Words
    files: Annotated[list[_File], Limited(min_length=1)]
    fields: list[_Field] | None = None
    """Fields the ordinance opens; all that the statute would let it open when the key is absent."""
    number: _Number = NumberUse.UNDECIDED
    number_article: Words | None = None
    valid_from: date
    valid_to: date | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> OrdinanceBasis:
        is_transfer = self.kind == "transfer"
        if is_transfer != (self.receiver == GOVERNOR):
            raise ValueError("receiver")
        if len(set(self.files)) < len(self.files) or (self.valid_to and self.valid_to < self.valid_from):
            raise ValueError("files, valid_to")
        if (self.number is NumberUse.ALLOWED) != (self.number_article is not None):
            raise ValueError("number_article")
        if self.fields is not None and not set(self.fields) <= {
            one for f in self.files for one in GRANTABLE[f]
        }:
            raise ValueError("fields")
        return self


class NumberDecision(_Entry):
    """Whether the prefecture may use 個人番号 in the work of a basis, by which article, from which day on."""

    basis: BasisCode
    number: Literal["allowed", "never"]
    article: Words
    effective_from: date

    @model_validator(mode="after")
    def _looks_ahead(self) -> NumberDecision:
        if self.effective_from < self.decided_on:
            raise ValueError("effective_from")
        return self


class Withdrawal(_Entry):
    """A basis the prefecture does not use any more, from which day on, and why."""

    basis: BasisCode
    effective_from: date
    reason: Words


class OrdinanceBases(BaseModel):
    """`ordinance_bases.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    basis: list[OrdinanceBasis] = []


class BasisDecisions(BaseModel):
    """`basis_decisions.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    number: list[NumberDecision] = []
    withdrawal: list[Withdrawal] = []


def load_ordinance_bases(home: Home) -> OrdinanceBases:
    """Read the work of ordinances; none when there is no such file.

    Raises: ConfigurationError naming the keys at fault.
    """
    values = read_toml(home.ordinance_bases_file)
    return validated(lambda: OrdinanceBases(**values), home.ordinance_bases_file.name)


def load_basis_decisions(home: Home) -> BasisDecisions:
    """Read the decisions on bases; none when there is no such file.

    Raises: ConfigurationError naming the keys at fault.
    """
    values = read_toml(home.basis_decisions_file)
    return validated(lambda: BasisDecisions(**values), home.basis_decisions_file.name)
