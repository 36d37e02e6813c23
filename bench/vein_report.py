"""docs/bench/vein.md: the rates of the vein stand-in and the success of attacks, as tables."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.report import Row, aligned
from simulator.vein import bch

_CODES = ((130, 55), (103, 61), (85, 63), (76, 85), (49, 93), (31, 109), (10, 121))
"""Free bits and corrected errors of binary BCH codes of length 511 (Lin and Costello, table C)."""
_RULE_OF_THREE = 3.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Differing bits of comparisons: of owners, of strangers, by noise of the capture, by likeness of the palm."""

    own: NDArray[np.int64]
    others: NDArray[np.int64]
    by_noise: dict[float, NDArray[np.int64]]
    by_likeness: dict[float, NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Attacks:
    """What attacks reached, one figure for each template or pair."""

    blind: NDArray[np.float64]
    leaked: NDArray[np.float64]
    bare: NDArray[np.float64]
    blocks: NDArray[np.float64]
    repeated: NDArray[np.float64]
    of_one_palm: NDArray[np.float64]
    of_two_palms: NDArray[np.float64]
    linked: int
    broken: NDArray[np.int64]

    @property
    def area(self) -> float:
        """How often a pair of one palm agrees more than a pair of two: 0.5 is chance, 1 or 0 is linked."""
        first, second = self.of_one_palm[:, None], self.of_two_palms
        return float(np.mean(first > second) + np.mean(first == second) / 2)


def write(rates: Rates, attacks: Attacks, path: Path | None) -> str:
    """Lay the tables out, and write the page where a path is given."""
    tables = "\n".join(f"{title}\n{aligned(list(rows))}\n" for title, rows in _tables(rates, attacks))
    if path is not None:
        path.write_text(_page(tables, attacks), encoding="utf-8")
    return tables


def _page(tables: str, attacks: Attacks) -> str:
    python = f"Python {platform.python_version()}, numpy {version('numpy')}"
    return f"""# Error rates of the vein stand-in

Made by `make bench-vein`; not edited by hand. On {datetime.now(UTC):%Y-%m-%d}: {platform.machine()}, {python}.

**These palms are made up** (512 independent normal features each, `simulator/vein/palms.py`). The figures show that
the protection of templates works and what it costs; they say nothing of human palms, of a sensor, or of a device.
{len(attacks.leaked):,} palms, each enrolled from 5 captures, a different rotation each. 本人 (owners) are ordinary
captures, better and worse ones; 他人 (strangers) every template with captures of other palms. Accepted is what
differs in at most {bch.CORRECTS} of {bch.LENGTH} bits; of both, ten a template also went the whole way through the
decoder and were judged alike. Where there was no error the bound is that of 95 % confidence (3 / comparisons).

```
{tables}```

The second table is why this code was chosen: 76 bits are what a thief has to guess, and with fewer corrected errors
too many owners are refused. 復元 (reconstruction): the correlation with the palm of what is made from a template and
its seed; 流出 is what is stored, 生の特徴 is what a plain BioHash would store. By 7 bits: how much of the palm lies
among the sums of blocks of seven, by chance {np.sqrt(bch.LENGTH / 7 / 512):.3f}; 反復符号 is the same on a repetition
code. 突合 (linking): the stored differences of two templates of one palm, and of two palms. 破られた後: somebody
found the enrolled bits of an old template all the same, and shows the palm they give to a new one. A stolen template
was of no use in these attempts; one that was *broken* is seldom, but not never, enough for its successor: the second
factor remains.
"""


def _tables(rates: Rates, attacks: Attacks) -> Iterator[tuple[str, Iterator[Row]]]:
    yield "誤り率", _errors(rates)
    yield "符号の選択（長さ511のBCH符号）", _codes(rates)
    yield "採取の質と本人拒否率", _noises(rates)
    yield "似た手のひらと他人受入率", _likenesses(rates)
    yield "復元の試み（手のひらとの相関）", _reconstructions(attacks)
    yield "突合と再利用の試み", _links(attacks)


def _errors(rates: Rates) -> Iterator[Row]:
    yield ("", "比較", "誤り", "誤り率", "異なるビット（平均）", "最小", "最大")
    refused, accepted = int((rates.own > bch.CORRECTS).sum()), int((rates.others <= bch.CORRECTS).sum())
    yield ("本人拒否", *_row(rates.own, refused))
    yield ("他人受入", *_row(rates.others, accepted))


def _row(distances: NDArray[np.int64], wrong: int) -> Row:
    return (
        f"{len(distances):,}", f"{wrong:,}", _rate(wrong, len(distances)), f"{distances.mean():.1f}",
        f"{distances.min()}", f"{distances.max()}",
    )  # fmt: skip


def _codes(rates: Rates) -> Iterator[Row]:
    yield ("自由ビット", "訂正", "本人拒否率", "他人受入率", "採用")
    for free, corrected in _CODES:
        refused, accepted = int((rates.own > corrected).sum()), int((rates.others <= corrected).sum())
        chosen = "○" if (free, corrected) == (bch.MESSAGE_BITS, bch.CORRECTS) else ""
        yield (
            f"{free}", f"{corrected}", _rate(refused, len(rates.own)), _rate(accepted, len(rates.others)), chosen
        )  # fmt: skip


def _noises(rates: Rates) -> Iterator[Row]:
    yield ("雑音", "比較", "異なるビット（平均）", "本人拒否率")
    for noise, found in rates.by_noise.items():
        refused = int((found > bch.CORRECTS).sum())
        yield (f"{noise:.1f}", f"{len(found):,}", f"{found.mean():.1f}", _rate(refused, len(found)))


def _likenesses(rates: Rates) -> Iterator[Row]:
    yield ("手のひらの相関", "比較", "異なるビット（平均）", "他人受入率")
    for likeness, found in rates.by_likeness.items():
        accepted = int((found <= bch.CORRECTS).sum())
        yield (f"{likeness:.1f}", f"{len(found):,}", f"{found.mean():.1f}", _rate(accepted, len(found)))


def _reconstructions(attacks: Attacks) -> Iterator[Row]:
    yield ("何から", "件数", "平均", "標準偏差")
    for name, found in (
        ("当てずっぽう", attacks.blind),
        ("流出したテンプレート", attacks.leaked),
        ("生の特徴（BioHash）", attacks.bare),
        ("流出したテンプレート、7ビットずつ", attacks.blocks),
        ("反復符号なら、7ビットずつ", attacks.repeated),
    ):
        yield (name, f"{len(found):,}", f"{found.mean():.3f}", f"{found.std():.3f}")


def _links(attacks: Attacks) -> Iterator[Row]:
    broken = int((attacks.broken <= bch.CORRECTS).sum())
    yield ("試み", "件数", "結果")
    for name, found in (
        ("一致: 同じ手のひら", attacks.of_one_palm),
        ("一致: 別の手のひら", attacks.of_two_palms),
    ):
        yield (name, f"{len(found):,}", f"{found.mean():.4f} ± {found.std():.4f}")
    yield ("見分けられる割合（AUC、0.5 は偶然）", f"{len(attacks.of_one_palm) ** 2:,}", f"{attacks.area:.3f}")
    yield ("同じ手のひらと復号できた組", f"{len(attacks.of_one_palm):,}", f"{attacks.linked}")
    yield ("破られた後の新しいテンプレート", f"{len(attacks.broken):,}", _rate(broken, len(attacks.broken)))


def _rate(wrong: int, of: int) -> str:
    return f"{wrong / of:.2%}" if wrong else f"< {_RULE_OF_THREE / of:.4%}"
