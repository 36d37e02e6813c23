"""The pandera models of the four boundaries at which records come in: notices and snapshots of both files.

Decides:    the shape of a table at each boundary: exactly the columns of `juki.columns`, text of Arrow, no null,
            no coercion, no default, no repair; and which rules it is held to.
Leaves:     the rules to `juki.rules`: a check is a rule bound to the records of one package and bears its code
            as its name.
Invariants: a check answers yes or no for the whole package, so that pandera never collects a value: one bad
            record and a hundred thousand cost it the same. Which records are meant is asked of the same rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa

from juki.columns import BY_NAME, IdentityFile, Layout, columns_of
from juki.rules import Records, Rule, rules_of

TEXT = pd.ArrowDtype(pa.string())
"""Text in Arrow's own memory: several times faster than Python strings and free of a copy."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """One layout of one file: what comes in there, and the rules it is held to."""

    layout: Layout
    file: IdentityFile

    @property
    def name(self) -> str:
        """The name of the model, as in `resident notice`."""
        return f"{self.file.value} {self.layout.value}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, in canonical order."""
        return columns_of(self.layout, self.file)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules, in the order of evaluation."""
        return rules_of(self.layout, self.file)


BOUNDARIES: tuple[Boundary, ...] = tuple(
    Boundary(layout, file) for layout in (Layout.NOTICE, Layout.SNAPSHOT) for file in IdentityFile
)
"""Every boundary at which records of people come in."""


def model_of(boundary: Boundary, records: Records, rules: Iterable[Rule]) -> pandera.DataFrameSchema:
    """Build the model of a boundary for the records of one package.

    A rule on one column is a check of that column, a rule across columns one of the frame.
    """
    single: dict[str, list[pandera.Check]] = {column: [] for column in boundary.columns}
    across: list[pandera.Check] = []
    for rule in rules:
        (across if rule.reads else single[rule.column]).append(_check(rule, records))
    columns = {
        column: pandera.Column(
            TEXT, checks, nullable=False, coerce=False, required=True, title=BY_NAME[column].japanese
        )
        for column, checks in single.items()
    }
    return pandera.DataFrameSchema(
        columns,
        checks=across,
        name=boundary.name,
        strict=True,
        coerce=False,
        ordered=False,
        unique_column_names=True,
    )


def _check(rule: Rule, records: Records) -> pandera.Check:
    """Bind a rule to the records; `title` names the column the finding belongs to."""

    def passes(_: object) -> bool:
        return not rule.failing(records).any()

    code = rule.code.value
    return pandera.Check(passes, name=code, error=code, title=rule.column, ignore_na=False, n_failure_cases=1)
