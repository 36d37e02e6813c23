"""How far J-LIS has been told of each file, and what needs attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from juki.columns import IdentityFile
from juki.jlis import JlisCondition, JlisFacts, judge
from juki.store.jlis_status import JlisOverview
from juki.store.roles import Duty
from juki.store.unit import open_unit


@dataclass(frozen=True, slots=True)
class JlisHealth:
    """The notices of one file, with everything that needs attention."""

    facts: JlisFacts
    conditions: Sequence[JlisCondition]


def jlis_health(
    urls: Mapping[IdentityFile, str], alert_after: timedelta, now: datetime, *, is_registered: bool
) -> list[JlisHealth]:
    """Judge the notices of both files by how long an answer may take."""
    judged = list[JlisHealth]()
    for file in IdentityFile:
        with open_unit(urls[file], file, Duty.READER) as unit:
            facts = JlisOverview(file, unit.connection).facts(now - alert_after)
        judged.append(JlisHealth(facts, judge(facts, alert_after, now, is_registered=is_registered)))
    return judged
