"""Names of simulated people: surnames by real frequency, given names by sex and generation, readings.

Decides:    which names exist, how often each is drawn, and which carry rare characters or gaiji.
Leaves:     who bears which name to `simulator.people`.
Invariants: kana are full-width katakana; surname and given name are joined by one full-width space; the number
            of 〓 in every entry is known, never counted afterwards. Frequencies of surnames are those of the
            public dataset; given names have none there, so earlier entries of a fixed shuffle are favoured.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from japanese_personal_name_dataset import NameDict, load_dataset
from numpy.typing import NDArray

GETA = "〓"
"""U+3013: stands for one character that has no code (外字)."""
SPACE = "\u3000"

_HIRAGANA_TO_KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_GENERATION_BREAK = 1970
_SHUFFLE_SEED = 20020805
_SKEW = 2.0

# Written with escapes where two spellings look alike: IVS (U+E0100…), SIP (U+20BB7), compatibility ideographs.
_RARE_SURNAMES = (
    ("\U00020bb7田", "ヨシダ"), ("\U00020bb7川", "ヨシカワ"), ("\U00020bb7村", "ヨシムラ"),
    ("髙橋", "タカハシ"), ("濵田", "ハマダ"), ("山\ufa11", "ヤマサキ"), ("\ufa19谷", "カミヤ"),
    ("\ufa1b田", "フクダ"), ("辻\U000e0100", "ツジ"), ("葛\U000e0100城", "カツラギ"),
    ("渡邉\U000e0102", "ワタナベ"), ("榊\U000e0100原", "サカキバラ"), ("斎\U000e0101藤", "サイトウ"),
    (f"渡{GETA}", "ワタナベ"), (f"{GETA}藤", "サイトウ"), (f"{GETA}{GETA}", "クサナギ"),
)  # fmt: skip
_RARE_MEN = (
    ("\uf9dc", "タカシ"),
    ("\U00020bb7男", "ヨシオ"),
    ("祐\U000e0100介", "ユウスケ"),
    (f"{GETA}太郎", "リュウタロウ"),
)
_RARE_WOMEN = (
    ("\ufa1b子", "フクコ"),
    ("\U00020b9f美", "シカミ"),
    ("葵\U000e0100", "アオイ"),
    (f"真{GETA}", "マユ"),
)
_RARE_SURNAME_SHARE = 0.006
_RARE_GIVEN_SHARE = 0.002
_OLDER_WOMEN_ENDINGS = tuple("子江代枝恵")
_OLDER_MEN_ENDINGS = tuple("夫雄男郎一二三治司弘義")

_LATIN = (
    ("NGUYEN TRAN PHAM LE VU HOANG", "VAN ANH|THI HOA|MINH DUC|THI LAN|QUANG HUY|NGOC MAI"),
    ("KIM PARK LEE CHOI JUNG", "MINJUN|SEOYEON|JIHOON|HYEJIN|SUNGHO|YOUNGJA"),
    ("WANG LI ZHANG CHEN LIU YANG", "WEI|FANG|MIN|JING|LEI|XIAOLING"),
    ("SANTOS REYES CRUZ GARCIA RAMOS", "MARIA CRISTINA|JOSE MIGUEL|ANGELICA|JUAN PAOLO|ROSE ANN"),
    ("WIJAYA SUSANTO PUTRA SARI", "BUDI|DEWI|AGUS|SITI NURHALIZA|RIZKI"),
    ("SMITH JOHNSON BROWN O'NEILL", "JOHN ROBERT|EMILY|MICHAEL|SARAH JANE"),
)
"""Surnames and given names as a residence card writes them: capital Latin letters, ASCII spaces."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Entries to draw from: text, reading, gaiji count, and where each of the groups begins."""

    text: pa.Array
    kana: pa.Array
    gaiji: NDArray[np.int64]
    starts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Names:
    """All vocabularies: Japanese surnames, given names in four groups and a rare one per sex, Latin names."""

    surnames: Vocabulary
    cumulative: NDArray[np.float64]
    given: Vocabulary
    latin: pa.Array

    def draw_surnames(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw surnames as positions, by frequency."""
        drawn = np.searchsorted(self.cumulative, rng.random(count), side="right")
        return np.minimum(drawn, len(self.cumulative) - 1)

    def draw_given(
        self, is_man: NDArray[np.bool_], birth_year: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw given names as positions that fit the sex and the generation."""
        group = np.where(is_man, 0, 2) + (birth_year >= _GENERATION_BREAK)
        group = np.where(rng.random(len(group)) < _RARE_GIVEN_SHARE, np.where(is_man, 4, 5), group)
        size = self.given.starts[group + 1] - self.given.starts[group]
        drawn = self.given.starts[group] + (rng.random(len(group)) ** _SKEW * size).astype(np.int64)
        return np.asarray(drawn, dtype=np.int64)

    def full(
        self, surnames: NDArray[np.int64], given: NDArray[np.int64]
    ) -> tuple[pa.Array, pa.Array, NDArray[np.int64]]:
        """Write full names, readings and gaiji counts of surname and given-name positions."""
        text = _joined(self.surnames.text, surnames, self.given.text, given)
        kana = _joined(self.surnames.kana, surnames, self.given.kana, given)
        return text, kana, self.surnames.gaiji[surnames] + self.given.gaiji[given]

    def draw_latin(self, count: int, rng: np.random.Generator) -> pa.Array:
        """Draw names of foreign residents."""
        return self.latin.take(pa.array(rng.integers(0, len(self.latin), count)))


@lru_cache(maxsize=1)
def load_names() -> Names:
    """Read the public name dataset once; the same vocabularies whatever the seed."""
    men, women, last = load_dataset("opti", include_last_names=True)
    counts = np.array([entry["count"] for entry in last.values()], dtype=np.float64)
    rare = np.full(len(_RARE_SURNAMES), counts.sum() * _RARE_SURNAME_SHARE / len(_RARE_SURNAMES))
    weights = np.concatenate([counts, rare])
    surnames = [(kanji, _katakana(entry["reading"])) for kanji, entry in last.items()]
    return Names(
        surnames=_vocabulary([[*surnames, *_RARE_SURNAMES]]),
        cumulative=np.cumsum(weights) / weights.sum(),
        given=_vocabulary([
            *_generations(_spellings(men), _OLDER_MEN_ENDINGS),
            *_generations(_spellings(women), _OLDER_WOMEN_ENDINGS),
            list(_RARE_MEN), list(_RARE_WOMEN),
        ]),
        latin=pa.array([f"{a} {b}" for last_, first in _LATIN for a in last_.split() for b in first.split("|")]),
    )  # fmt: skip


def _spellings(readings: NameDict) -> list[tuple[str, str]]:
    return [(kanji, _katakana(kana)) for kana, entry in readings.items() for kanji in entry["kanji"]]


def _generations(
    pairs: list[tuple[str, str]], older: tuple[str, ...]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Split given names into those of the older and of the younger generation, each in a fixed shuffle."""
    order = np.random.default_rng(_SHUFFLE_SEED).permutation(len(pairs))
    shuffled = [pairs[position] for position in order]
    return [p for p in shuffled if p[0].endswith(older)], [p for p in shuffled if not p[0].endswith(older)]


def _vocabulary(groups: list[list[tuple[str, str]]]) -> Vocabulary:
    pairs = [pair for group in groups for pair in group]
    return Vocabulary(
        text=pa.array([text for text, _ in pairs]),
        kana=pa.array([kana for _, kana in pairs]),
        gaiji=np.array([text.count(GETA) for text, _ in pairs], dtype=np.int64),
        starts=np.cumsum([0, *(len(group) for group in groups)]),
    )


def _joined(
    surnames: pa.Array, first: NDArray[np.int64], given: pa.Array, second: NDArray[np.int64]
) -> pa.Array:
    return pc.binary_join_element_wise(surnames.take(pa.array(first)), given.take(pa.array(second)), SPACE)


def _katakana(hiragana: str) -> str:
    return hiragana.translate(_HIRAGANA_TO_KATAKANA)
