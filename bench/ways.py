"""The ways that are compared, and up to which size each is run.

Decides:    what each way does of what the intake does; slow ways stop where waiting would teach nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

OURS, FLOOR, SMALL = "ours", "floor", "small"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to bring notices into PostgreSQL; `does` says what it does of our work, in Japanese."""

    name: str
    japanese: str
    does: str
    most: int = 1_000_000
    has_again: bool = True


WAYS: tuple[Way, ...] = (
    Way(OURS, "juki-renkei", "復号・署名検証から操作ログまで全部、パッケージごとに1取引"),
    Way(FLOOR, "下限: COPY", "完成した行を同じ表に書くだけ", has_again=False),
    Way("polars", "polars + ADBC", "解析、同じ列規則（式）、COPY、ON CONFLICT。履歴・暗号化・ログなし"),
    Way("dlt-arrow", "dlt merge (arrow)", "解析と upsert のみ。検査・暗号化・ログなし"),
    Way("dlt-rows", "dlt merge (行)", "pydantic の行検査と upsert。暗号化・ログなし", 100_000, has_again=False),
    Way("pandas", "pandas + pandera + to_sql", "解析、同じ列規則、to_sql、merge。履歴・暗号化・ログなし", 100_000),
    Way("pydantic", "pydantic + SQLAlchemy Core", "行ごとの同じ列規則、upsert。履歴・暗号化・ログなし", 100_000),
)  # fmt: skip
PEERS = tuple(way for way in WAYS if way.name not in (OURS, FLOOR))
