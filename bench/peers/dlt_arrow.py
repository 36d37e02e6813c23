"""dlt with Arrow tables: it loads and merges, no rule is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dlt
import pyarrow as pa
import pyarrow.csv as pacsv

from bench.peers import Loader
from bench.peers.dlt_pipeline import MERGE, TABLE, pipeline
from bench.peers.layout import COLUMNS, KEY


@contextmanager
def opened(url: str) -> Iterator[Loader]:
    """Open a pipeline for some packages."""
    with pipeline(url) as running:

        def bring_in(content: bytes, _: str) -> int:
            table = _read(content)
            resource = dlt.resource(table, name=TABLE, primary_key=KEY, write_disposition=MERGE)
            running.run(resource)
            return int(table.num_rows)

        yield bring_in


def _read(content: bytes) -> pa.Table:
    kept = pacsv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.string()), strings_can_be_null=True)
    return pacsv.read_csv(pa.BufferReader(content), convert_options=kept)
