"""The plots beside the morning page: their bars are their counts, and what is written on them is escaped."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from juki.columns import IdentityFile
from juki.overview.charts import BLUE, GREEN, ORANGE, VERMILION, Chart, Series, upright
from juki.overview.plots import plots_of
from juki.overview.trends import Trends, days_until, open_at_end
from juki.store.trends import Duration

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
DAYS = days_until(date(2026, 11, 30), 30)
NOBODY = {file: [0] * len(DAYS) for file in IdentityFile}
NAMES = {"352039": "山口市", "352012": "下関市"}
NOTHING = Trends(DAYS, NOBODY, NOBODY, {}, {}, {code: {} for code in NAMES}, {code: {} for code in NAMES})
_SVG = "{http://www.w3.org/2000/svg}"


class Drawn:
    """An image, read again."""

    def __init__(self, image: str) -> None:
        kind, _, content = image.partition(",")
        assert kind == "data:image/svg+xml;base64"
        self.root = ElementTree.fromstring(base64.b64decode(content))

    @property
    def texts(self) -> list[str]:
        """Everything that is written."""
        return [one.text or "" for one in self.root.iter(f"{_SVG}text")]

    def bars(self, colour: str, side: str = "height") -> list[float]:
        """The lengths of the bars of one colour, without the mark of the legend."""
        rows = [one for one in self.root.iter(f"{_SVG}rect") if one.get("fill") == colour]
        return [float(one.get(side, "0")) for one in rows[1:]]


def _drawn(trends: Trends) -> Mapping[str, Drawn]:
    return {one.name: Drawn(one.image) for one in plots_of(trends, NAMES.__getitem__)}


def test_days_end_with_the_last_and_miss_none() -> None:
    """A day without notices is a gap on the plot, not a day that is left out."""
    assert DAYS[-1] == date(2026, 11, 30) and len(DAYS) == 30
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(DAYS))


@pytest.mark.parametrize(
    ("opened", "closed", "at_the_end"),
    [
        ({}, {}, [0, 0, 0]),
        ({0: 5}, {0: 2}, [3, 3, 3]),
        ({1: 4, 3: 1}, {2: 4}, [4, 0, 1]),
        ({0: 2, 1: 1}, {0: 2, 3: 1}, [1, 1, 0]),
    ],
    ids=["nothing", "before the first day", "opened and closed", "both"],
)
def test_open_at_the_end_of_a_day_is_all_that_was_opened_and_not_closed_by_then(
    opened: dict[int, int], closed: dict[int, int], at_the_end: list[int]
) -> None:
    """Number 0 is the day before the first: all that was earlier stands there."""
    days = [date(2026, 11, number) for number in (1, 2, 3)]
    named = [
        {date(2026, 10, 31) + timedelta(days=n): count for n, count in one.items()}
        for one in (opened, closed)
    ]
    assert open_at_end(*named, days) == at_the_end


def test_bars_are_as_high_as_their_counts_and_bear_their_sum() -> None:
    """Both files stand on each other in their own colours."""
    counts = {RESIDENT: [*[0] * 28, 60, 30], FUHYO: [*[0] * 28, 0, 90]}
    drawn = _drawn(replace(NOTHING, notices=counts))["notices"]
    blue, orange = drawn.bars(BLUE), drawn.bars(ORANGE)
    assert blue[28] == pytest.approx(2 * blue[29]) and orange[29] == pytest.approx(3 * blue[29])
    assert sum(blue[:28]) == sum(orange[:29]) == 0
    assert {"120", "60", "単位: 件", "適用した日", "本人確認情報", "附票本人確認情報", "11/29"} <= set(
        drawn.texts
    )
    assert all(0 <= height <= 200 for height in blue + orange)


def test_holds_are_classed_by_whole_days_those_alive_apart() -> None:
    """What is held for longer than a month is one class, and seen."""
    drawn = _drawn(replace(NOTHING, erased={0: 2, 3: 4}, held={1: 1, 45: 3, 30: 1}))["holds"]
    green, alive = drawn.bars(GREEN), drawn.bars(VERMILION)
    assert [round(height / green[0] * 2) for height in green if height] == [2, 4]
    assert [number for number, height in enumerate(alive) if height] == [1, 30]
    assert "30以上" in drawn.texts and "4" in drawn.texts


def test_durations_name_every_registered_municipality_and_choose_their_unit() -> None:
    """Without a bar where nothing was done; minutes where seconds would be many."""
    took = {"352039": {RESIDENT: Duration(600.0, 12), FUHYO: Duration(150.0, 1_500)}, "352012": {}}
    drawn = _drawn(replace(NOTHING, intake=took))
    intake = drawn["intake-durations"]
    assert {"山口市", "下関市", "10.0 分（12 回）", "2.50 分（1,500 回）", "単位: 分"} <= set(intake.texts)
    (long,), (short,) = intake.bars(BLUE, "width"), intake.bars(ORANGE, "width")
    assert long == pytest.approx(4 * short, rel=0.01)
    assert "単位: 秒" in drawn["reconcile-durations"].texts


def test_nothing_at_all_is_drawn_as_an_empty_chart() -> None:
    """The first morning of an installation, and one without municipalities."""
    for trends in (NOTHING, replace(NOTHING, intake={}, reconciliation={})):
        for name, drawn in _drawn(trends).items():
            assert not any(length for colour in (BLUE, ORANGE) for length in drawn.bars(colour)), name
    assert len(_drawn(NOTHING)) == 5


def test_what_is_written_is_escaped_and_nothing_is_fetched() -> None:
    """A label can not become an element, and the image needs nothing from outside."""
    chart = Chart('<script>"&', "単位: <b>", "x", ["<i>"], [Series("a&b", BLUE, [1])])
    drawn = Drawn(upright(chart))
    assert {'<script>"&', "単位: <b>", "<i>", "a&b"} <= set(drawn.texts)
    assert {one.tag.removeprefix(_SVG) for one in drawn.root.iter()} == {"svg", "rect", "text", "line"}
    assert not any(
        "href" in name or "url(" in value for one in drawn.root.iter() for name, value in one.items()
    )
