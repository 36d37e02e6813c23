"""What the run form of the Prefect UI offers, in Japanese.

Decides:    the words of each choice, and what of the core each stands for.
Invariants: a choice is a member of an enumeration, so that anything else is refused before a run begins; what
            Prefect stores of it is the word that was chosen, never a personal value.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from config.places import municipalities_of, municipality_name
from config.settings import home_of, load_settings
from juki.assertions import MAX_TOKEN_BYTES
from juki.columns import IdentityFile
from juki.differences import Mode
from juki.order import Channel


class FileChoice(Enum):
    """Which of the two files."""

    RESIDENT = IdentityFile.RESIDENT.japanese
    FUHYO = IdentityFile.FUHYO.japanese


class ModeChoice(Enum):
    """How far a reconciliation goes."""

    REPORT = Mode.REPORT.japanese
    PROPOSE = Mode.PROPOSE.japanese
    REPAIR = Mode.REPAIR.japanese


class ReleaseReason(Enum):
    """Why a package is put aside; free words could name somebody, and Prefect would keep them."""

    RESENT = "市町村に確認し、正しいものの再送を受けるため"
    WRONG_NUMBER = "市町村に確認し、連番の誤りと分かったため"
    NOT_OURS = "市町村に確認し、他に宛てたものと分かったため"
    CLOSED = "廃止された市町村のものであるため"


Assertion = Annotated[
    str,
    Field(max_length=MAX_TOKEN_BYTES, json_schema_extra={"format": "password"}),
]
"""What a vein gateway attests. Used up before the run does anything: what Prefect keeps of it is worthless."""
Number = Annotated[str, Field(pattern=r"^[RF][1-9][0-9]{0,17}$")]
Numbers = Annotated[str, Field(pattern=r"^[RF][1-9][0-9]{0,17}( [RF][1-9][0-9]{0,17})*$", max_length=4000)]

if TYPE_CHECKING:

    class MunicipalityChoice(Enum):
        """Which municipality of the prefecture of this installation."""

else:
    MunicipalityChoice = Enum(
        "MunicipalityChoice",
        {
            f"M{code}": f"{code} {municipality_name(code)}"
            for code in municipalities_of(load_settings(home_of()).prefecture_code)
        },
        module=__name__,
    )
    MunicipalityChoice.__doc__ = """Which municipality of the prefecture of this installation."""


def channel_of(municipality: MunicipalityChoice, file: FileChoice) -> Channel:
    """Say which channel was chosen."""
    return Channel(municipality.name.removeprefix("M"), IdentityFile[file.name])


def choices_of(channel: Channel) -> tuple[MunicipalityChoice, FileChoice]:
    """Say what has to be chosen for a channel; KeyError for a municipality of another prefecture."""
    return MunicipalityChoice[f"M{channel.municipality_code}"], FileChoice[channel.file.name]
