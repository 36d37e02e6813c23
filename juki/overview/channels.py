"""The health of every channel, in the order of the registrations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from juki.columns import IdentityFile
from juki.health import ChannelFacts, ChannelHealth, Limits, judge
from juki.store.roles import Duty
from juki.store.status import Overview
from juki.store.unit import open_unit


def channels_of(
    urls: Mapping[IdentityFile, str], registered: Sequence[str], closed: Sequence[str], limits: Limits, now: datetime
) -> list[ChannelHealth]:  # fmt: skip
    """Judge every channel, both files of a municipality together."""
    facts = list[ChannelFacts]()
    for file in IdentityFile:
        with open_unit(urls[file], file, Duty.READER) as unit:
            facts += Overview(file, unit.connection).channels(registered, closed)
    places = {code: place for place, code in enumerate(registered)}
    return sorted((judge(one, limits, now) for one in facts), key=lambda one: _place(one, places))


def _place(one: ChannelHealth, places: Mapping[str, int]) -> tuple[int, str, int]:
    code = one.facts.channel.municipality_code
    return places.get(code, len(places)), code, list(IdentityFile).index(one.facts.channel.file)
