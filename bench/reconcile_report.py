"""The result of the benchmark of the comparison as people read it; the same in docs/bench/reconcile.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.reconcile_child import FLOOR, KEYED_FLOOR, OURS
from bench.report import aligned, machine
from bench.results import Results
from bench.snapshots import PER_MILLE

_LARGE = 1_000_000
_MOST_TIMES_FLOOR, _LEAST_TIMES_OURS = 1.5, 3.0


@dataclass(frozen=True, slots=True)
class Way:
    """One way to compare; `does` says what it does of our work, in Japanese."""

    name: str
    japanese: str
    does: str
    most: int = 2_000_000


WAYS: tuple[Way, ...] = (
    Way(OURS, "juki-renkei", "復号・署名検証、解析、番号の索引、DBとの範囲ごとの照合、相違列の特定まで全部"),
    Way(FLOOR, "下限1: 復号 + 解析 + SHA-256", "同じ分割を開いて解析し、CSV のバイト列のハッシュを取るだけ"),
    Way(KEYED_FLOOR, "下限2: 復号 + 解析 + 鍵つき照合値", "開いて解析し、1件ごとに鍵つきダイジェストを取るだけ"),
    Way("duckdb", "DuckDB 結合", "復号・署名検証、番号索引済みの CSV と、ADBC で読んだ当方の全行を結合"),
    Way("datacompy-polars", "datacompy (polars)", "同上（ADBC、polars）"),
    Way("pandas", "pandas 外部結合", "同上（SQLAlchemy、pandas）"),
    Way("datacompy-pandas", "datacompy (pandas)", "同上（SQLAlchemy、pandas）", _LARGE),
    Way("reladiff", "reladiff (joindiff)", "CSV を表に COPY し、DB の中で結合", _LARGE),
)  # fmt: skip
_RIVALS = tuple(way for way in WAYS if way.name not in (OURS, FLOOR, KEYED_FLOOR))
Row = Sequence[str]


def text(results: Results) -> str:
    """Lay all tables out."""
    tables = (("照合の速さ", list(_speeds(results))), ("目標との比較", list(_bars(results))))
    return "\n".join(f"{title}\n{aligned(rows)}\n" for title, rows in tables if len(rows) > 1)


def write(results: Results, path: Path) -> None:
    """Write docs/bench/reconcile.md."""
    does = "\n".join(f"| {way.japanese} | {way.does} |" for way in WAYS)
    path.write_text(
        f"""# Speed of the comparison

Made by `make bench-reconcile`; not edited by hand. {machine()}

Absolute times move from machine to machine and with what else it does; the ratios are of one run. Every case runs in
a process of its own; the store is filled once for each size, the ways take turns and the median is told. The clock of
juki-renkei runs from sealed parts on the disk to all differences with their columns. Rivals open the same parts, read
our side from the database and theirs from CSV on the disk with the index in place of the number: they are spared
indexing. Processor seconds are those of the process and of the database server together: on a shared machine they say
more than the wall. What is read from the database is counted as Arrow or pandas holds it.

| 方法 | していること |
|---|---|
{does}

```
{text(results)}```
""",
        encoding="utf-8",
    )


def _speeds(results: Results) -> Iterator[Row]:
    yield (
        "人数",
        "相違",
        "方法",
        "秒",
        "CPU秒",
        "時間の倍率",
        "CPUの倍率",
        "最大MB",
        "開始時MB",
        "DBから読んだMB",
        "回数",
    )
    for size in results.sizes:
        for per_mille in PER_MILLE:
            for way in WAYS:
                key = (way.name, str(per_mille), size)
                if results.has(*key):
                    yield (
                        f"{size:,}", _share(per_mille), way.japanese, f"{results.seconds(*key):.3f}",
                        f"{results.cpu_seconds(*key):.2f}", _times(results, key), _times(results, key, of_cpu=True),
                        f"{results.peak_mb(*key):,}", f"{results.idle_mb(*key):,}",
                        f"{results.stages(*key).get('read', 0) / 1e6:,.1f}", str(len(results.runs[key])),
                    )  # fmt: skip


def _bars(results: Results) -> Iterator[Row]:
    yield ("目標", "人数", "相違", "時間", "CPU", "達成")
    for size in results.sizes:
        for per_mille in PER_MILLE:
            phase = str(per_mille)
            if not results.has(OURS, phase, size):
                continue
            for floor in (FLOOR, KEYED_FLOOR):
                if results.has(floor, phase, size) and per_mille < 50:
                    aim = f"当方 ≤ {'下限1' if floor == FLOOR else '下限2'} × {_MOST_TIMES_FLOOR:g}"
                    yield _bar(results, aim, (OURS, floor), phase, size)
            rivals = [way.name for way in _RIVALS if results.has(way.name, phase, size)]
            if rivals:
                best = min(rivals, key=lambda name: results.seconds(name, phase, size))
                yield _bar(results, f"最速の相手 ≥ 当方 × {_LEAST_TIMES_OURS:g}", (best, OURS), phase, size)


def _bar(results: Results, aim: str, ways: tuple[str, str], phase: str, size: int) -> Row:
    one, other = ways
    ratio = results.ratio(one, other, phase, size) or 0.0
    of_cpu = results.ratio(one, other, phase, size, of_cpu=True) or 0.0
    is_met = ratio <= _MOST_TIMES_FLOOR if one == OURS else ratio >= _LEAST_TIMES_OURS
    return (
        aim, f"{size:,}", _share(int(phase)), f"{ratio:.2f} 倍", f"{of_cpu:.2f} 倍", "達成" if is_met else "未達",
    )  # fmt: skip


def _share(per_mille: int) -> str:
    return f"{per_mille / 10:g}%"


def _times(results: Results, key: tuple[str, str, int], *, of_cpu: bool = False) -> str:
    way, phase, size = key
    ratio = results.ratio(way, OURS, phase, size, of_cpu=of_cpu)
    return f"{ratio:.2f}" if ratio else ""
