"""What a file must hold after a history: the statute in plain dictionaries, to compare the real thing with.

Written from domain.md sections 3 and 6, 施行令30条の6 and 30条の12の4, 番号法施行令6条, ADR-0011 and ADR-0017; no
pandas, no SQL, nothing of `juki` but the words for kinds and reasons. Instants are ISO texts of one offset, which
sort as they follow each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

Notice = dict[str, str]
_NOT_CONTENT = ("notice_no", "notified_at")
_NUMBER_CORRECTIONS = ("個人番号の変更請求", "個人番号の職権修正", "個人番号の職権記載等")


@dataclass
class Version:
    """One notice that was kept."""

    sender: str
    notice: Notice
    received_on: date
    made_at: str
    superseded_on: date | None = None
    was_newest: bool = True

    @property
    def kind(self) -> str:
        """Entry, deletion or correction."""
        return self.notice["kind"]

    @property
    def number(self) -> str:
        """The 個人番号, empty where there is none."""
        return self.notice.get("individual_number", "")


@dataclass
class Model:
    """One file: by code the versions of each person, newest last, late ones beside; codes that were replaced."""

    newest: dict[str, Version] = field(default_factory=dict)
    history: list[Version] = field(default_factory=list)
    replaced: dict[str, str] = field(default_factory=dict)
    """By old code the newest code of that person."""

    def receive(self, sender: str, received_on: date, received_at: str, notice: Notice) -> str:
        """Take one notice in and tell what became of it: apply, record, reject or repeat."""
        code = notice["resident_code"]
        if (here := self.newest.get(code)) and here.sender == sender and _same(here.notice, notice):
            return "repeat"
        previous = notice.get("previous_resident_code") or code
        if self.replaced.get(previous) == code:
            previous = code
        if previous in self.replaced or (code != previous and (code in self.newest or code in self.replaced)):
            return "reject"
        version = Version(sender, notice, received_on, min(notice["notified_at"], received_at))
        old = self.newest.get(previous)
        verdict = self._verdict(version, old)
        if verdict != "reject" and self._is_number_refused(version, old, previous):
            return "reject"
        if verdict == "apply" and old and old.sender == sender and _count(old) > _count(version):
            verdict = "record"
        if verdict == "apply":
            self._put(version, code, previous)
        elif verdict == "record":
            version.superseded_on, version.was_newest = received_on, False
            self.history.append(version)
        return verdict

    def _put(self, version: Version, code: str, previous: str) -> None:
        old = self.newest.pop(previous, None)
        if old is not None:
            old.superseded_on = max(version.received_on, old.received_on)
            self.history.append(old)
        if old is not None and code != previous:
            self.replaced = {k: code if v == previous else v for k, v in self.replaced.items()} | {
                previous: code
            }
        self.newest[code] = version

    def _verdict(self, new: Version, old: Version | None) -> str:
        if old is None:
            return "apply"
        is_here, is_erased = old.sender == new.sender, old.kind == "deletion"
        if new.kind == "entry":
            if is_here:
                return "apply"
            if new.notice["reason"] == "出生" and not is_erased:
                return "reject"
            return "record" if self._entered_at(old) > new.made_at else "apply"
        if not is_here:
            insists = new.kind == "correction" or new.notice["reason"] == "死亡"
            return "apply" if insists and is_erased and self._is_disputed(new, old) else "record"
        return "reject" if new.kind == "correction" and is_erased else "apply"

    def _is_disputed(self, new: Version, old: Version) -> bool:
        """The other's erasure was not on death and came before, and the sender never erased the person."""
        own = [v for v in self.history if _of(v, new.sender, old.notice["resident_code"])]
        last = max(own, key=_count, default=None)
        stood = last is not None and last.kind != "deletion"
        return stood and old.notice["reason"] != "死亡" and new.made_at > old.made_at

    def _entered_at(self, newest: Version) -> str:
        """When the municipality of the newest version made its last entry of that code."""
        code = newest.notice["resident_code"]
        own = (v for v in (*self.history, newest) if _of(v, newest.sender, code) and v.kind == "entry")
        return max((v.made_at for v in own), default="")

    def _is_number_refused(self, new: Version, old: Version | None, person: str) -> bool:
        number = new.number
        if not number:
            return False
        is_quiet = new.kind != "entry" and new.notice["reason"] not in _NUMBER_CORRECTIONS
        stands_here = old is not None and old.sender == new.sender and old.kind != "deletion"
        if old is not None and stands_here and is_quiet and old.number not in ("", number):
            return True
        others = [v for code, v in self.newest.items() if code != person and v.number == number]
        if any(v.kind != "deletion" for v in others):
            return True
        return (old is None or old.number != number) and any(
            holder != person for holder in self._former_holders(number)
        )

    def _former_holders(self, number: str) -> set[str]:
        """Whose newest version bears another number, though an earlier one bore this."""
        codes = (v.notice["resident_code"] for v in self.history if v.was_newest and v.number == number)
        people = {self.replaced.get(code, code) for code in codes}
        return {code for code in people if self.newest[code].number != number}

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


def anniversary(day: date) -> date:
    """150 years later; a 29 February that year lacks becomes 1 March."""
    is_leap_day = (day.month, day.day) == (2, 29)
    return date(day.year + 150, 3, 1) if is_leap_day else day.replace(year=day.year + 150)


def _count(version: Version) -> int:
    return int(version.notice["notice_no"])


def _of(version: Version, sender: str, code: str) -> bool:
    return (version.sender, version.notice["resident_code"]) == (sender, code)


def _same(one: Notice, other: Notice) -> bool:
    keys = (one.keys() | other.keys()) - {*_NOT_CONTENT, "previous_resident_code"}
    return all(one.get(key, "") == other.get(key, "") for key in keys)


def _end(version: Version) -> date | None:
    start = version.received_on if version.kind == "deletion" else version.superseded_on
    return anniversary(start) if start else None
