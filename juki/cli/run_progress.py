"""Progress of a run on the terminal, read from the stores while the run works.

Decides:    how progress looks: one moving line on a terminal, now and then a plain line elsewhere.
Invariants: goes to standard error, so that what is printed in the end can be piped; a store that does not
            answer for a moment stops the display, never the run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread

from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.errors import JukiError
from juki.store.status import RunProgress

_LOOK_SECONDS = 1.0
_LINE_EVERY_LOOKS = 10
_Show = Callable[[RunProgress], None]


@dataclass(frozen=True, slots=True)
class Run:
    """What is watched: the channels of a run since its start."""

    installation: Installation
    municipality_codes: Sequence[str]
    files: Sequence[IdentityFile]
    started_at: datetime

    @property
    def channels(self) -> int:
        """How many channels the run is to work."""
        return len(self.municipality_codes) * len(self.files)

    def progress(self) -> RunProgress:
        """Ask the stores how much is done."""
        total = RunProgress()
        for file in self.files:
            with self.installation.overview(file) as overview:
                total += overview.progress_since(self.started_at, self.municipality_codes)
        return total


@contextmanager
def watched(run: Run, *, is_quiet: bool) -> Iterator[None]:
    """Show the progress of a run while the block works."""
    if is_quiet:
        yield
        return
    with _terminal(run) if sys.stderr.isatty() else _lines(run) as show:
        ended = Event()
        thread = Thread(target=_look, args=(run, show, ended), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _look(run: Run, show: _Show, ended: Event) -> None:
    while not ended.wait(_LOOK_SECONDS):
        with suppress(JukiError):
            show(run.progress())


@contextmanager
def _terminal(run: Run) -> Iterator[_Show]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("受入の準備をしています", total=run.channels)
        yield lambda done: bar.update(task, completed=done.channels, description=_words(run, done))


@contextmanager
def _lines(run: Run) -> Iterator[_Show]:
    sys.stderr.write(f"受入を始めます（市町村×ファイル {run.channels} 件）\n")
    looks, said = 0, RunProgress()

    def show(done: RunProgress) -> None:
        nonlocal looks, said
        looks += 1
        if looks % _LINE_EVERY_LOOKS == 0 and done != said:
            sys.stderr.write(_words(run, done) + "\n")
            said = done

    yield show


def _words(run: Run, done: RunProgress) -> str:
    return f"着手 {done.channels}/{run.channels}、パッケージ {done.packages:,}、レコード {done.records:,}"
