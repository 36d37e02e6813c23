"""Rows written in the binary form of COPY arrive as what they were."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from juki.columns import IdentityFile
from juki.errors import StoreError
from juki.reasons import Code
from juki.store.bulk import copy_blocks, copy_in
from juki.store.unit import open_unit
from tests.conftest import Stores

RESIDENT = IdentityFile.RESIDENT
TABLE = (
    "CREATE TEMPORARY TABLE copied (place serial, said text, marked bool, small int2, count int4, big int8, "
    "day date, at timestamptz, sealed bytea, digest bytea) ON COMMIT DROP"
)
SCHEMA = pa.schema(
    [
        ("said", pa.string()),
        ("marked", pa.bool_()),
        ("small", pa.int16()),
        ("count", pa.int32()),
        ("big", pa.int64()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", "UTC")),
        ("sealed", pa.binary()),
        ("digest", pa.binary(4)),
    ]
)
ROWS = st.fixed_dictionaries(
    {
        "said": st.none() | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=6),
        "marked": st.none() | st.booleans(),
        "small": st.none() | st.integers(-(2**15), 2**15 - 1),
        "count": st.none() | st.integers(-(2**31), 2**31 - 1),
        "big": st.none() | st.integers(-(2**63), 2**63 - 1),
        "day": st.none() | st.dates(),
        "at": st.none() | st.datetimes(timezones=st.just(UTC)),
        "sealed": st.none() | st.binary(max_size=6),
        "digest": st.none() | st.binary(min_size=4, max_size=4),
    }
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, min_size=1, max_size=6), st.integers(0, 5), st.integers(1, 3))
def test_rows_arrive_as_they_were(
    module_stores: Stores, rows: list[dict[str, object]], first: int, block: int
) -> None:
    """Every type, present or not, in blocks of any size, also from the middle of a larger table."""
    table = pa.Table.from_pylist([*rows[:first], *rows], SCHEMA).combine_chunks().slice(len(rows[:first]))
    with open_unit(module_stores.resident_url, RESIDENT) as unit:
        unit.cursor.execute(TABLE)
        parts = [table.slice(start, block) for start in range(0, len(rows), block)]
        assert copy_blocks(unit.cursor, "copied", parts) == len(rows)
        names = ", ".join(SCHEMA.names)
        back = unit.cursor.execute(f"SELECT {names} FROM copied ORDER BY place").fetchall()
    assert back == [tuple(row[name] for name in SCHEMA.names) for row in rows]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("sealed", pa.array(["text"])),
        ("count", pa.array([1], pa.int64())),
        ("big", pa.array([datetime(2026, 3, 25, tzinfo=UTC)])),
        ("at", pa.array([date(2026, 3, 25)])),
    ],
    ids=str,
)
def test_a_column_of_another_type_is_refused(module_stores: Stores, column: str, values: pa.Array) -> None:
    """The binary form does not say what it holds: a text would be taken for bytes, an instant for a number."""
    with open_unit(module_stores.resident_url, RESIDENT) as unit:
        unit.cursor.execute(TABLE)
        with pytest.raises(TypeError, match=f"^{column}: "):
            copy_in(unit.cursor, "copied", pa.table({column: values}))


def test_what_the_database_refuses_in_the_middle_leaves_nothing_behind(stores: Stores) -> None:
    """The rows are sent by another thread; its error must end the transaction, not be lost."""
    blocks = (pa.table({"said": [text], "count": pa.array([1], pa.int32())}) for text in ("a", "b\0", "c"))
    with (
        pytest.raises(StoreError) as caught,
        open_unit(stores.resident_url, RESIDENT) as unit,
    ):
        unit.cursor.execute(TABLE)
        copy_blocks(unit.cursor, "copied", blocks)
    assert (caught.value.code, caught.value.ref) == (Code.STORE_REFUSED, "22021")
