"""What both modes of dlt share: a pipeline of its own with nothing left behind and nobody told."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

DATASET, TABLE = "peer", "people"
MERGE = {"disposition": "merge", "strategy": "upsert"}


@contextmanager
def pipeline(url: str) -> Iterator[Any]:
    """Open a pipeline to a database."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
    import dlt

    # dlt insists on a host and a password; libpq takes the socket named behind them and asks for none.
    credentials = url.replace("@/", ":unused@localhost/")
    with tempfile.TemporaryDirectory() as folder:
        yield dlt.pipeline(
            "bench_peer",
            destination=dlt.destinations.postgres(credentials),
            dataset_name=DATASET,
            pipelines_dir=folder,
        )
