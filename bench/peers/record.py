"""One record as a pydantic model: what row-wise ways validate."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from bench.peers.layout import CODE_WEIGHTS, GAIJI, KINDS, NUMBER_WEIGHTS, PATTERNS, REASONS


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Text = Annotated[str | None, BeforeValidator(_none_if_empty)]
Kana = Annotated[Annotated[str, Field(pattern=PATTERNS["name_kana"])] | None, BeforeValidator(_none_if_empty)]


class Record(BaseModel):
    """The columns of a notice with their rules."""

    notice_no: Annotated[int, Field(ge=1)]
    notified_at: datetime
    kind: Literal[KINDS]  # type: ignore[valid-type]
    reason: Literal[REASONS]  # type: ignore[valid-type]
    event_date: Annotated[date | None, BeforeValidator(_none_if_empty)]
    resident_code: Annotated[str, Field(pattern=PATTERNS["resident_code"])]
    individual_number: Annotated[
        Annotated[str, Field(pattern=PATTERNS["individual_number"])] | None, BeforeValidator(_none_if_empty)
    ]
    name: Text
    name_kana: Kana
    former_name: Text
    former_name_kana: Kana
    alias: Text
    birth_date: Annotated[str, Field(pattern=PATTERNS["birth_date"])]
    sex: Annotated[Literal["1", "2"] | None, BeforeValidator(_none_if_empty)]
    municipality_code: Annotated[str, Field(pattern=PATTERNS["municipality_code"])]
    address: Text
    is_foreign: bool
    name_gaiji: Annotated[int, Field(ge=0, le=999)]
    address_gaiji: Annotated[int, Field(ge=0, le=999)]
    previous_resident_code: Annotated[
        Annotated[str, Field(pattern=PATTERNS["previous_resident_code"])] | None,
        BeforeValidator(_none_if_empty),
    ]
    previous_individual_number: Annotated[
        Annotated[str, Field(pattern=PATTERNS["previous_individual_number"])] | None,
        BeforeValidator(_none_if_empty),
    ]

    @model_validator(mode="after")
    def agrees(self) -> Self:
        """Hold the check digits and the gaiji counts to the other columns."""
        if not _has_right_digit(self.resident_code, CODE_WEIGHTS):
            raise ValueError("resident_code")
        if self.individual_number and not _has_right_digit(self.individual_number, NUMBER_WEIGHTS):
            raise ValueError("individual_number")
        if (self.name or "").count(GAIJI) != self.name_gaiji:
            raise ValueError("name_gaiji")
        if (self.address or "").count(GAIJI) != self.address_gaiji:
            raise ValueError("address_gaiji")
        return self


def _has_right_digit(digits: str, weights: tuple[int, ...]) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))
    return (11 - total % 11) % 11 % 10 == int(digits[-1])
