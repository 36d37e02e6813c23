"""`make bench-purge`: erase 100,000 held numbers of a million, as one provision and as a hundred.

Decides:    what is held before, and what is measured: time, size of the table, whether it was rewritten.
Leaves:     the erasing itself to `juki.custody.purging`, exactly as a flow does it.

Environment: NUMBERS (default 100000 due), KEPT (default 900000 that stay), BENCH_HOME (default .juki-bench).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from juki.columns import IdentityFile
from juki.custody.custody import Custody
from juki.custody.purging import Purge
from juki.holds import HoldTerms
from juki.home import Home, close_to_others
from juki.operators import Acting
from juki.package_id import PackageId
from juki.store import embedded
from juki.store.install import install

FUHYO = IdentityFile.FUHYO
AT = datetime(2026, 4, 4, tzinfo=UTC)
_DATABASES = {file: f"bench_purge_{file.value}" for file in IdentityFile}
_STATE = """
    SELECT pg_relation_filenode('held_number'), pg_total_relation_size('held_number'),
           (SELECT count(*) FROM held_number), pg_current_wal_lsn() - '0/0'::pg_lsn
"""
_SEALED_BYTES = 55
"""Algorithm, key id, nonce, twelve digits and tag."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one purge took."""

    provisions: int
    numbers: int
    seconds: float
    rows: tuple[int, int]
    megabytes: tuple[float, float]
    wal_megabytes: float
    is_rewritten: bool


def main() -> int:
    """Measure, print, and write docs/bench/purge.md when it is the whole."""
    close_to_others()
    due, kept = int(os.environ.get("NUMBERS", 100_000)), int(os.environ.get("KEPT", 900_000))
    home = Home.at(Path(os.environ.get("BENCH_HOME", ".juki-bench")).absolute())
    home.create()
    with _stores(home) as urls:
        figures = [_measured(home, urls, provisions, due, kept) for provisions in (1, 100)]
    text = report(figures)
    sys.stdout.write(text)
    if "NUMBERS" not in os.environ and "KEPT" not in os.environ:
        Path("docs/bench/purge.md").write_text(text, "utf-8")
    return 0


@contextmanager
def _stores(home: Home) -> Iterator[dict[IdentityFile, str]]:
    server = embedded.start(home)
    try:
        for file, name in _DATABASES.items():
            embedded.ensure_database(server, name)
            install(embedded.admin_url(home, name), file)
        yield {file: embedded.admin_url(home, name) for file, name in _DATABASES.items()}
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            for name in _DATABASES.values():
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        embedded.stop(home)


def _measured(home: Home, urls: dict[IdentityFile, str], provisions: int, due: int, kept: int) -> Figures:
    custody = Custody(
        home,
        urls,
        HoldTerms(timedelta(hours=72), timedelta(hours=24)),
        lambda _: home.outbox,
        lambda: AT,
        lambda hold, at: None,
        Acting("bench"),
    )
    ids = _hold(urls[FUHYO], provisions, due, kept)
    for number in ids:
        provision = PackageId(FUHYO, number)
        custody.copies.keep(provision, custody.keys.ensure(provision), os.urandom(1000))
    before = _state(urls[FUHYO])
    started = time.perf_counter()
    summary = Purge(custody, AT, timedelta(hours=1)).run()
    seconds = time.perf_counter() - started
    after = _state(urls[FUHYO])
    if (len(summary.erased), summary.numbers, after[2]) != (provisions, due, kept):
        raise RuntimeError("the purge did not erase what was due, or more")
    return Figures(
        provisions, due, seconds, (before[2], after[2]), (before[1] / 1e6, after[1] / 1e6),
        (after[3] - before[3]) / 1e6, before[0] != after[0],
    )  # fmt: skip


def _hold(url: str, provisions: int, due: int, kept: int) -> list[int]:
    """Fill the table: what stays under provisions of a thousand, what is due under some provisions."""
    with psycopg.connect(url) as connection:
        connection.execute("TRUNCATE provision, hold, held_number RESTART IDENTITY")
        connection.execute(
            "INSERT INTO provision (recipient, request_no, method, request_sha256, basis, purpose, lines, state,"
            " received_at) SELECT 'zeimu', n, 'file', '\\x00', 'b', 'p', 1, 'delivered', %s"
            " FROM generate_series(1, %s) n",
            (AT - timedelta(hours=72), provisions + kept // 1000),
        )
        connection.execute(
            "INSERT INTO hold SELECT provision_id, CASE WHEN provision_id <= %(p)s THEN %(each)s ELSE 1000 END,"
            " %(at)s, %(at)s + CASE WHEN provision_id <= %(p)s THEN interval '72 hours' ELSE interval '99 days' END"
            " FROM provision",
            {"p": provisions, "each": due // provisions, "at": AT - timedelta(hours=72)},
        )
        connection.execute(
            "INSERT INTO held_number SELECT provision_id, line,"
            " decode(rpad(md5(line::text), %s, 'ab'), 'hex') FROM hold, generate_series(1, numbers) line",
            (2 * _SEALED_BYTES,),
        )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE held_number")
        connection.execute("CHECKPOINT")
    return list(range(1, provisions + 1))


def _state(url: str) -> tuple[int, int, int, int]:
    with psycopg.connect(url) as connection:
        found = connection.execute(_STATE).fetchone()
    if found is None:
        raise RuntimeError("no state")
    return int(found[0]), int(found[1]), int(found[2]), int(found[3])


def report(figures: list[Figures]) -> str:
    """Write the page."""
    rows = "\n".join(
        f"| {one.provisions:,} | {one.numbers:,} | {one.rows[0]:,} → {one.rows[1]:,} | {one.seconds:.2f} s |"
        f" {one.megabytes[0]:.0f} → {one.megabytes[1]:.0f} MB | {one.wal_megabytes:.0f} MB |"
        f" {'**yes**' if one.is_rewritten else 'no'} |"
        for one in figures
    )
    return f"{_ABOVE}{rows}\n{_BELOW}"


_ABOVE = (
    "# Speed of the purge\n\n"
    "Made by `make bench-purge` on a shared machine of two cores: quote ratios, not seconds. A purge destroys the"
    " keys, deletes the rows, removes the copies, looks whether all of it is gone, and writes a proof for each"
    " provision, all in the embedded PostgreSQL with durable settings.\n\n"
    "| provisions due | numbers due | rows held | time | size of the table with its index | write-ahead log"
    " | table rewritten |\n"
    "|---:|---:|---:|---:|---:|---:|---|\n"
)
_BELOW = """
The table keeps its size: rows that are deleted are given to the next holds by autovacuum. Nothing is rewritten and
nobody is locked out: erasing is what the destroyed key does ([ADR-0028](../decisions/0028-holds-and-purge.md)).
What a provision costs is its key file, synced three times, and its proof; what a number costs is a deleted row.
"""


if __name__ == "__main__":
    sys.exit(main())
