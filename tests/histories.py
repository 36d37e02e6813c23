"""Random histories out of a narrow alphabet, so that people, codes, numbers, clocks and re-sends collide."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone

from hypothesis import strategies as st

from juki.notices import CODE_CORRECTIONS, REASONS_OF_KIND, Reason
from tests.notice_tables import notice

NUMBERS = ("", "123456789018", "023456789013")
SENDERS = ("352039", "352012", "352021")
CODES = ("A", "B", "C")
JAPAN = timezone(timedelta(hours=9))
FIRST_DAY = date(2026, 3, 25)
REASONS = (
    Reason.MOVED_IN, Reason.BIRTH, Reason.ENTERED_EX_OFFICIO, Reason.MOVED_OUT, Reason.DEATH,
    Reason.MOVED_WITHIN, Reason.CORRECTED_EX_OFFICIO, Reason.CODE_CHANGED_ON_REQUEST,
    Reason.CODE_ENTERED_EX_OFFICIO, Reason.NUMBER_CHANGED_ON_REQUEST,
)  # fmt: skip
KIND_OF = {reason: kind for kind, reasons in REASONS_OF_KIND.items() for reason in reasons}

Row = dict[str, str]
History = list[tuple[str, list[Row]]]
"""Packages as (sender, notices), in the order in which they come."""


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """One notice."""
    reason = draw(st.sampled_from(REASONS))
    hour = draw(st.integers(8, 14))
    said = notice(
        kind=KIND_OF[reason].value, reason=reason.value, resident_code=draw(st.sampled_from(CODES)),
        name=draw(st.sampled_from(("山口　花子", "宇部　花子"))), notified_at=f"2026-03-25T{hour:02}:00:00+09:00",
        individual_number=draw(st.sampled_from(NUMBERS)),
    )  # fmt: skip
    if reason in CODE_CORRECTIONS:
        said["previous_resident_code"] = draw(
            st.sampled_from([c for c in CODES if c != said["resident_code"]])
        )
    return said


packages = st.lists(
    st.tuples(st.sampled_from(SENDERS), st.lists(rows(), min_size=1, max_size=5)), min_size=1, max_size=6
)


@dataclass(frozen=True, slots=True)
class Sent:
    """One package: who sent it, when it came, the number of its first notice, and what it says."""

    sender: str
    first_no: int
    rows: list[Row]
    day: int

    @property
    def received_at(self) -> datetime:
        """An hour apart, so that some notices claim to be made after they came."""
        return datetime(2026, 3, 25, 10, tzinfo=JAPAN) + timedelta(hours=self.day)

    @property
    def received_on(self) -> date:
        """A day apart, so that the clocks of keeping can be told apart."""
        return FIRST_DAY + timedelta(days=self.day)

    def cut(self) -> list[Sent]:
        """Cut it into one package for each notice."""
        return [
            replace(self, first_no=self.first_no + place, rows=[row]) for place, row in enumerate(self.rows)
        ]


def numbered(history: History) -> list[Sent]:
    """Number the notices of each sender from 1 on."""
    last: Counter[str] = Counter()
    sent = []
    for day, (sender, said) in enumerate(history):
        first = last[sender] + 1
        last[sender] += len(said)
        counted = [row | {"notice_no": str(first + place)} for place, row in enumerate(said)]
        sent.append(Sent(sender, first, counted, day))
    return sent
