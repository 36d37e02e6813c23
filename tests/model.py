"""What a file must hold after a history: the statute in plain dictionaries, to compare the real thing with.

Written from domain.md sections 3 and 6, 施行令30条の6 and 30条の12の4, and ADR-0011; no pandas, no SQL, nothing of
`juki` but the words for kinds and reasons.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

Notice = dict[str, str]
_NOT_CONTENT = ("notice_no", "notified_at")


@dataclass
class Version:
    """One notice that was kept."""

    sender: str
    notice: Notice
    received_on: date
    superseded_on: date | None = None


def anniversary(day: date) -> date:
    """150 years later; a 29 February that year lacks becomes 1 March."""
    is_leap_day = (day.month, day.day) == (2, 29)
    return date(day.year + 150, 3, 1) if is_leap_day else day.replace(year=day.year + 150)


@dataclass
class Model:
    """One file: by code the versions of each person, newest last, late ones beside; codes that were replaced."""

    newest: dict[str, Version] = field(default_factory=dict)
    history: list[Version] = field(default_factory=list)
    replaced: set[str] = field(default_factory=set)

    def receive(self, sender: str, received_on: date, notice: Notice) -> str:
        """Take one notice in and tell what became of it: apply, record, reject or repeat."""
        code, previous = (
            notice["resident_code"],
            notice.get("previous_resident_code") or notice["resident_code"],
        )
        if (here := self.newest.get(code)) and here.sender == sender and _same(here.notice, notice):
            return "repeat"
        if previous in self.replaced or (code != previous and (code in self.newest or code in self.replaced)):
            return "reject"
        version, old = Version(sender, notice, received_on), self.newest.get(previous)
        verdict = _verdict(version, old, self._entered_at(old) if old else "")
        if verdict == "apply":
            if old is not None:
                old.superseded_on = max(received_on, old.received_on)
                self.history.append(self.newest.pop(previous))
            if code != previous:
                self.replaced.add(previous)
            self.newest[code] = version
        elif verdict == "record":
            version.superseded_on = received_on
            self.history.append(version)
        return verdict

    def _entered_at(self, newest: Version) -> str:
        """When the municipality of the newest version made its last entry of that code."""
        own = (
            v.notice["notified_at"]
            for v in (*self.history, newest)
            if (v.sender, v.notice["resident_code"]) == (newest.sender, newest.notice["resident_code"])
            and v.notice["kind"] == "entry"
        )
        return max(own, default="")

    def versions(self) -> set[tuple[str, str, str, date, date | None, date | None]]:
        """List code, sender, kind, day received, day superseded and first day it may be erased."""
        return {
            (
                v.notice["resident_code"],
                v.sender,
                v.notice["notice_no"],
                v.received_on,
                v.superseded_on,
                _end(v),
            )
            for v in (*self.newest.values(), *self.history)
        }


def _verdict(new: Version, old: Version | None, entered_at: str) -> str:
    kind = new.notice["kind"]
    if old is None:
        return "apply"
    is_here, is_erased = old.sender == new.sender, old.notice["kind"] == "deletion"
    if kind == "entry":
        if is_here:
            return "apply"
        if new.notice["reason"] == "出生" and not is_erased:
            return "reject"
        return "record" if entered_at > new.notice["notified_at"] else "apply"
    if not is_here:
        return "record"
    return "reject" if kind == "correction" and is_erased else "apply"


def _same(one: Notice, other: Notice) -> bool:
    keys = (one.keys() | other.keys()) - {*_NOT_CONTENT, "previous_resident_code"}
    return all(one.get(key, "") == other.get(key, "") for key in keys)


def _end(version: Version) -> date | None:
    start = version.received_on if version.notice["kind"] == "deletion" else version.superseded_on
    return anniversary(start) if start else None
