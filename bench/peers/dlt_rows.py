"""dlt with rows, each validated by a pydantic model."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager

import dlt

from bench.peers import Loader
from bench.peers.dlt_pipeline import MERGE, TABLE, pipeline
from bench.peers.layout import KEY
from bench.peers.record import Record


@contextmanager
def opened(url: str) -> Iterator[Loader]:
    """Open a pipeline for some packages."""
    with pipeline(url) as running:

        def bring_in(content: bytes, _: str) -> int:
            rows = list(csv.DictReader(io.StringIO(content.decode())))
            resource = dlt.resource(
                rows, name=TABLE, primary_key=KEY, write_disposition=MERGE, columns=Record
            )
            running.run(resource)
            return len(rows)

        yield bring_in
