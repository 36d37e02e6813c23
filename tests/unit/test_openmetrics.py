"""OpenMetrics text is what a parser of somebody else reads as it was meant."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from juki.openmetrics import Gauge, Sample, openmetrics_text

AT = datetime(2026, 11, 30, 4, 0, 0, 500_000, tzinfo=UTC)


@given(
    st.lists(
        st.tuples(st.text(max_size=8), st.integers(-(2**53), 2**53)), max_size=4, unique_by=lambda one: one[0]
    )
)
def test_whatever_is_written_reads_as_it_was_meant(values: list[tuple[str, int]]) -> None:
    """Labels with quotes, backslashes and line ends; a family without samples is not there."""
    gauge = Gauge(
        "juki_x", 'a "help"\nin two lines', [Sample(value, {"code": code}) for code, value in values]
    )
    families = list(text_string_to_metric_families(openmetrics_text([gauge])))
    read = [(one.labels["code"], int(one.value)) for family in families for one in family.samples]
    assert read == values and len(families) == bool(values)


def test_instant_is_seconds_with_its_unit() -> None:
    """Whoever scrapes subtracts it from the time of its own clock."""
    gauge = Gauge("juki_at_timestamp_seconds", "When.", [Sample(AT)], "seconds")
    (family,) = text_string_to_metric_families(openmetrics_text([gauge]))
    assert (family.unit, family.type) == ("seconds", "gauge")
    assert family.samples[0].value == AT.timestamp()
