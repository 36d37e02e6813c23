"""The contract of records: run a boundary's model and say what it found, without any value.

Decides:    which checks failed (pandera says) and on which records (the same rules say).
Leaves:     what becomes of a blocked record to the tasks, the size and order of a package to `juki.packages`.
Invariants: everything wrong with a record is found, errors and alerts alike, in the order of the rules. No
            exception of pandera, whose text and data hold values, leaves this module, not even as a context.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
from pandera.config import ValidationDepth, config_context
from pandera.errors import SchemaErrorReason, SchemaErrors

from juki.columns import IdentityFile, Layout
from juki.errors import ContractError, JukiError
from juki.findings import Finding, Findings
from juki.reasons import Code
from juki.rules import RecordContext, Records, Rule
from validations.models import Boundary, model_of


@dataclass(frozen=True, slots=True)
class _Failure:
    """One failed check as pandera tells it: why, and for one of our rules its code and column."""

    reason: SchemaErrorReason | None
    code: str
    column: str


def check_records(layout: Layout, file: IdentityFile, table: pa.Table, context: RecordContext) -> Findings:
    """Hold the records of one package to the contract of their layout and file.

    Shape:  `table` as `juki.records.parse_records` gives it: text without nulls in canonical column order.
    Raises: ContractError(PACKAGE_COUNT) when there is no notice (a snapshot may have no record),
            ContractError(PACKAGE_COLUMNS) when a column is unknown, missing, repeated or not text.
    Source: spec/packages.md section 3, domain.md sections 3 and 4, assessment M1.
    """
    boundary = Boundary(layout, file)
    return check_with_rules(boundary, table, context, boundary.rules)


def check_with_rules(
    boundary: Boundary, table: pa.Table, context: RecordContext, rules: Sequence[Rule]
) -> Findings:
    """Hold records to a boundary's columns and the given rules; `check_records` gives all of them."""
    _check_shape(boundary, table, context)
    if table.num_rows == 0:
        return Findings(0)
    records = Records(table, context)
    failures = _validate(model_of(boundary, records, rules), table)
    if any(failure.reason is SchemaErrorReason.CHECK_ERROR for failure in failures):
        raise JukiError(Code.RUN_UNEXPECTED, context.package)
    if any(failure.reason is not SchemaErrorReason.DATAFRAME_CHECK for failure in failures):
        raise ContractError(Code.PACKAGE_COLUMNS, context.package)
    failed = {(failure.code, failure.column) for failure in failures}
    groups = tuple(_finding(rule, records) for rule in rules if (rule.code.value, rule.column) in failed)
    return Findings(len(records), groups)


def _check_shape(boundary: Boundary, table: pa.Table, context: RecordContext) -> None:
    """Look at the header before anything is read: the rules may rely on their columns."""
    if sorted(table.column_names) != sorted(boundary.columns):
        raise ContractError(Code.PACKAGE_COLUMNS, context.package)
    if any(field.type != pa.string() for field in table.schema) or any(c.null_count for c in table.columns):
        raise ContractError(Code.PACKAGE_COLUMNS, context.package)
    if table.num_rows == 0 and boundary.layout is Layout.NOTICE:
        raise ContractError(Code.PACKAGE_COUNT, context.package)


def _validate(model: pandera.DataFrameSchema, table: pa.Table) -> list[_Failure]:
    """Run the model over the table; pandera's exception ends here and only names leave.

    The depth is set here so that no environment variable of pandera's can turn the checks off.
    """
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        try:
            model.validate(frame, lazy=True, inplace=True)
        except SchemaErrors as errors:
            return [_failure(error.reason_code, error.check) for error in errors.schema_errors]
    return []


def _failure(reason: SchemaErrorReason | None, check: object) -> _Failure:
    if isinstance(check, pandera.Check):
        return _Failure(reason, check.name or "", check.title or "")
    return _Failure(reason, "", "")


def _finding(rule: Rule, records: Records) -> Finding:
    return Finding(rule.code, rule.column, np.flatnonzero(rule.failing(records)))
