"""Where a person acts, and who it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from juki.columns import IdentityFile
from juki.home import Home
from juki.operators import Acting


@dataclass(frozen=True, slots=True)
class Site:
    """One installation and who acts in it; `closed` are the municipalities that are no more."""

    home: Home
    urls: Mapping[IdentityFile, str]
    closed: frozenset[str]
    acting: Acting
