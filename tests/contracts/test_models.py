"""pandera is really in the path, can not be switched off, and lets no value out."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pytest
from contract_records import (
    BOUNDARIES,
    CONTEXT,
    NOTICE,
    RESIDENT,
    Record,
    Where,
    as_table,
    found_by_row,
    found_in,
    good_record,
)

from juki.columns import BY_NAME
from juki.errors import ContractError, JukiError
from juki.reasons import Code
from juki.rules import Records, Rule
from juki.rules.view import Mask
from validations.contracts import check_records, check_with_rules
from validations.models import TEXT, Boundary, model_of

_MARK = "マーカー０９８７６５４３２１"


def _table(**changes: str) -> pa.Table:
    return as_table(NOTICE, RESIDENT, [good_record(NOTICE, RESIDENT, **changes)])


def test_dropping_a_check_from_the_model_drops_its_finding() -> None:
    """What pandera does not run is not found: the models decide, not a path beside them."""
    boundary = Boundary(NOTICE, RESIDENT)
    table = _table(sex="9", name="\uac00")
    without = [rule for rule in boundary.rules if rule.code is not Code.SEX_UNKNOWN]
    assert found_by_row(check_with_rules(boundary, table, CONTEXT, without)) == [{(Code.TEXT_HANGUL, "name")}]


@pytest.mark.parametrize("where", BOUNDARIES, ids=str)
def test_model_is_strict_and_coerces_nothing(where: Where) -> None:
    """Each model has exactly the columns of its layout, text without null, none coerced."""
    boundary = Boundary(*where)
    records = Records(as_table(*where, [good_record(*where)]), CONTEXT)
    model = model_of(boundary, records, boundary.rules)
    assert tuple(model.columns) == boundary.columns
    assert model.strict is True and model.coerce is False
    for name, column in model.columns.items():
        assert (column.required, column.nullable, column.coerce) == (True, False, False)
        assert column.dtype.type == TEXT and column.title == BY_NAME[name].japanese


@pytest.mark.parametrize("where", BOUNDARIES, ids=str)
def test_each_check_is_named_by_its_code(where: Where) -> None:
    """The name pandera reports is the stable code."""
    boundary = Boundary(*where)
    records = Records(as_table(*where, [good_record(*where)]), CONTEXT)
    model = model_of(boundary, records, boundary.rules)
    checks = [*model.checks, *(check for column in model.columns.values() for check in column.checks)]
    assert sorted((check.name, check.title) for check in checks) == sorted(
        (rule.code.value, rule.column) for rule in boundary.rules
    )


def _without_a_column(table: pa.Table) -> pa.Table:
    return table.drop_columns(["name"])


def _with_a_column(table: pa.Table) -> pa.Table:
    return table.append_column("本籍", pa.array([_MARK]))


def _with_a_column_twice(table: pa.Table) -> pa.Table:
    return table.append_column("name", pa.array([_MARK]))


def _with_a_null(table: pa.Table) -> pa.Table:
    return table.set_column(table.column_names.index("name"), "name", pa.array([None], pa.string()))


def _with_numbers(table: pa.Table) -> pa.Table:
    return table.set_column(table.column_names.index("individual_number"), "individual_number", pa.array([1]))


@pytest.mark.parametrize(
    "change", [_without_a_column, _with_a_column, _with_a_column_twice, _with_a_null, _with_numbers]
)
def test_table_of_another_shape_is_refused_whole(change: object) -> None:
    """Missing, unknown or repeated columns, nulls and numbers refuse the package and show nothing."""
    assert callable(change)
    with pytest.raises(ContractError) as caught:
        check_records(NOTICE, RESIDENT, change(_table()), CONTEXT)
    assert caught.value.code is Code.PACKAGE_COLUMNS
    assert _MARK not in str(caught.value) and caught.value.__context__ is None


def test_package_without_records_is_refused() -> None:
    """No rows are no package."""
    with pytest.raises(ContractError) as caught:
        check_records(NOTICE, RESIDENT, _table().slice(0, 0), CONTEXT)
    assert caught.value.code is Code.PACKAGE_COUNT


def test_environment_can_not_turn_the_checks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """pandera's own switches have no power here."""
    from pandera.config import CONFIG

    monkeypatch.setenv("PANDERA_VALIDATION_ENABLED", "False")
    monkeypatch.setattr(CONFIG, "validation_enabled", False)
    assert found_in(NOTICE, RESIDENT, good_record(NOTICE, RESIDENT, sex="9")) == [{(Code.SEX_UNKNOWN, "sex")}]


def test_rule_that_fails_itself_stops_the_run_and_is_no_finding() -> None:
    """A broken rule neither passes nor blames the record, and tells nothing of the data."""

    def broken(records: Records) -> Mask:
        raise ValueError(_MARK)

    boundary = Boundary(NOTICE, RESIDENT)
    rules = [Rule(Code.SEX_UNKNOWN, "sex", broken)]
    with pytest.raises(JukiError) as caught:
        check_with_rules(boundary, _table(), CONTEXT, rules)
    assert caught.value.code is Code.RUN_UNEXPECTED
    assert _MARK not in str(caught.value) and caught.value.__context__ is None


def test_no_representation_shows_a_value() -> None:
    """What a debugger or a log would print holds sizes and codes only."""
    table = _table(name=_MARK)
    records = Records(table, replace(CONTEXT, package="p"))
    findings = check_records(NOTICE, RESIDENT, table, CONTEXT)
    shown = repr(records) + repr(records.text("name")) + repr(findings)
    assert _MARK not in shown


def test_columns_may_come_in_any_order_and_in_chunks() -> None:
    """Neither the order of columns nor the blocks of the parser change what is found."""
    good, bad = good_record(NOTICE, RESIDENT), good_record(NOTICE, RESIDENT, sex="9", name="山\n")
    table = pa.concat_tables([as_table(NOTICE, RESIDENT, [good]), as_table(NOTICE, RESIDENT, [bad])])
    turned = table.select(table.column_names[::-1])
    assert found_by_row(check_records(NOTICE, RESIDENT, turned, CONTEXT)) == [
        set(),
        {(Code.SEX_UNKNOWN, "sex"), (Code.TEXT_CONTROL, "name")},
    ]


def test_wholly_bad_package_stays_within_memory() -> None:
    """20,000 records that fail nearly everything cost integer positions, not a report of their values."""
    text = "\uac00\u0001\ue000\ufffd"
    bad: Record = dict.fromkeys(good_record(NOTICE, RESIDENT), text)
    table = as_table(NOTICE, RESIDENT, [bad] * 20_000)
    tracemalloc.start()
    findings = check_records(NOTICE, RESIDENT, table, CONTEXT)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert findings.blocked.all() and len(findings.counts()) > 15
    assert peak_bytes < 60e6


def test_frame_shares_the_memory_of_the_table() -> None:
    """Text stays Arrow text on the way into pandera."""
    frame = _table().to_pandas(types_mapper=pd.ArrowDtype)
    assert set(frame.dtypes) == {TEXT}
