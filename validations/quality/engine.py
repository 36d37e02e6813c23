"""Great Expectations, told what is expected and asked for counts only.

Decides:    which expectation of the library each of ours is, and what of a result is believed and kept: whether it
            was evaluated, of how many rows, how many did not fit.
Leaves:     what is expected to `validations.quality.suites`, reports to `juki.quality_reports`.
Invariants: nothing is written (ephemeral context), nobody is called. A result, an exception or a log line of the
            library never leaves this module: they quote statements, and could quote rows. What could not be evaluated
            is an error, never a pass.
Source:     ADR-0033; docs.greatexpectations.io, result format.

Importing this module takes seconds: import it where a check begins.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

# Read once, when the library is imported; it would call home.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
import pandas as pd
from great_expectations import expectations as gxe

from juki.errors import StoreError
from juki.quality import Change
from juki.reasons import Code
from validations.quality.suites import Expected, Kind

_COUNTS_ONLY = {
    "result_format": "SUMMARY",
    "partial_unexpected_count": 0,
    "include_unexpected_rows": False,
    "exclude_unexpected_values": True,
}
_QUIET = {"globally": False, "metric_calculations": False, "profilers": False}


@dataclass(frozen=True, slots=True)
class Judged:
    """What one expectation came to: of how many rows, how many did not fit."""

    asked: int
    unexpected: int


@dataclass(frozen=True, slots=True)
class Judge:
    """One context of the library, which is gone with it."""

    _context: Any = field(default_factory=lambda: _new_context())

    def tables(self, how: Mapping[str, Any], asked: Sequence[tuple[Expected, str]]) -> Mapping[str, Judged]:
        """Judge what the database answers to each statement; nothing but counts is fetched.

        `how` is what SQLAlchemy is told to connect, by `juki.store.quality.reading_options`.

        Raises: StoreError(QUALITY_UNANSWERED) naming the expectation that could not be evaluated.
        """
        name = f"store-{len(self._context.data_sources.all())}"
        # All at once: each change of a source is written out and read back by the library.
        assets = [{"name": one.check, "type": "query", "query": statement} for one, statement in asked]
        source = self._context.data_sources.add_sql(
            name, connection_string="postgresql+psycopg://", kwargs=dict(how), assets=assets
        )
        return {one.check: _judged(one, partial(_batch, source.get_asset(one.check))) for one, _ in asked}

    def changes(self, expected: Expected, changes: Sequence[Change]) -> Judged:
        """Judge figures that were compared.

        Raises: StoreError(QUALITY_UNANSWERED).
        """
        frame = pd.DataFrame(
            {"change": [one.change for one in changes], "allowed": [one.allowed for one in changes]}
        )
        figures = self._context.data_sources.get("figures").get_asset("changes")
        return _judged(expected, lambda: _batch(figures, {"dataframe": frame}))


def _batch(asset: Any, options: Any = None) -> Any:
    return asset.get_batch(asset.build_batch_request(options))


def _new_context() -> Any:
    # It logs what failed with the statement and its parameters, each module at a level of its own.
    logger = logging.getLogger("great_expectations")
    logger.handlers, logger.propagate = [logging.NullHandler()], False
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = _QUIET
    context.data_sources.add_pandas("figures").add_dataframe_asset("changes")
    return context


def _judged(expected: Expected, batch: Callable[[], Any]) -> Judged:
    try:
        found = batch().validate(_expectation(expected), result_format=_COUNTS_ONLY)
        judged = _counts(found)
    except Exception:  # noqa: BLE001 - the text of any error here may quote a statement or a row
        judged = None
    if judged is None:
        raise StoreError(Code.QUALITY_UNANSWERED, expected.check)
    return judged


def _counts(found: Any) -> Judged | None:
    """Take the two counts; nothing where the library met an error, or says something else than its counts."""
    asked, unexpected = found.result.get("element_count"), found.result.get("unexpected_count")
    # Of no rows it counts none that do not fit, or nothing, as it pleases.
    if asked == 0 and found.success:
        return Judged(0, 0)
    if not isinstance(asked, int) or not isinstance(unexpected, int):
        return None
    if bool(found.success) != (unexpected == 0):
        return None
    return Judged(asked, unexpected)


def _expectation(expected: Expected) -> Any:
    (first, *others) = expected.columns
    match expected.kind:
        case Kind.UNIQUE if others:
            return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(expected.columns))
        case Kind.UNIQUE:
            return gxe.ExpectColumnValuesToBeUnique(column=first)
        case Kind.THERE:
            return gxe.ExpectColumnValuesToNotBeNull(column=first)
        case Kind.ABSENT:
            return gxe.ExpectColumnValuesToBeNull(column=first)
        case Kind.BETWEEN:
            return gxe.ExpectColumnValuesToBeBetween(
                column=first, min_value=expected.least, max_value=expected.most
            )
        case Kind.WITHIN:
            return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A=first, column_B=others[0], or_equal=True
            )
