"""What every command prints: tables on a terminal, plain lines in a pipe, one JSON object on request.

Decides:    the exit codes, the three forms of a result, and how an error looks.
Leaves:     what a result says to the command, how a table is drawn to `juki.cli.terminal`.
Invariants: an error shows a code, its sentence, where, and the next step; never a traceback, which could hold
            a personal value. JSON goes to standard output, errors for people to standard error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Annotated, NoReturn

import typer

from juki.errors import JukiError

JSON_OPTION = "--json"
AsJson = Annotated[bool, typer.Option(JSON_OPTION, help="結果を JSON で出力する")]
"""The option every command takes."""


class ExitCode(IntEnum):
    """What a caller learns without reading: all well, something found, could not be done."""

    OK = 0
    FOUND = 1
    ERROR = 2


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people: a title, column headings (a line break may stand in one), rows of text."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    breakable: Sequence[str] = ()
    """Headings of columns whose cells may go on in the next line at a space, where there is little room."""

    @property
    def flat_headings(self) -> list[str]:
        """The headings, each in one line."""
        return [heading.replace("\n", "") for heading in self.headings]


@dataclass(frozen=True, slots=True)
class Result:
    """What a command found: `data` for programs, tables and then lines for people, and the exit code."""

    data: Mapping[str, object]
    tables: Sequence[Table] = ()
    lines: Sequence[str] = ()
    exit_code: ExitCode = field(default=ExitCode.OK)


def finish(result: Result, *, as_json: bool) -> NoReturn:
    """Print a result in the form asked for and end the command with its exit code."""
    if as_json:
        _write_json(result.data)
    elif sys.stdout.isatty():
        _write_rich(result)
    else:
        _write_plain(result)
    raise typer.Exit(result.exit_code)


def show_error(error: JukiError, *, as_json: bool) -> ExitCode:
    """Print why the command could not be done and what to do; return the exit code of an error."""
    if as_json:
        parts = {"message": error.code.message, "ref": error.ref, "next_step": error.code.next_step}
        _write_json({"error": {"code": error.code.value, **parts}})
    else:
        next_step = f"\n次にすること: {error.code.next_step}" if error.code.next_step else ""
        sys.stderr.write(f"{error}{next_step}\n")
    return ExitCode.ERROR


def _write_json(data: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def _write_rich(result: Result) -> None:
    from rich.console import Console

    from juki.cli.terminal import print_line, print_table

    console = Console()
    for table in result.tables:
        print_table(console, table)
    for line in result.lines:
        print_line(console, line)


def _write_plain(result: Result) -> None:
    """Write tab-separated rows under their headings, so that grep, cut and awk can read them."""
    for table in result.tables:
        lines = [f"# {table.title}", *("\t".join(row) for row in (table.flat_headings, *table.rows))]
        sys.stdout.write("\n".join(lines) + "\n")
    for line in result.lines:
        sys.stdout.write(line + "\n")
