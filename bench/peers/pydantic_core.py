"""The usual row-wise way: csv, a pydantic model per row, SQLAlchemy Core upserts in batches."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import MetaData, Table, create_engine
from sqlalchemy.dialects.postgresql import insert

from bench.peers import Loader
from bench.peers.layout import COLUMNS, KEY, TABLE
from bench.peers.record import Record

_BATCH_ROWS = 1_000


@contextmanager
def opened(url: str) -> Iterator[Loader]:
    """Open an engine for some packages."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    table = Table(TABLE, MetaData(), autoload_with=engine)

    def bring_in(content: bytes, municipality_code: str) -> int:
        reader = csv.DictReader(io.StringIO(content.decode()))
        records = [Record.model_validate(row) for row in reader]
        if any(record.municipality_code != municipality_code for record in records):
            raise ValueError("a record of another municipality")
        with engine.begin() as connection:
            for start in range(0, len(records), _BATCH_ROWS):
                batch = records[start : start + _BATCH_ROWS]
                statement = insert(table)
                changed = {name: statement.excluded[name] for name in COLUMNS if name != KEY}
                connection.execute(
                    statement.on_conflict_do_update(index_elements=[KEY], set_=changed),
                    [record.model_dump() for record in batch],
                )
        return len(records)

    yield bring_in
    engine.dispose()
