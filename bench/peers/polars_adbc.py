"""polars with expressions for the rules, ADBC for the transfer, ON CONFLICT for the merge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import adbc_driver_postgresql.dbapi as adbc
import polars as pl

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


@contextmanager
def opened(url: str) -> Iterator[Loader]:
    """Open a connection for some packages."""
    with adbc.connect(url) as connection:

        def bring_in(content: bytes, municipality_code: str) -> int:
            frame = pl.read_csv(content, infer_schema=False, empty_string_is_null=False)
            faults = frame.select(pl.any_horizontal(_faults(municipality_code)).sum()).item()
            if faults:
                raise ValueError(f"{faults} records break the rules")
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE TEMPORARY TABLE staged AS SELECT * FROM {TABLE} WITH NO DATA")
                cursor.adbc_ingest("staged", _typed(frame).to_arrow(), mode="append", temporary=True)
                cursor.execute(MERGE)
                cursor.execute("DROP TABLE staged")
            connection.commit()
            return int(frame.height)

        yield bring_in


def _faults(municipality_code: str) -> list[pl.Expr]:
    """One expression per rule, true where it is broken."""
    return [
        *(~pl.col(name).str.contains(pattern) for name, pattern in PATTERNS.items()),
        ~pl.col("kind").is_in(KINDS),
        ~pl.col("reason").is_in(REASONS),
        ~pl.col("sex").is_in(SEXES),
        ~pl.col("is_foreign").is_in(FLAGS),
        pl.col("municipality_code") != municipality_code,
        (pl.col("event_date") != "") & pl.col("event_date").str.to_date("%Y-%m-%d", strict=False).is_null(),
        *(
            pl.col(name).str.count_matches(GAIJI, literal=True)
            != pl.col(f"{name}_gaiji").cast(pl.UInt32, strict=False)
            for name in ("name", "address")
        ),
        _wrong_digit("individual_number", NUMBER_WEIGHTS),
        _wrong_digit("resident_code", CODE_WEIGHTS),
    ]


def _wrong_digit(name: str, weights: tuple[int, ...]) -> pl.Expr:
    digits = [
        pl.col(name).str.slice(place, 1).cast(pl.Int32, strict=False) for place in range(len(weights) + 1)
    ]
    total = pl.sum_horizontal(digit * weight for digit, weight in zip(digits, weights, strict=False))
    expected = (11 - total % 11) % 11 % 10
    return (pl.col(name) != "") & (expected != digits[-1])


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    empty_is_null = [
        pl.when(pl.col(name) == "").then(None).otherwise(pl.col(name)).alias(name) for name in COLUMNS
    ]
    return frame.select(empty_is_null).with_columns(
        pl.col("notice_no").cast(pl.Int64),
        pl.col("notified_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_unit="us", time_zone="UTC"),
        pl.col("event_date").str.to_date("%Y-%m-%d"),
        pl.col("is_foreign") == "1",
        pl.col("name_gaiji", "address_gaiji").cast(pl.Int16),
    )
