"""`make mutants`: break every rule one at a time and see that a test notices.

Decides:    what is broken, which tests stand for it, what a survivor must have: a reason in
            `mutants_explained.tsv`, or a test.
Leaves:     the breaking to `bench.mutants_tables` and `bench.mutants_syntax`, the running to `bench.mutants_run`.
Invariants: exit code 1 unless every mutant is killed or explained, and every explanation is of a living mutant.
            The page of the documentation snapshots codes would notice every changed severity without knowing
            what it means; it is not among the tests asked.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.mutants_model import Mutant
from bench.mutants_run import ENDLESS, Runner, Verdict, run
from bench.mutants_syntax import module_mutants
from bench.mutants_tables import cell_mutants, rule_mutants, severity_mutants
from juki import authority, bases, codes, dates, fields, holders, kana, merkle, order, register, retention
from juki.rules import catalogue, characters, events, identifiers, persons, places, view

MODULES = (
    characters, events, identifiers, persons, places, view,
    codes, dates, holders, kana, merkle, order, register, retention,
    authority, bases, fields,
)  # fmt: skip
"""The catalogue of rules is broken as a table, rule by rule and layout by layout."""
TESTS = (
    "tests/contracts/test_rule_masks.py",
    "tests/unit/test_characters.py",
    "tests/unit/test_severities.py",
    "tests/unit/test_authority.py",
    "tests/unit/test_bases_files.py",
    "tests/unit/test_codes.py",
    "tests/unit/test_dates.py",
    "tests/unit/test_date_forms.py",
    "tests/unit/test_decisions.py",
    "tests/unit/test_identity.py",
    "tests/unit/test_identifier_edges.py",
    "tests/unit/test_kana.py",
    "tests/unit/test_merkle.py",
    "tests/unit/test_number_bonds.py",
    "tests/unit/test_numbers_changing_hands.py",
    "tests/unit/test_order.py",
    "tests/unit/test_retention.py",
)
ROOT = Path(__file__).resolve().parents[1]
EXPLAINED = Path(__file__).with_name("mutants_explained.tsv")
PAGE = ROOT / "docs" / "mutants.md"


@dataclass(frozen=True, slots=True)
class Outcome:
    """All verdicts, beside what was said beforehand about survivors."""

    verdicts: Sequence[Verdict]
    reasons: dict[str, str]

    @property
    def unexplained(self) -> list[str]:
        """List the survivors nobody has explained."""
        return sorted(one.mutant.id for one in self._alive() if one.mutant.id not in self.reasons)

    @property
    def explained(self) -> list[str]:
        """List the survivors with a reason."""
        return sorted(one.mutant.id for one in self._alive() if one.mutant.id in self.reasons)

    @property
    def stale(self) -> list[str]:
        """List explanations of mutants that are killed or do not exist."""
        return sorted(set(self.reasons) - {one.mutant.id for one in self._alive()})

    @property
    def groups(self) -> list[str]:
        """List the groups in the order of the run."""
        return list(dict.fromkeys(one.mutant.group for one in self.verdicts))

    def _alive(self) -> list[Verdict]:
        return [one for one in self.verdicts if not one.killer]


def mutants() -> list[Mutant]:
    """List every mutant."""
    return [*rule_mutants(), *cell_mutants(), *severity_mutants(), *module_mutants([catalogue, *MODULES])]


def reasons() -> dict[str, str]:
    """Read why some mutants can not be killed."""
    with EXPLAINED.open(encoding="utf-8", newline="") as file:
        return {row[0]: row[1] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row}


def page(outcome: Outcome) -> str:
    """Write the page of the documentation."""
    lines = [
        "# Mutants",
        "",
        "Written by `make mutants`, which breaks every rule one at a time in a forked process and looks for a test",
        "that notices (ADR-0019). Rules are broken on every layout they apply to; cells of the decision tables get",
        "every other effect and another code; severities are flipped; code is broken operator by operator.",
        "",
        "| what is broken | mutants | killed | of these endless | explained | survivors |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for group in outcome.groups:
        lines.append(_row(group, [one for one in outcome.verdicts if one.mutant.group == group], outcome))
    lines += [_row("**all**", outcome.verdicts, outcome), "", "## Survivors that are explained", ""]
    lines += ["| mutant | why no test can kill it |", "|---|---|"]
    lines += [f"| `` {_cell(name)} `` | {_cell(outcome.reasons[name])} |" for name in outcome.explained]
    return "\n".join(lines) + "\n"


def _row(name: str, verdicts: Sequence[Verdict], outcome: Outcome) -> str:
    killed = sum(bool(one.killer) for one in verdicts)
    endless = sum(one.killer == ENDLESS for one in verdicts)
    explained = sum(not one.killer and one.mutant.id in outcome.reasons for one in verdicts)
    survivors = len(verdicts) - killed - explained
    return f"| {name} | {len(verdicts):,} | {killed:,} | {endless} | {explained} | {survivors} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Run all mutants, or those whose name holds a word, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.mutants", description=main.__doc__)
    parser.add_argument("--only", default="", help="mutants whose name holds this; the page is not written")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    chosen = [one for one in mutants() if arguments.only in one.id]
    files = frozenset(str(module.__file__) for module in MODULES) | {str(catalogue.__file__)}
    runner = Runner(chosen, files | _table_files(chosen), arguments.workers)
    start = time.perf_counter()
    run(runner, [str(ROOT / test) for test in TESTS])
    outcome = Outcome(runner.verdicts, reasons())
    _tell(outcome, time.perf_counter() - start, is_whole=not arguments.only)
    if not arguments.only:
        PAGE.write_text(page(outcome), encoding="utf-8")
        return 1 if outcome.unexplained or outcome.stale else 0
    return 1 if outcome.unexplained else 0


def _table_files(chosen: Sequence[Mutant]) -> frozenset[str]:
    return frozenset(file for mutant in chosen for file in mutant.files)


def _tell(outcome: Outcome, seconds: float, *, is_whole: bool) -> None:
    total, alive = len(outcome.verdicts), len(outcome.unexplained) + len(outcome.explained)
    for name in outcome.unexplained:
        print(f"survives: {name}")
    for name in outcome.stale if is_whole else ():
        print(f"explained but not alive: {name}")
    print(
        f"{total:,} mutants in {seconds:.0f} s: {total - alive:,} killed, {len(outcome.explained)} explained, "
        f"{len(outcome.unexplained)} survivors"
    )


if __name__ == "__main__":
    sys.exit(main())
