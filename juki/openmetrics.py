"""Figures as OpenMetrics text, for whoever scrapes a file.

Decides:    the form: families with help and type, samples with labels, the end mark.
Leaves:     which figures there are to whoever calls.
Invariants: labels are codes; values are counts and instants in seconds. A family without samples is left out.
Source:     OpenMetrics 1.0 (RFC draft), text format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

MEDIA_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value with its labels; an instant is written as seconds since 1970."""

    value: int | datetime
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A family of values that go up and down; `unit` ends the name where there is one."""

    name: str
    help: str
    samples: Iterable[Sample]
    unit: str = ""


def openmetrics_text(gauges: Iterable[Gauge]) -> str:
    """Write families in their order."""
    return "".join(line + "\n" for gauge in gauges for line in _family(gauge)) + "# EOF\n"


def _family(gauge: Gauge) -> Iterator[str]:
    samples = list(gauge.samples)
    if not samples:
        return
    yield f"# TYPE {gauge.name} gauge"
    if gauge.unit:
        yield f"# UNIT {gauge.name} {gauge.unit}"
    yield f"# HELP {gauge.name} {_escaped(gauge.help)}"
    for one in samples:
        labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in one.labels.items())
        yield (
            f"{gauge.name}{{{labels}}} {_number(one.value)}"
            if labels
            else f"{gauge.name} {_number(one.value)}"
        )


def _number(value: int | datetime) -> str:
    return f"{value.timestamp():.3f}" if isinstance(value, datetime) else str(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
