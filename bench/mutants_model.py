"""What a mutant is: one thing broken in the loaded product, and where to look for a test that notices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the product as a running program knows it: its file and its qualified name."""

    file: str
    name: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change to the product; `apply` makes it in a process that is thrown away afterwards.

    `name` says what is broken and stays the same while the lines around it move. `function` is what a test must
    call to see it; without one, every test that calls anything in `files` may.
    """

    group: str
    name: str
    apply: Callable[[], None] = field(repr=False)
    function: Function | None = None
    files: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """Name the mutant in the list of explained survivors."""
        return f"{self.group} | {self.name}"
