"""The usual pandas way: read_csv, a pandera schema, to_sql into a stage, one SQL merge."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import pandera.pandas as pa
from sqlalchemy import create_engine, text

from bench.peers import Loader
from bench.peers.layout import (
    CODE_WEIGHTS,
    COLUMNS,
    FLAGS,
    GAIJI,
    KINDS,
    MERGE,
    NUMBER_WEIGHTS,
    PATTERNS,
    REASONS,
    SEXES,
    TABLE,
)  # fmt: skip

_CHUNK_ROWS = 10_000


@contextmanager
def opened(url: str) -> Iterator[Loader]:
    """Open an engine for some packages."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))

    def bring_in(content: bytes, municipality_code: str) -> int:
        frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
        _schema(municipality_code).validate(frame, lazy=True)
        with engine.begin() as connection:
            connection.execute(
                text(f"CREATE TEMPORARY TABLE staged ON COMMIT DROP AS SELECT * FROM {TABLE} WITH NO DATA")
            )
            _typed(frame).to_sql("staged", connection, if_exists="append", index=False, chunksize=_CHUNK_ROWS)
            connection.execute(text(MERGE))
        return len(frame)

    yield bring_in
    engine.dispose()


def _schema(municipality_code: str) -> pa.DataFrameSchema:
    checks: dict[str, list[pa.Check]] = {name: [] for name in COLUMNS}
    for name, pattern in PATTERNS.items():
        checks[name].append(pa.Check.str_matches(pattern))
    for name, values in (("kind", KINDS), ("reason", REASONS), ("sex", SEXES), ("is_foreign", FLAGS)):
        checks[name].append(pa.Check.isin(values))
    checks["municipality_code"].append(pa.Check.eq(municipality_code))
    checks["event_date"].append(pa.Check(_is_date))
    checks["individual_number"].append(pa.Check(lambda column: _has_right_digit(column, NUMBER_WEIGHTS)))
    checks["resident_code"].append(pa.Check(lambda column: _has_right_digit(column, CODE_WEIGHTS)))
    agree = [
        pa.Check(lambda frame, name=name: frame[name].str.count(GAIJI) == frame[f"{name}_gaiji"].astype(int))
        for name in ("name", "address")
    ]
    columns = {name: pa.Column(str, found) for name, found in checks.items()}
    return pa.DataFrameSchema(columns, checks=agree, strict=True)


def _is_date(column: pd.Series[str]) -> pd.Series[bool]:
    return (column == "") | pd.to_datetime(column, format="%Y-%m-%d", errors="coerce").notna()


def _has_right_digit(column: pd.Series[str], weights: tuple[int, ...]) -> pd.Series[bool]:
    present = column[column != ""]
    digits = [present.str[place].astype(int) for place in range(len(weights) + 1)]
    total = sum((digit * weight for digit, weight in zip(digits, weights, strict=False)), digits[0] * 0)
    right = ((11 - total % 11) % 11 % 10).eq(digits[-1])
    return right.reindex(column.index, fill_value=True)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    typed = frame.replace({"": None})
    typed["notice_no"] = typed["notice_no"].astype("int64")
    typed["notified_at"] = pd.to_datetime(typed["notified_at"])
    typed["event_date"] = pd.to_datetime(typed["event_date"]).dt.date
    typed["is_foreign"] = typed["is_foreign"] == "1"
    return typed.astype({"name_gaiji": "int16", "address_gaiji": "int16"})
