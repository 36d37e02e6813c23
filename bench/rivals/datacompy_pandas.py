"""datacompy on pandas frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import datacompy

from bench.rivals import KEY
from bench.rivals.pandas_merge import both


def compare(url: str, paths: Sequence[Path]) -> tuple[int, int]:
    """Count the codes that differ."""
    ours, theirs = both(url, paths)
    done = datacompy.PandasCompare(ours, theirs, join_columns=KEY)
    found = len(done.all_mismatch()) + len(done.df1_unq_rows) + len(done.df2_unq_rows)
    return found, int(ours.memory_usage(deep=True).sum())
