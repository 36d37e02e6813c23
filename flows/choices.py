"""What the run form of the Prefect UI offers, in Japanese.

Decides:    the words of each choice, and what of the core each stands for.
Invariants: a choice is a member of an enumeration, so that anything else is refused before a run begins; what
            Prefect stores of it is the word that was chosen, never a personal value.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from config.places import municipalities_of, municipality_name
from config.settings import home_of, load_settings
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
