"""What the run form of the Prefect UI offers, in Japanese.

Decides:    the words of each choice, and what of the core each stands for.
Invariants: a choice is a member of an enumeration, so that anything else is refused before a run begins; what
            Prefect stores of it is the word that was chosen, never a personal value.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

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


def titled(title: str, **said: str) -> dict[str, Any]:
    """Say over which words a parameter stands in the run form; its own title Prefect takes from the code."""
    return {"title": title, **said}


Assertion = Annotated[
    str,
    Field(max_length=MAX_TOKEN_BYTES, json_schema_extra=titled("操作者の認証結果", format="password")),
]
"""What a vein gateway attests. Used up before the run does anything: what Prefect keeps of it is worthless."""
_NUMBER = r"[RF][1-9][0-9]{0,17}"
NUMBER, NUMBERS = rf"^{_NUMBER}$", rf"^{_NUMBER}( {_NUMBER})*$"
"""A number of ours as screens and commands show it, and several of them."""

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


Municipality = Annotated[MunicipalityChoice, Field(json_schema_extra=titled("市町村"))]
Municipalities = Annotated[tuple[MunicipalityChoice, ...], Field(json_schema_extra=titled("市町村"))]
File = Annotated[FileChoice, Field(json_schema_extra=titled("ファイル"))]
Files = Annotated[tuple[FileChoice, ...], Field(json_schema_extra=titled("ファイル"))]


def channel_of(municipality: MunicipalityChoice, file: FileChoice) -> Channel:
    """Say which channel was chosen."""
    return Channel(code_of(municipality), IdentityFile[file.name])


def code_of(municipality: MunicipalityChoice) -> str:
    """Say which municipality was chosen."""
    return municipality.name.removeprefix("M")


def municipalities_chosen(codes: Iterable[str]) -> tuple[MunicipalityChoice, ...]:
    """Say what has to be chosen for municipalities; KeyError for one of another prefecture."""
    return tuple(MunicipalityChoice[f"M{code}"] for code in codes)


def files_chosen(files: Iterable[IdentityFile]) -> tuple[FileChoice, ...]:
    """Say what has to be chosen for files."""
    return tuple(FileChoice[file.name] for file in files)


def choices_of(channel: Channel) -> tuple[MunicipalityChoice, FileChoice]:
    """Say what has to be chosen for a channel; KeyError for a municipality of another prefecture."""
    return MunicipalityChoice[f"M{channel.municipality_code}"], FileChoice[channel.file.name]
