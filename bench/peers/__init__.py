"""Other ways to bring the same notices into the same PostgreSQL, each as its users would write it.

Decides:    nothing; which of our rules each way applies is said in docs/bench/intake.md.
Invariants: a peer starts from the decrypted CSV, a package at a time, and ends with the newest record of every
            person under its key, committed. A peer brings records in by its own means, none of the product's.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg

from bench.measured import Measured, Meter
from bench.peers.layout import TABLE, created
from bench.workplace import CHANNEL, Workplace

Loader = Callable[[bytes, str], int]
"""Brings one CSV of one municipality in and tells how many records it had."""
Opener = Callable[[str], AbstractContextManager[Loader]]

MODULES = {
    "polars": "bench.peers.polars_adbc",
    "dlt-arrow": "bench.peers.dlt_arrow",
    "dlt-rows": "bench.peers.dlt_rows",
    "pandas": "bench.peers.pandas_pandera",
    "pydantic": "bench.peers.pydantic_core",
}


def load(way: str, place: Workplace, paths: Sequence[Path]) -> Measured:
    """Bring some packages in by one way and time it; connecting and creating the table are not timed.

    Raises: RuntimeError when not every person is in the table at the end.
    """
    opened: Opener = importlib.import_module(MODULES[way]).opened
    url, records, meter = place.peer_url, 0, Meter(place.home)
    if not way.startswith("dlt"):
        created(url)
    with opened(url) as bring_in:
        for path in paths:
            content = path.read_bytes()
            with meter:
                records += bring_in(content, CHANNEL.municipality_code)
    _check_all_there(url, "peer.people" if way.startswith("dlt") else TABLE, records)
    return meter.measured(records)


def _check_all_there(url: str, table: str, records: int) -> None:
    with psycopg.connect(url) as connection:
        (found,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)
    if found != records:
        raise RuntimeError(f"{found} of {records} records are there")
