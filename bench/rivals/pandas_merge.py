"""pandas: read both sides, merge them outer, compare column by column."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from sqlalchemy import create_engine

from bench.rivals import COLUMNS, KEY, OURS


def both(url: str, paths: Sequence[Path]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read both sides as text."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    ours = pd.read_sql(OURS, engine, dtype="str")
    engine.dispose()
    theirs = pd.concat([pd.read_csv(path, dtype="str", keep_default_na=False) for path in paths])
    return ours, theirs


def compare(url: str, paths: Sequence[Path]) -> tuple[int, int]:
    """Count the codes that differ."""
    ours, theirs = both(url, paths)
    merged = ours.merge(theirs, on=KEY, how="outer", suffixes=("", "_theirs"), indicator=True)
    differs = merged["_merge"] != "both"
    for name in COLUMNS:
        if name != KEY:
            differs |= merged[name] != merged[f"{name}_theirs"]
    return int(differs.sum()), int(ours.memory_usage(deep=True).sum())
