"""What a scraper is told: everything the page says needs somebody, counted in full, and as of when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from juki.openmetrics import openmetrics_text
from juki.overview.alarm import Alarm
from juki.overview.metrics import gauges_of
from juki.overview.situation import Situation
from juki.reasons import Code
from tests.unit.test_morning_page import TROUBLED, WELL


def _scraped(situation: Situation) -> Mapping[str, Mapping[str, float]]:
    """What a scraper reads: by family, the values by code."""
    families = text_string_to_metric_families(openmetrics_text(gauges_of(situation)))
    return {
        one.name: {sample.labels.get("code", ""): sample.value for sample in one.samples} for one in families
    }


@pytest.mark.parametrize(
    ("code", "situation"),
    [(code, situation) for code, _, situation in TROUBLED],
    ids=lambda one: getattr(one, "value", ""),
)
def test_what_needs_somebody_on_the_page_is_in_the_metrics(code: Code, situation: Situation) -> None:
    """J-LIS, the logs and the scanner as well as the channels: a scraper sees none of them by itself."""
    read = _scraped(situation)
    assert code.value in read["juki_alarms"] and read["juki_needs_somebody"] == {"": 1}


def test_all_well_is_told_with_the_instant_it_was_seen_at() -> None:
    """An old file with a 0 in it is known for what it is."""
    read = _scraped(WELL)
    assert "juki_alarms" not in read and read["juki_needs_somebody"] == {"": 0}
    assert read["juki_looked_timestamp_seconds"] == {"": WELL.at.timestamp()}


def test_more_than_are_named_are_counted_in_full() -> None:
    """Twelve thousand infected files are twelve thousand, though a page names ten of them."""
    which = tuple(f"file-{number}.p7m" for number in range(10))
    alarms = [Alarm(Code.INFECTION_OPEN, (*which, "ほか 11,990 件"), count=12_000), Alarm(Code.SITE_BROKEN)]
    read = _scraped(replace(WELL, alarms=alarms))
    assert read["juki_alarms"] == {Code.INFECTION_OPEN.value: 12_000, Code.SITE_BROKEN.value: 1}
