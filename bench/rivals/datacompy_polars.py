"""datacompy on polars frames, our side read by ADBC."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import datacompy
import polars as pl

from bench.rivals import KEY, OURS

_join = pl.DataFrame.join


def _join_as_before(one: pl.DataFrame, other: pl.DataFrame, **said: Any) -> pl.DataFrame:
    """Join as polars 1 did, for which datacompy 1.1 is written."""
    if "join_nulls" in said:
        said["nulls_equal"] = said.pop("join_nulls")
    return _join(one, other, **said)


def compare(url: str, paths: Sequence[Path]) -> tuple[int, int]:
    """Count the codes that differ."""
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(OURS)
        table = cursor.fetch_arrow_table()
    ours = pl.from_arrow(table)
    theirs = pl.concat([pl.read_csv(path, infer_schema=False, empty_string_is_null=False) for path in paths])
    setattr(pl.DataFrame, "join", _join_as_before)  # noqa: B010
    done = datacompy.PolarsCompare(ours, theirs, join_columns=KEY)
    found = len(done.all_mismatch()) + len(done.df1_unq_rows) + len(done.df2_unq_rows)
    return found, int(table.nbytes)
