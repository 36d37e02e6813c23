"""The result as people read it: plain aligned text on the terminal, the same in docs/bench/intake.md.

Decides:    which ratios are told. Japanese headings; no name of a machine.
"""

from __future__ import annotations

import os
import platform
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psycopg

from bench.packages import AGAIN, CHANGED_EVERY, FIRST
from bench.results import Results
from bench.small import FIRST_RUN, NEXT_RUN, RECORDS, START
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
)
Row = Sequence[str]


def text(results: Results) -> str:
    """Lay all tables out."""
    return "\n".join(f"{title}\n{_aligned(rows)}\n" for title, rows in _tables(results))


def write(results: Results, path: Path) -> None:
    """Write docs/bench/intake.md."""
    path.parent.mkdir(parents=True, exist_ok=True)
    does = "\n".join(f"| {way.japanese} | {way.does} |" for way in WAYS)
    path.write_text(
        f"""# Speed of the intake

Made by `make bench`; not edited by hand. {_machine()}

Absolute times move from machine to machine and with what else it does; the ratios are of one run. Every case runs in
a process of its own, into a fresh database on the embedded server with durable settings, after a checkpoint; the
ways take turns and the median is told, memory is the highest of all repeats. First load: entry notices of as many
people of one municipality, in sealed packages of at most 100,000. Re-load: the same people as new notices, one in
{CHANGED_EVERY} with a move, after what autovacuum does overnight. The clock of the intake runs from packages
registered in the spool to the last commit; peers start from the decrypted CSV in memory, connected, with their table
created. The floor is COPY and COMMIT of the finished rows alone.

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
    if len(stages) > 1:
        yield "juki-renkei の時間の内訳（%）", stages
    bars = list(_bars(results))
    if len(bars) > 1:
        yield "目標との比較", bars


def _speeds(results: Results, phase: str) -> Iterator[Row]:
    yield ("件数", "方法", "秒", "件/秒", "juki-renkeiの何倍の時間", "最大メモリMB", "うち開始時MB", "回数")
    for size in results.sizes:
        for way in WAYS:
            key = (way.name, phase, size)
            if results.has(*key):
                ratio = results.ratio(way.name, OURS, phase, size)
                seconds = results.seconds(*key)
                yield (
                    f"{size:,}", way.japanese, f"{seconds:.3f}", f"{size / seconds:,.0f}",
                    f"{ratio:.2f}" if ratio else "", f"{results.peak_mb(*key):,}", f"{results.idle_mb(*key):,}",
                    str(len(results.runs[key])),
                )  # fmt: skip


def _stages(results: Results) -> Iterator[Row]:
    columns = [(phase, size) for phase in _PHASES for size in results.sizes if results.has(OURS, phase, size)]
    yield ("段階", *(f"{_PHASES[phase]} {size:,}" for phase, size in columns))
    found = [results.stages(OURS, phase, size) for phase, size in columns]
    for name in (*(stage.name for stage in STAGES), REST):
        yield (name, *(f"{100 * stages.get(name, 0) / sum(stages.values()):.1f}" for stages in found))


def _bars(results: Results) -> Iterator[Row]:
    yield ("目標", "件数", "実測", "達成")
    for size in results.sizes:
        above_floor = results.ratio(OURS, FLOOR, FIRST, size)
        if above_floor is not None and size >= 100_000:
            yield _bar("初回 ≤ 下限の2倍", size, above_floor, above_floor <= 2)
        for way in PEERS:
            ratio = results.ratio(way.name, OURS, FIRST, size)
            if ratio is not None and size >= 100_000:
                least = 4.0 if way.name in ("pandas", "pydantic") else 1.3
                yield _bar(f"{way.japanese} の {least:g} 倍以上速い", size, ratio, ratio >= least)
        if results.has(OURS, AGAIN, size):
            gain = results.seconds(OURS, FIRST, size) / results.seconds(OURS, AGAIN, size)
            if size >= 100_000:
                yield _bar("再送は初回の2倍以上速い", size, gain, gain >= 2)
        if size >= 1_000_000:
            peak = max(
                results.peak_mb(OURS, phase, size) for phase in _PHASES if results.has(OURS, phase, size)
            )
            yield ("最大メモリ ≤ 600 MB", f"{size:,}", f"{peak:,} MB", _mark(peak <= 600))
    if results.has(SMALL, FIRST, 0):
        for name, seconds in results.stages(SMALL, FIRST, 0).items():
            is_bar = name in (FIRST_RUN, NEXT_RUN)
            aim = (
                f"{RECORDS}件1個、取得から受領書まで < 2秒: {name}" if is_bar else f"{RECORDS}件1個: {START}"
            )
            yield (aim, str(RECORDS), f"{seconds:.2f} 秒", _mark(seconds < 2) if is_bar else "")


def _bar(aim: str, size: int, ratio: float, is_met: bool) -> Row:
    return (aim, f"{size:,}", f"{ratio:.2f} 倍", _mark(is_met))


def _mark(is_met: bool) -> str:
    return "達成" if is_met else "未達"


def _aligned(rows: list[Row]) -> str:
    """Align columns by cells of the terminal: a Japanese character is two wide; numbers to the right."""
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    is_number = [all(not row[at] or row[at][0].isdigit() for row in rows[1:]) for at in range(len(rows[0]))]
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


def _machine() -> str:
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
