"""The report of one run of the quality check, and its form as JSON.

Decides:    what a report says, which earlier one the next run is compared with, and how many faults are known.
Leaves:     where reports lie to `juki.quality_files`.
Invariants: what can be read back is what was written; a report this version can not read raises ValueError.
Source:     ADR-0033.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from juki.columns import IdentityFile
from juki.quality import WHOLE_FILE, Comparison, Figures, Finding, Snapshot
from juki.reasons import Code, known_code

FORMAT = "juki-quality/1"
_RUN = re.compile(r"[0-9]{8}T[0-9]{12}Z")
_COMPARED = frozenset(comparison.value for comparison in Comparison)
_DRIFT = _COMPARED - {Comparison.SNAPSHOT.value}


def run_id(at: datetime) -> str:
    """Name a run after its instant, so that names sort as runs do."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S%f}Z"


def is_run_id(text: str) -> bool:
    """Tell whether a text has the form of the name of a run."""
    return _RUN.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class FileReport:
    """What a run found of one file, and the run its figures were compared with."""

    file: IdentityFile
    figures: Figures
    findings: Sequence[Finding]
    baseline: str = ""

    @property
    def failed(self) -> list[Finding]:
        """The findings that did not come out as expected, and are not known."""
        return [one for one in self.findings if not one.is_met]

    @property
    def is_steady(self) -> bool:
        """Tell whether the next run may be compared with this one: nothing moved by more than allowed."""
        return all(one.is_met for one in self.findings if one.check in _DRIFT)


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the quality check over both files."""

    run: str
    checked_at: datetime
    files: Sequence[FileReport]

    @property
    def failed(self) -> list[Finding]:
        """Everything that did not come out as expected."""
        return [one for each in self.files for one in each.failed]

    def of(self, file: IdentityFile) -> FileReport | None:
        """Find the part of one file."""
        return next((one for one in self.files if one.file is file), None)


Known = Mapping[IdentityFile, Mapping[str, Mapping[str, int]]]
"""Faults by file, check and place (WHOLE_FILE where a check names none)."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an administrator let stand: the run, which is compared with from then on, and its faults."""

    run: str = ""
    known: Known = field(default_factory=dict)

    @classmethod
    def of(cls, report: Report) -> Accepted:
        """Let a whole report stand; what moved is no fault any more once it is what the next is compared with.

        That a municipality lists others than we do is never let stand: reconciling settles it.
        """
        known = {
            each.file: {one.check: _placed(one) for one in each.findings if _is_fault(one)}
            for each in report.files
        }
        return cls(report.run, known)

    def marked(self, finding: Finding) -> Finding:
        """Say of a finding how many of its faults are known: of each place no more than were let stand there."""
        known = self.known.get(finding.file, {}).get(finding.check, {})
        return replace(finding, known=sum(_at_most(_placed(finding), known).values()))

    def lowered(self, report: Report) -> Accepted:
        """Forget the faults a later run did not find any more: others in their place are new."""
        known = dict(self.known)
        for each in report.files:
            found = {one.check: _placed(one) for one in each.findings if one.asked is not None}
            known[each.file] = {
                check: _at_most(places, found.get(check, places))
                for check, places in known.get(each.file, {}).items()
            }
        return replace(self, known=known)


def _at_most(places: Mapping[str, int], bound: Mapping[str, int]) -> dict[str, int]:
    """Cut counts by place down to others, which are 0 where they name no place."""
    return {place: min(n, bound.get(place, 0)) for place, n in places.items()}


def _placed(finding: Finding) -> Mapping[str, int]:
    """Give the faults by place; those that no place was named for are of the whole file."""
    elsewhere = finding.unexpected - sum(finding.places.values())
    return {**finding.places, WHOLE_FILE: elsewhere} if elsewhere > 0 else finding.places


def _is_fault(finding: Finding) -> bool:
    return finding.unexpected > 0 and finding.check not in _COMPARED


def baseline_of(reports: Sequence[Report], file: IdentityFile, accepted: Accepted) -> Report | None:
    """Choose what a run is compared with: the newest steady run, or the accepted one if that is newer.

    Shape: reports in order of time. A run that found a sudden change is not believed by the next.
    """
    for report in reversed(reports):
        part = report.of(file)
        if part is not None and (part.is_steady or report.run == accepted.run):
            return report
    return None


# -- JSON ---------------------------------------------------------------------------------------------


def report_text(report: Report) -> str:
    """Write a report."""
    said = {
        "format": FORMAT,
        "run": report.run,
        "checked_at": report.checked_at.isoformat(),
        "files": [
            {
                "file": one.file.value,
                "baseline": one.baseline,
                "figures": asdict(one.figures),
                "findings": [_finding_said(each) for each in one.findings],
            }
            for one in report.files
        ],
    }
    return json.dumps(said, ensure_ascii=False, indent=1) + "\n"


def read_report(content: str) -> Report:
    """Read a report; ValueError for anything else."""
    try:
        said = json.loads(content)
        if said["format"] != FORMAT or not is_run_id(said["run"]):
            raise ValueError("format")
        files = [_file_report(one) for one in said["files"]]
        return Report(said["run"], datetime.fromisoformat(said["checked_at"]), files)
    except (KeyError, TypeError, AttributeError):
        raise ValueError("report") from None


def accepted_text(accepted: Accepted) -> str:
    """Write what was accepted."""
    known = {
        file.value: {check: dict(places) for check, places in checks.items()}
        for file, checks in accepted.known.items()
    }
    return json.dumps({"format": FORMAT, "run": accepted.run, "known": known}) + "\n"


def read_accepted(content: str) -> Accepted:
    """Read what was accepted; ValueError for anything else."""
    try:
        said = json.loads(content)
        known = {
            IdentityFile(file): {str(check): _counts(places) for check, places in checks.items()}
            for file, checks in said["known"].items()
        }
        return Accepted(str(said["run"]), known)
    except (KeyError, TypeError, AttributeError):
        raise ValueError("accepted") from None


def _counts(places: object) -> dict[str, int]:
    """Read faults by place; what an earlier version let stand without places is not known any more."""
    return {str(place): int(n) for place, n in places.items()} if isinstance(places, dict) else {}


def _finding_said(one: Finding) -> dict[str, object]:
    return {
        "check": one.check, "title": one.title, "code": one.code.value, "asked": one.asked,
        "unexpected": one.unexpected, "known": one.known, "places": dict(one.places),
    }  # fmt: skip


def _file_report(said: dict[str, Any]) -> FileReport:
    file, figures = IdentityFile(said["file"]), said["figures"]
    read = Figures(
        standing=figures["standing"],
        history=figures["history"],
        packages=figures["packages"],
        unknowns=figures["unknowns"],
        ages={int(first): count for first, count in figures["ages"].items()},
        snapshots={place: Snapshot(**one) for place, one in figures["snapshots"].items()},
        # Reports made before anything was erased do not say so.
        erased=figures.get("erased", 0),
    )
    findings = [_finding(file, one) for one in said["findings"]]
    return FileReport(file, read, findings, said["baseline"])


def _finding(file: IdentityFile, said: dict[str, Any]) -> Finding:
    code = known_code(said["code"]) or Code.RUN_UNEXPECTED
    return Finding(
        file, said["check"], said["title"], code, said["asked"], said["unexpected"], said["places"], said["known"]
    )  # fmt: skip
