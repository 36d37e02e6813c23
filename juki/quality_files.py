"""The reports of the quality check in JUKI_HOME: one JSON and one page a run, an index, and what was accepted.

Decides:    where they lie, how they are written, and which are let go of.
Leaves:     what a page looks like to `juki.quality_pages`.
Invariants: whole and on the disk, or the one before. The run that the next ones are compared with is never let go
            of. A report that can not be read is none: then there is nothing to compare with, which is said.
Source:     ADR-0033.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from juki.columns import IdentityFile
from juki.durable import sync_folder
from juki.errors import StoreError
from juki.home import Home
from juki.quality_pages import NameOf, index_page, run_page
from juki.quality_reports import (
    Accepted,
    Report,
    accepted_text,
    baseline_of,
    is_run_id,
    read_accepted,
    read_report,
    report_text,
    run_id,
)
from juki.reasons import Code

_ACCEPTED = "accepted.json"


@dataclass(frozen=True, slots=True)
class QualityFiles:
    """The folder of one installation."""

    home: Home

    @property
    def folder(self) -> Path:
        """Where everything lies."""
        return self.home.quality

    def page(self, run: str) -> Path:
        """Name the page of a run."""
        return self.folder / f"{run}.html"

    def free_instant(self, at: datetime) -> datetime:
        """Give the first instant from one on that no run is named after: a clock may stand still."""
        while self.page(run_id(at)).exists():
            at += timedelta(microseconds=1)
        return at

    def reports(self) -> list[Report]:
        """Read all reports that can be read, the oldest first."""
        found = list[Report]()
        for path in sorted(self.folder.glob("*.json")):
            if is_run_id(path.stem):
                with suppress(OSError, ValueError):
                    found.append(read_report(path.read_text("utf-8")))
        return found

    def last(self) -> Report | None:
        """Read the newest report."""
        return next(reversed(self.reports()), None)

    def accepted(self) -> Accepted:
        """Read what an administrator let stand; nothing where it can not be read."""
        try:
            return read_accepted((self.folder / _ACCEPTED).read_text("utf-8"))
        except (OSError, ValueError):
            return Accepted()

    def accept(self, report: Report) -> None:
        """Let what a run found stand."""
        self._write(_ACCEPTED, accepted_text(Accepted.of(report)))

    def keep(self, report: Report, kept: int, name_of: NameOf) -> None:
        """Write a report with its page, let go of what is older than the last `kept` runs, and list the rest.

        Raises: StoreError(QUALITY_UNWRITTEN) when the disk refuses.
        """
        try:
            self._keep(report, kept, name_of)
        except OSError:
            pass
        else:
            return
        raise StoreError(Code.QUALITY_UNWRITTEN)

    def _keep(self, report: Report, kept: int, name_of: NameOf) -> None:
        self._write(f"{report.run}.json", report_text(report))
        self._write(f"{report.run}.html", run_page(report, name_of))
        accepted = self.accepted()
        if (lowered := accepted.lowered(report)) != accepted:
            self._write(_ACCEPTED, accepted_text(lowered))
        reports = self.reports()
        self._let_go(reports, kept)
        self._write("index.html", index_page(self.reports()))

    def _let_go(self, reports: list[Report], kept: int) -> None:
        accepted = self.accepted()
        needed = {one.run for file in IdentityFile if (one := baseline_of(reports, file, accepted))}
        staying = {one.run for one in reports[-kept:]} | needed | {accepted.run}
        for path in self._of_runs():
            if path.stem not in staying:
                path.unlink(missing_ok=True)
        sync_folder(self.folder)

    def _of_runs(self) -> Iterable[Path]:
        return [path for path in self.folder.iterdir() if is_run_id(path.stem)]

    def _write(self, name: str, content: str) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        part = self.folder / f".{name}.part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / name)
        sync_folder(self.folder)
