"""Other ways to compare the same two sides, each as its users would write it.

Invariants: a rival opens the sealed parts like everybody, reads our side from the database and theirs from CSV, and
            tells how many people differ in whatever way. It is spared indexing numbers: its CSV has the index.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.measured import Measured, Meter
from bench.workplace import CHANNEL, Workplace
from juki.columns import RECORD_COLUMNS

KEY = "resident_code"
COLUMNS = RECORD_COLUMNS[CHANNEL.file]
_CELLS = {
    "individual_number": "coalesce(encode(number_index, 'hex'), '')",
    "is_foreign": "is_foreign::int::text",
    "name_gaiji": "name_gaiji::text",
    "address_gaiji": "address_gaiji::text",
}
OURS = (
    "SELECT "
    + ", ".join(_CELLS.get(name, f"coalesce({name}, '')") + f" AS {name}" for name in COLUMNS)
    + f" FROM current WHERE sender_code = '{CHANNEL.municipality_code}' AND kind <> 'deletion'"
)
"""Our side in the cells of the snapshot."""

Rival = Callable[[str, Sequence[Path]], tuple[int, int]]
"""Compares a store with the CSV of parts; tells how many codes differ and how many bytes it read of the store."""
MODULES = {
    "datacompy-polars": "bench.rivals.datacompy_polars",
    "datacompy-pandas": "bench.rivals.datacompy_pandas",
    "pandas": "bench.rivals.pandas_merge",
    "duckdb": "bench.rivals.duckdb_join",
    "reladiff": "bench.rivals.reladiff_join",
}


def run(
    way: str, place: Workplace, open_all: Callable[[], None], paths: Sequence[Path]
) -> tuple[int, Measured]:
    """Open the parts, compare by one way, and time it; importing its libraries is not timed."""
    compare: Rival = importlib.import_module(MODULES[way]).compare
    meter = Meter(place.home)
    with meter:
        open_all()
        found, read = compare(place.store_url, paths)
    return found, meter.measured(1, {"read": float(read)})
