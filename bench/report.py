"""The result as people read it: plain aligned text on the terminal, the same in docs/bench/intake.md.

Decides:    which ratios are told. Japanese headings; no name of a machine.
"""

from __future__ import annotations

import os
import platform
import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psycopg

from bench.packages import AGAIN, CHANGED_EVERY, FIRST
from bench.results import Results
from bench.small import FIRST_RUN, NEXT_RUN, RECORDS
from bench.stages import REST, STAGES
from bench.ways import FLOOR, OURS, PEERS, SMALL, WAYS
from config.settings import home_of
from juki.store import embedded

_PHASES = {FIRST: "初回", AGAIN: f"再送（{100 // CHANGED_EVERY}%変更）"}
_VERSIONS = (
    "pyarrow",
    "pandera",
    "psycopg",
    "prefect",
    "polars",
    "dlt",
    "adbc-driver-postgresql",
    "pandas",
    "pydantic",
    "datacompy",
    "duckdb",
    "reladiff",
)
_NUMBER = re.compile(r"([0-9.,]+( 倍| 秒| MB)?)?")
_COMPARED_FROM, _MEMORY_FROM = 100_000, 1_000_000
"""Below, the fixed costs of a process and its connections are compared, not ways to bring records in."""
Row = Sequence[str]


def text(results: Results) -> str:
    """Lay all tables out."""
    return "\n".join(f"{title}\n{aligned(rows)}\n" for title, rows in _tables(results))


def write(results: Results, path: Path) -> None:
    """Write docs/bench/intake.md."""
    path.parent.mkdir(parents=True, exist_ok=True)
    does = "\n".join(f"| {way.japanese} | {way.does} |" for way in WAYS)
    path.write_text(
        f"""# Speed of the intake

Made by `make bench`; not edited by hand. {machine()}

Absolute times move from machine to machine and with what else it does; the ratios are of one run. Every case runs in
a process of its own, into a fresh database on the embedded server with durable settings, after a checkpoint; the
ways take turns and the median is told, memory is the highest of all repeats. First load: entry notices of as many
people of one municipality, in sealed packages of at most 100,000. Re-load: the same people as new notices, one in
{CHANGED_EVERY} with a move, after what autovacuum does overnight. The clock of the intake runs from packages
registered in the spool to the last commit; peers start from the decrypted CSV in memory, connected, with their table
created. Processor seconds are those of the process and of the database server together: on a shared machine they say
more than the wall. The floor is COPY and COMMIT of the finished rows alone.

What each way does (`bench/peers/layout.py` has the rules that peers share):

| 方法 | していること |
|---|---|
{does}

```
{text(results)}```
""",
        encoding="utf-8",
    )


def _tables(results: Results) -> Iterator[tuple[str, list[Row]]]:
    for phase in _PHASES:
        rows = list(_speeds(results, phase))
        if len(rows) > 1:
            yield f"受入の速さ: {_PHASES[phase]}", rows
    stages = list(_stages(results))
    if len(stages[0]) > 1:
        yield "juki-renkei の時間の内訳（%）", stages
    bars = list(_bars(results))
    if len(bars) > 1:
        yield "目標との比較", bars


def _speeds(results: Results, phase: str) -> Iterator[Row]:
    yield ("件数", "方法", "秒", "件/秒", "CPU秒", "時間の倍率", "CPUの倍率", "最大MB", "開始時MB", "回数")
    for size in results.sizes:
        for way in WAYS:
            key = (way.name, phase, size)
            if results.has(*key):
                ratio = results.ratio(way.name, OURS, phase, size)
                of_cpu = results.ratio(way.name, OURS, phase, size, of_cpu=True)
                seconds = results.seconds(*key)
                yield (
                    f"{size:,}", way.japanese, f"{seconds:.3f}", f"{size / seconds:,.0f}",
                    f"{results.cpu_seconds(*key):.2f}", f"{ratio:.2f}" if ratio else "",
                    f"{of_cpu:.2f}" if of_cpu else "", f"{results.peak_mb(*key):,}",
                    f"{results.idle_mb(*key):,}", str(len(results.runs[key])),
                )  # fmt: skip


def _stages(results: Results) -> Iterator[Row]:
    columns = [(phase, size) for phase in _PHASES for size in results.sizes if results.has(OURS, phase, size)]
    yield ("段階", *(f"{_PHASES[phase]} {size:,}" for phase, size in columns))
    found = [results.stages(OURS, phase, size) for phase, size in columns]
    for name in (*(stage.name for stage in STAGES), REST):
        yield (name, *(f"{100 * stages.get(name, 0) / sum(stages.values()):.1f}" for stages in found))


def _bars(results: Results) -> Iterator[Row]:
    yield ("目標", "件数", "時間", "CPU", "達成")
    for size in [size for size in results.sizes if size >= _COMPARED_FROM]:
        if results.has(FLOOR, FIRST, size):
            yield _bar(results, "初回の時間 ≤ 下限 × 2", size, (OURS, FLOOR), 2.0)
        for way in PEERS:
            if results.has(way.name, FIRST, size):
                least = 4.0 if way.name in ("pandas", "pydantic") else 1.3
                yield _bar(results, f"{way.japanese} ≥ 当方 × {least:g}", size, (way.name, OURS), least)
        if results.has(OURS, AGAIN, size):
            gain = results.seconds(OURS, FIRST, size) / results.seconds(OURS, AGAIN, size)
            of_cpu = results.cpu_seconds(OURS, FIRST, size) / results.cpu_seconds(OURS, AGAIN, size)
            yield ("初回 ≥ 再送 × 2", f"{size:,}", f"{gain:.2f} 倍", f"{of_cpu:.2f} 倍", _mark(gain >= 2))
        if size >= _MEMORY_FROM:
            peak = max(
                results.peak_mb(OURS, phase, size) for phase in _PHASES if results.has(OURS, phase, size)
            )
            yield ("最大メモリ ≤ 600 MB", f"{size:,}", f"{peak:,} MB", "", _mark(peak <= 600))
    if results.has(SMALL, FIRST, 0):
        for name, seconds in results.stages(SMALL, FIRST, 0).items():
            is_bar = name in (FIRST_RUN, NEXT_RUN)
            yield (name, str(RECORDS), f"{seconds:.2f} 秒", "", _mark(seconds < 2) if is_bar else "")


def _bar(results: Results, aim: str, size: int, ways: tuple[str, str], bound: float) -> Row:
    """Compare two ways; the floor is a bound from above, a peer one from below."""
    one, other = ways
    ratio = results.ratio(one, other, FIRST, size) or 0.0
    of_cpu = results.ratio(one, other, FIRST, size, of_cpu=True) or 0.0
    is_met = ratio <= bound if other == FLOOR else ratio >= bound
    return (aim, f"{size:,}", f"{ratio:.2f} 倍", f"{of_cpu:.2f} 倍", _mark(is_met))


def _mark(is_met: bool) -> str:
    return "達成" if is_met else "未達"


def aligned(rows: list[Row]) -> str:
    """Align columns by cells of the terminal: a Japanese character is two wide; numbers to the right."""
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    is_number = [all(_NUMBER.fullmatch(row[at]) for row in rows[1:]) for at in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            " " * (width - _width(cell)) + cell if right else cell + " " * (width - _width(cell))
            for cell, width, right in zip(row, widths, is_number, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _width(cell: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WFA" else 1 for character in cell)


def machine() -> str:
    """Say on what was measured, without naming it."""
    found = [f"{name} {found}" for name in _VERSIONS if (found := _version(name))]
    return (
        f"On {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores ({platform.machine()}), "
        f"{platform.system()}, Python {platform.python_version()}, {_postgres()}, {', '.join(found)}."
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _postgres() -> str:
    with psycopg.connect(embedded.admin_url(home_of())) as connection:
        number = connection.info.server_version
    return f"PostgreSQL {number // 10_000}.{number % 10_000}"
