"""Who may be given identification information: a body with a name in law, and the bases it was registered for.

Decides:    the kinds of recipients, and what the rules of provision know of one.
Leaves:     certificates, folders and the file of registrations to `config.recipients`, the decision to
            `juki.authority`.
Invariants: a recipient has one kind; what a kind may get is said by the legal bases of that kind only.
Source:     法30条の7, 30条の15, 30条の25, 30条の32, 30条の42, 30条の44の6, 30条の44の13.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

JLIS_CODE = "jlis"
"""The code of 地方公共団体情報システム機構 among the recipients; nobody else may bear it."""


class RecipientKind(StrEnum):
    """By which door identification information leaves; a basis opens one door only."""

    TRANSFER = "transfer"
    PROVIDE = "provide"
    JLIS = "jlis"
    DISCLOSURE = "disclosure"

    @property
    def japanese(self) -> str:
        """The kind on screens and in reports."""
        names = {"transfer": "移転", "provide": "提供", "jlis": "機構への通知", "disclosure": "本人への開示"}
        return names[self.value]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one recipient may ask for in a day before it looks like probing.

    Units: lines of requests; lines that found nobody; lines about the same person. Each is the last that passes.
    """

    daily_lines: int
    daily_misses: int
    daily_same_person: int


@dataclass(frozen=True, slots=True)
class Recipient:
    """One registered recipient as the rules see it.

    `receiver` is the name of the 執行機関 in the words of 別表第六 or of the ordinance for `provide`, the name of
    the department for `transfer`. `bases` are the codes of the bases it was registered for.
    """

    code: str
    name: str
    kind: RecipientKind
    receiver: str
    bases: frozenset[str]
    limits: Limits
