"""Rules on what a notice says happened: its number, its instant, kind, reason and day of the event.

Leaves:     the order of notices to the package, whether the event fits the person to `juki.decisions`.
Invariants: a later rule looks only at what an earlier one found in order: no event is "in the future" of an
            instant that can not be read (the day of receipt then stands in), no value is unexpected for a
            reason that is unknown itself.
Source:     施行令30条の5, 30条の12の3; 施行規則11条; spec/packages.md section 3.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from juki import dates
from juki.notices import REASONS_OF_KIND, REASONS_WITH_UNKNOWN_DATE, Kind, Reason
from juki.rules.view import Mask, Records, TextColumn, spread

Members = NDArray[np.int8]
"""Positions in an enumeration; one past its end for what is none of it."""

NOTICE_NO_DIGITS = 18
"""As many as a 64-bit integer holds in any case."""

PLANNED = frozenset({Reason.MOVED_OUT, Reason.MOVED_ABROAD})
"""Moves out are notified with the planned day, which may be to come (施行令30条の5二号)."""

_KINDS, _REASONS = tuple(Kind), tuple(Reason)
_KIND_OF_REASON = np.array(
    [next(at for at, kind in enumerate(_KINDS) if reason in REASONS_OF_KIND[kind]) for reason in _REASONS],
    dtype=np.int8,
)


def is_malformed_notice_no(records: Records) -> Mask:
    """Mark notice numbers that are not a count from 1 in ASCII digits without leading zeros."""
    text = records.text("notice_no")
    pattern = rf"^[1-9][0-9]{{0,{NOTICE_NO_DIGITS - 1}}}$"
    return ~_matches(text, pattern)


def is_malformed_instant(records: Records) -> Mask:
    """Mark `notified_at` that is not an existing instant in ISO 8601 with seconds and offset."""
    return ~_notified(records).is_valid


def is_notified_in_future(records: Records) -> Mask:
    """Mark notices made after they were received, beyond the allowed difference of clocks."""
    notified, context = _notified(records), records.context
    limit = dates.seconds_of(context.received_at) + int(context.clock_skew.total_seconds())
    return notified.is_valid & (notified.seconds > limit)


def is_unknown_kind(records: Records) -> Mask:
    """Mark kinds that are none of the three."""
    found: Mask = _members(records, "kind", _KINDS) == len(_KINDS)
    return found


def is_unknown_reason(records: Records) -> Mask:
    """Mark reasons that are not spelled as one of the 20 of the statute."""
    found: Mask = _members(records, "reason", _REASONS) == len(_REASONS)
    return found


def is_reason_of_other_kind(records: Records) -> Mask:
    """Mark known reasons that do not belong to the known kind of the notice."""
    kind, reason = _members(records, "kind", _KINDS), _members(records, "reason", _REASONS)
    is_known = (kind < len(_KINDS)) & (reason < len(_REASONS))
    found: Mask = is_known & (_KIND_OF_REASON[np.minimum(reason, len(_REASONS) - 1)] != kind)
    return found


def is_other_kind(records: Records, kind: Kind) -> Mask:
    """Mark the notices of a known kind which is not this one."""
    found: Mask = ~is_unknown_kind(records) & (_members(records, "kind", _KINDS) != _KINDS.index(kind))
    return found


def is_reason(records: Records, reasons: Collection[Reason]) -> Mask:
    """Mark the notices with one of these reasons."""
    return np.isin(_members(records, "reason", _REASONS), [_REASONS.index(reason) for reason in reasons])


def is_other_reason(records: Records, reasons: Collection[Reason]) -> Mask:
    """Mark the notices with a known reason which is none of these."""
    return ~is_unknown_reason(records) & ~is_reason(records, reasons)


def lacks_event_date(records: Records) -> Mask:
    """Mark events without a day, except births and deaths, whose day may be unknown."""
    is_blank = records.is_blank("event_date")
    if not records.has("reason"):
        return is_blank
    return is_blank & is_other_reason(records, REASONS_WITH_UNKNOWN_DATE)


def is_malformed_event_date(records: Records) -> Mask:
    """Mark days of the event that are present and not written YYYY-MM-DD in ASCII."""
    return ~records.is_blank("event_date") & ~_event(records).is_form


def is_unreal_event_date(records: Records) -> Mask:
    """Mark well-written days of the event that are in no calendar."""
    event = _event(records)
    return event.is_form & ~dates.is_real_date(event.year, event.month, event.day)


def is_event_in_future(records: Records) -> Mask:
    """Mark events that lie after the day of their notice, except planned moves out."""
    event = _event(records)
    is_real = event.is_form & dates.is_real_date(event.year, event.month, event.day)
    written = event.year * 10_000 + event.month * 100 + event.day
    is_future = is_real & (written > notified_on(records))
    return is_future & ~is_reason(records, PLANNED) if records.has("reason") else is_future


def notified_on(records: Records) -> dates.Ints:
    """Give the day in Japan of each notice as YYYYMMDD; the day of receipt where the notice says none."""
    return records.keep(("notified_on",), lambda: _notified_on(records))


def _notified_on(records: Records) -> dates.Ints:
    seconds = np.full(len(records), dates.seconds_of(records.context.received_at), dtype=np.int64)
    if records.has("notified_at"):
        notified = _notified(records)
        seconds = np.where(notified.is_valid, notified.seconds, seconds)
    return dates.ordinal_parts(dates.days_in_japan(seconds))


def _notified(records: Records) -> dates.Instants:
    return records.keep(("notified_at",), lambda: _instants(records.text("notified_at")))


def _instants(text: TextColumn) -> dates.Instants:
    """Read a column of instants, one width after the other: a package usually has one."""
    is_valid, seconds = np.zeros(len(text), dtype=np.bool_), np.zeros(len(text), dtype=np.int64)
    for width in np.intersect1d(text.lengths, np.array(dates.INSTANT_WIDTHS)).tolist():
        is_width, values = text.of_width(width)
        found = dates.parse_instants(values)
        is_valid[is_width], seconds[is_width] = found.is_valid, found.seconds
    return dates.Instants(is_valid, seconds)


def _event(records: Records) -> dates.Dates:
    return records.keep(("event_date",), lambda: _event_dates(records.text("event_date")))


def _event_dates(text: TextColumn) -> dates.Dates:
    is_width, values = text.of_width(dates.EVENT_DATE_WIDTH)
    return spread_dates(is_width, dates.parse_event_dates(values))


def spread_dates(where: Mask, found: dates.Dates) -> dates.Dates:
    """Lay dates read from the marked records out over all records."""
    parts = []
    for part in (found.year, found.month, found.day):
        whole = np.zeros(len(where), dtype=np.int64)
        whole[where] = part
        parts.append(whole)
    return dates.Dates(spread(where, found.is_form), *parts)


def _members(records: Records, column: str, members: tuple[StrEnum, ...]) -> Members:
    return records.keep(("members", column), lambda: _positions(records.text(column).array, members))


def _positions(array: pa.StringArray, members: tuple[StrEnum, ...]) -> Members:
    """Look each value up in an enumeration."""
    known = pa.array([member.value for member in members], pa.string())
    found = pc.fill_null(pc.index_in(array, known), len(members))
    positions: Members = found.to_numpy().astype(np.int8)
    return positions


def _matches(text: TextColumn, pattern: str) -> Mask:
    """Match a regular expression against each value; `$` is the end of the value, not of a line."""
    found: Mask = pc.match_substring_regex(text.array, pattern).to_numpy(zero_copy_only=False)
    return found
