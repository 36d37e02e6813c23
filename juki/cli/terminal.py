"""How tables look on a terminal: every value whole, whatever the width.

Decides:    which columns may break over lines, what stands to the right, and what happens when a table is wider
            than the terminal: then every row becomes a list of its own.
Invariants: nothing is cut off or abbreviated, since what is shown is copied and read out on the telephone. No
            lines are drawn: their characters are one or two cells wide as the terminal pleases.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from juki.cli.output import Table

_NUMBER = re.compile(r"[0-9,]*|-")


@dataclass(frozen=True, slots=True)
class _Room:
    """How closely a table is set: between columns, and from which width on a cell may go on in the next line."""

    gap_cells: int
    prose_cells: int
    breaks_at_spaces: bool


_ROOMS = (_Room(2, 30, False), _Room(1, 30, False), _Room(1, 30, True), _Room(1, 16, True))
"""The first in which a table fits the terminal is taken."""
_LEAST_PROSE_CELLS = 12


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of a table: how it is set follows from what is in it."""

    heading: str
    cells: Sequence[str]
    is_breakable: bool

    @property
    def is_number(self) -> bool:
        return any(self.cells) and all(_NUMBER.fullmatch(cell) for cell in self.cells)

    def may_go_on(self, room: _Room) -> bool:
        """Tell whether a cell may go on in the next line."""
        return (self.is_breakable and room.breaks_at_spaces) or _widest(self.cells) > room.prose_cells

    def least_cells(self, room: _Room) -> int:
        """Tell how narrow it may become."""
        cells = [part for cell in self.cells for part in cell.split()] if self.is_breakable else self.cells
        widest = _widest(cells if room.breaks_at_spaces else self.cells)
        least = min(widest, _LEAST_PROSE_CELLS) if widest > room.prose_cells else widest
        return max(_widest(self.heading.split("\n")), least)


def print_table(console: Console, table: Table) -> None:
    """Print a table with its title, and an empty line after it."""
    print_line(console, table.title, style="bold")
    by_column = zip(*table.rows, strict=True) if table.rows else [()] * len(table.headings)
    columns = [
        _Column(heading, cells, heading in table.breakable)
        for heading, cells in zip(table.headings, by_column, strict=True)
    ]
    room = next((room for room in _ROOMS if _least_cells(columns, room) <= console.width), None)
    if room is not None:
        console.print(_side_by_side(columns, table.rows, room))
        console.print()
        return
    for row in table.rows:
        console.print(_one_below_the_other(table.flat_headings, row))
        console.print()


def _least_cells(columns: Sequence[_Column], room: _Room) -> int:
    return sum(column.least_cells(room) for column in columns) + room.gap_cells * (len(columns) - 1)


def _widest(texts: Sequence[str]) -> int:
    return max(map(cell_len, texts), default=0)


def print_line(console: Console, line: str, style: str = "") -> None:
    """Print a line as it is: square brackets are no markup, and the terminal breaks what is too long."""
    console.print(Text(line, style=style), soft_wrap=True)


def _side_by_side(columns: Sequence[_Column], rows: Sequence[Sequence[str]], room: _Room) -> RichTable:
    drawn = RichTable(box=None, padding=(0, room.gap_cells, 0, 0), pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(
            Text(column.heading),
            justify="right" if column.is_number else "left",
            no_wrap=not column.may_go_on(room),
            overflow="fold",
            min_width=column.least_cells(room),
        )
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    return drawn


def _one_below_the_other(headings: Sequence[str], row: Sequence[str]) -> RichTable:
    drawn = RichTable(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    drawn.add_column(no_wrap=True, style="bold")
    drawn.add_column(overflow="fold")
    for heading, cell in zip(headings, row, strict=True):
        drawn.add_row(Text(heading), Text(cell))
    return drawn
