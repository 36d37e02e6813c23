"""The result of the benchmark of provision as people read it; the same in docs/bench/provide.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.provide_child import FLOOR, OURS, PLAIN, UNLOGGED, Search
from bench.report import aligned, machine
from bench.results import Results

_MOST_TIMES_FLOOR = 2.0
_SEARCHES = {Search.NUMBER: "個人番号", Search.FOUR: "四情報"}
Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to answer; `does` says what it does of our work, in Japanese."""

    name: str
    japanese: str
    does: str
    most: int = 10_000_000
    """People at most: a way that takes minutes for each of many thousand shows nothing more."""


WAYS: tuple[Way, ...] = (
    Way(OURS, "juki-renkei", "要求の復号・署名検証・解析、根拠の判定（二度）、検索、番号の復号、封緘、保管、"
        "一人一件の操作ログと提供の記録まで全部"),
    Way(UNLOGGED, "juki-renkei（一人一件の操作ログなし）", "同上から一人一件の操作ログを除いたもの"),
    Way(FLOOR, "下限: 結合 + AES-GCM + 書込み", "索引を COPY して一度結合し、番号を復号し、CSV を封緘して書くだけ"),
    Way(PLAIN, "素朴な実装", "SQLAlchemy で一人ずつ検索・復号・記録（操作ログなし）", 10_000),
)  # fmt: skip


def text(results: Results) -> str:
    """Lay all tables out."""
    tables = (("提供の速さ", list(_speeds(results))), ("目標との比較", list(_bars(results))))
    return "\n".join(f"{title}\n{aligned(rows)}\n" for title, rows in tables if len(rows) > 1)


def write(results: Results, path: Path) -> None:
    """Write docs/bench/provide.md."""
    does = "\n".join(f"| {way.japanese} | {way.does} |" for way in WAYS)
    path.write_text(
        f"""# Speed of provision

Made by `make bench-provide`; not edited by hand. {machine()}

Absolute times move from machine to machine and with what else it does; the ratios are of one run. Every case runs in
a process of its own; the store holds as many people as are asked for, the ways take turns and the median is told. The
clock of juki-renkei runs from a registered, sealed request to the sealed answer that is kept and said in the store.
Processor seconds are those of the process and of the database server together: on a shared machine they say more than
the wall.

| 方法 | していること |
|---|---|
{does}

```
{text(results)}```
""",
        encoding="utf-8",
    )


def _speeds(results: Results) -> Iterator[Row]:
    yield ("人数", "検索", "方法", "秒", "CPU秒", "時間の倍率", "CPUの倍率", "最大MB", "回数")
    for size in results.sizes:
        for search, japanese in _SEARCHES.items():
            for way in WAYS:
                key = (way.name, search.value, size)
                if results.has(*key):
                    yield (
                        f"{size:,}", japanese, way.japanese, f"{results.seconds(*key):.3f}",
                        f"{results.cpu_seconds(*key):.2f}", _times(results, key), _times(results, key, of_cpu=True),
                        f"{results.peak_mb(*key):,}", str(len(results.runs[key])),
                    )  # fmt: skip


def _bars(results: Results) -> Iterator[Row]:
    yield ("目標", "人数", "検索", "時間", "CPU", "達成")
    for size in results.sizes:
        for search, japanese in _SEARCHES.items():
            for name in (OURS, UNLOGGED):
                if results.has(name, search.value, size) and results.has(FLOOR, search.value, size):
                    ratio = results.ratio(name, FLOOR, search.value, size) or 0.0
                    of_cpu = results.ratio(name, FLOOR, search.value, size, of_cpu=True) or 0.0
                    who = "当方" if name == OURS else "当方（一人一件の操作ログなし）"
                    aim = f"{who} ≤ 下限 × {_MOST_TIMES_FLOOR:g}"
                    is_met = "達成" if ratio <= _MOST_TIMES_FLOOR else "未達"
                    yield (aim, f"{size:,}", japanese, f"{ratio:.2f} 倍", f"{of_cpu:.2f} 倍", is_met)


def _times(results: Results, key: tuple[str, str, int], *, of_cpu: bool = False) -> str:
    way, phase, size = key
    ratio = results.ratio(way, FLOOR, phase, size, of_cpu=of_cpu)
    return f"{ratio:.2f}" if ratio else ""
