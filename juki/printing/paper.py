"""A document for a person (帳票) as data: what stands on it, whatever it is printed by.

Decides:    the parts such a document has.
Leaves:     how it looks to `juki.printing.html_form` and `juki.printing.pdf_form`.
Invariants: everything is text as it is printed; nothing is computed or cut in a form.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Grid:
    """A ruled table: `widths` are shares of the line, `headings` may be none."""

    title: str
    widths: Sequence[int]
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, repr=False)
class Paper:
    """One document: who issues it when, what it says before its tables, the tables, and notes after them."""

    title: str
    reference: str
    issued: str
    issuer: str
    lines: Sequence[str]
    grids: Sequence[Grid]
    notes: Sequence[str]

    def parts(self) -> Iterator[tuple[str, str]]:
        """List all text with the name of the place it stands in, which tells nothing of a person."""
        for text in (self.title, self.reference, self.issued, self.issuer, *self.lines, *self.notes):
            yield self.title, text
        for grid in self.grids:
            yield grid.title, grid.title
            for heading in grid.headings:
                yield grid.title, heading
            for row in grid.rows:
                yield from (
                    (row[0] if len(row) == len(("項目", "内容")) else grid.title, cell) for cell in row
                )
