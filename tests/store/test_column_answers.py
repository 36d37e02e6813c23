"""What is asked by arrays of keys comes back as what is stored, whole and by key."""

from __future__ import annotations

from datetime import UTC, date

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from juki.columns import IdentityFile
from juki.identity import plan_changes
from juki.numbers import SealingKey
from juki.store.arrays import columns_by_key
from juki.store.bulk import copy_in
from juki.store.unit import Unit, open_unit
from juki.versions import Origin
from tests.conftest import Stores
from tests.notice_tables import notice, notices

RESIDENT = IdentityFile.RESIDENT
KEY = SealingKey("resident-number-1", b"k" * 32)
TABLE = (
    "CREATE TEMPORARY TABLE answered (key text, said text, marked bool, big int8, day date, at timestamptz, "
    "digest bytea) ON COMMIT DROP"
)
SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("said", pa.string()),
        ("marked", pa.bool_()),
        ("big", pa.int64()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", "UTC")),
        ("digest", pa.binary(4)),
    ]
)
QUERY = (
    "SELECT key, said, marked, big, day, (extract(epoch FROM at) * 1000000)::bigint, digest FROM answered "
    "WHERE key = ANY(%(keys)s)"
)
TEXTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=6)
ROWS = st.fixed_dictionaries(
    {
        "key": TEXTS,
        "said": TEXTS | st.none(),
        "marked": st.booleans(),
        "big": st.none() | st.integers(-(2**63) + 1, 2**63 - 1),
        "day": st.none() | st.dates(),
        "at": st.none() | st.datetimes(timezones=st.just(UTC)),
        "digest": st.none() | st.binary(min_size=4, max_size=4).filter(any),
    }
)


def _fill(unit: Unit, rows: list[dict[str, object]]) -> None:
    unit.cursor.execute(TABLE)
    copy_in(unit.cursor, "answered", pa.Table.from_pylist(rows, SCHEMA))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, max_size=6, unique_by=lambda row: row["key"]), st.lists(TEXTS, max_size=3))
def test_answers_are_what_is_stored_under_the_keys(
    module_stores: Stores, rows: list[dict[str, object]], strangers: list[str]
) -> None:
    """Every type, present or not; keys nobody has are no rows; an absent text is empty."""
    asked = rows[::2]
    keys = pa.array(sorted({str(row["key"]) for row in asked} | set(strangers)), pa.string())
    with open_unit(module_stores.resident_url, RESIDENT) as unit:
        _fill(unit, rows)
        found = columns_by_key(unit.cursor, QUERY, {"keys": keys}, SCHEMA)
    expected = [row | {"said": row["said"] or ""} for row in rows if row["key"] in keys.to_pylist()]
    assert found.schema == SCHEMA
    assert sorted(found.to_pylist(), key=lambda row: row["key"]) == sorted(
        expected, key=lambda r: str(r["key"])
    )


def test_bytes_are_keys_as_well(module_stores: Stores) -> None:
    """Numbers are asked about by their index."""
    said = [{"key": name, "digest": name.encode() * 4} for name in "abc"]
    query, schema = "SELECT key FROM answered WHERE digest = ANY(%(them)s)", pa.schema([("key", pa.string())])
    for them in (
        pa.array([b"bbbb", b"cccc", b"dddd"], pa.binary()),
        pa.array([b"bbbb", b"cccc"], pa.binary(4)),
    ):
        with open_unit(module_stores.resident_url, RESIDENT) as unit:
            _fill(unit, said)
            found = columns_by_key(unit.cursor, query, {"them": them}, schema)
        assert sorted(found.column("key").to_pylist()) == ["b", "c"]


def test_column_that_lacks_a_value_is_refused_and_moves_no_row(module_stores: Stores) -> None:
    """A null that nothing stands for would let every later value slip to another person."""
    keys = {"keys": pa.array(["a", "b"])}
    with open_unit(module_stores.resident_url, RESIDENT) as unit:
        _fill(unit, [{"key": "a", "marked": None}, {"key": "b", "marked": True}])
        with pytest.raises(TypeError, match="marked"):
            columns_by_key(unit.cursor, QUERY, keys, SCHEMA)


def test_what_a_package_asks_is_found_by_key_however_small_the_file(stores: Stores) -> None:
    """The planner would read a small file as a whole, comparing every row with every key of the package."""
    package = notices([notice(resident_code=code) for code in "ABC"])
    with open_unit(stores.resident_url, RESIDENT) as unit:
        known = unit.identities.known(package)
        origin = Origin("352039", 1, date(2026, 3, 25))
        unit.identities.apply(package, known, plan_changes(package, known), origin, KEY)
    with psycopg.connect(stores.resident_url, autocommit=True) as owner:
        owner.execute("ANALYZE current")
    seen = "SELECT coalesce(sum(seq_scan), 0), coalesce(sum(idx_scan), 0) FROM pg_stat_xact_user_tables"
    with open_unit(stores.resident_url, RESIDENT) as unit:
        before = unit.cursor.execute(seen).fetchone()
        known = unit.identities.known(package)
        unchanged = unit.identities.unchanged(package, sample_rows=0)
        after = unit.cursor.execute(seen).fetchone()
    assert (known.newest.num_rows, len(unchanged)) == (3, 3)
    assert before is not None
    assert after is not None
    assert after[0] == before[0]
    assert after[1] > before[1]
