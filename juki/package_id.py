"""The number by which people name a package: `R12` in the resident store, `F12` in the fuhyo store.

Decides:    the one written form, used in every output and taken by every command.
Invariants: each store counts its own packages, so a number without its letter names nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from juki.columns import IdentityFile
from juki.errors import ConfigurationError
from juki.reasons import Code

_LETTERS = {"R": IdentityFile.RESIDENT, "F": IdentityFile.FUHYO}
_FORM = re.compile(r"([RF])([1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True, order=True)
class PackageId:
    """One registered package: which store, and its number there."""

    file: IdentityFile
    number: int

    @classmethod
    def parse(cls, text: str) -> PackageId:
        """Read `R12` or `F12`, the letter in either case.

        Raises: ConfigurationError(PACKAGE_ID_FORM).
        """
        match = _FORM.fullmatch(text.upper())
        if match is None:
            raise ConfigurationError(Code.PACKAGE_ID_FORM)
        return cls(_LETTERS[match[1]], int(match[2]))

    def __str__(self) -> str:
        return f"{self.file.value[0].upper()}{self.number}"
