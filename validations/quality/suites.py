"""The suites of the quality check (品質検査) as data: what is expected of the tables of either file after load.

Decides:    every expectation: of which question or comparison, of which column, in which words, with which code.
Leaves:     the statements to `juki.store.quality`, judging to `validations.quality.engine`.
Invariants: what a contract checks of a record on its way in (`validations.contracts`, `juki.rules`) is not
            expected again here: these are of rows among each other, of tables among each other, and of time.
Source:     ADR-0033.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from juki.columns import IdentityFile
from juki.quality import Comparison, Question
from juki.reasons import Code


class Kind(StrEnum):
    """How a column is judged."""

    UNIQUE = "unique"
    """No two rows have the same in all the columns."""
    THERE = "there"
    """Every row has something in the column: what it refers to is there."""
    ABSENT = "absent"
    """No row has anything in the column."""
    BETWEEN = "between"
    """Every value lies within the bounds."""
    WITHIN = "within"
    """No change is larger than the allowed one."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One expectation."""

    of: Question | Comparison
    kind: Kind
    columns: tuple[str, ...]
    title: str
    code: Code
    least: int | None = None
    most: int | None = None

    @property
    def check(self) -> str:
        """Its name in reports."""
        return self.of.value


_OLDEST = {IdentityFile.RESIDENT: 125, IdentityFile.FUHYO: 150}
"""Nobody is known to have lived longer than 122 years; a 附票 may keep people nobody reported dead for longer."""
_CHANGED = ("allowed", "change")


def _integrity() -> Iterator[Expected]:
    yield Expected(
        Question.PEOPLE, Kind.UNIQUE, ("resident_code",), "一人の現在の記録は一つだけである", Code.QUALITY_DUPLICATE
    )  # fmt: skip
    yield Expected(
        Question.VERSIONS, Kind.UNIQUE, ("sender_code", "notice_no", "repair_no"),
        "一つの通知は一つの版だけを残す", Code.QUALITY_DUPLICATE,
    )  # fmt: skip
    yield Expected(
        Question.CURRENT_IN_HISTORY, Kind.ABSENT, ("also_history",),
        "現在の記録は、同時に履歴ではない", Code.QUALITY_DUPLICATE,
    )  # fmt: skip
    yield Expected(
        Question.HISTORY_PEOPLE, Kind.THERE, ("person",), "履歴の各版に、その人の現在の記録がある",
        Code.QUALITY_ORPHAN,
    )  # fmt: skip
    yield Expected(
        Question.FORMER_CODES, Kind.THERE, ("holder",), "旧住民票コードは、現在の記録に至る", Code.QUALITY_ORPHAN
    )  # fmt: skip
    yield Expected(
        Question.HISTORY_NEWER, Kind.THERE, ("newer",), "履歴の各版に、それに代わった通知がある",
        Code.QUALITY_REFERENCE,
    )  # fmt: skip
    yield Expected(
        Question.HISTORY_ORDER, Kind.BETWEEN, ("days_current",), "版は、受信の後に代わられる",
        Code.QUALITY_REFERENCE, least=0,
    )  # fmt: skip
    yield Expected(
        Question.CURRENT_PACKAGES, Kind.THERE, ("made_by",),
        "現在の記録は、同じ市町村の適用済みのパッケージによる", Code.QUALITY_REFERENCE,
    )  # fmt: skip
    yield Expected(
        Question.HISTORY_PACKAGES, Kind.THERE, ("made_by",),
        "履歴の各版は、同じ市町村の適用済みのパッケージによる", Code.QUALITY_REFERENCE,
    )  # fmt: skip
    yield Expected(
        Question.PACKAGE_ROWS, Kind.BETWEEN, ("lost",), "パッケージの受理件数だけ、版が残っている",
        Code.QUALITY_ROWS_LOST, least=0, most=0,
    )  # fmt: skip


def _plausibility(file: IdentityFile) -> Iterator[Expected]:
    yield Expected(
        Question.AGES, Kind.BETWEEN, ("age",), f"記載中の者は 0〜{_OLDEST[file]} 歳である", Code.QUALITY_AGE,
        least=0, most=_OLDEST[file],
    )  # fmt: skip
    yield Expected(
        Comparison.SNAPSHOT, Kind.WITHIN, _CHANGED, "人数は、市町村の直近の現況とその後の通知で説明できる",
        Code.QUALITY_COUNT,
    )  # fmt: skip


def _drift() -> Iterator[Expected]:
    sudden = Code.QUALITY_SUDDEN_CHANGE
    yield Expected(Comparison.STANDING, Kind.WITHIN, _CHANGED, "人数が前回から急に変わらない", sudden)
    yield Expected(Comparison.HISTORY_KEPT, Kind.WITHIN, _CHANGED, "履歴は減らない", sudden)
    yield Expected(Comparison.PACKAGES_KEPT, Kind.WITHIN, _CHANGED, "パッケージの登録は減らない", sudden)
    yield Expected(Comparison.AGE_SHARES, Kind.WITHIN, _CHANGED, "年齢の分布が前回から急に変わらない", sudden)
    yield Expected(
        Comparison.UNKNOWNS,
        Kind.WITHIN,
        _CHANGED,
        "不明・空欄が前回から急に増えない",
        Code.QUALITY_UNKNOWNS_ROSE,
    )


SUITES: dict[IdentityFile, tuple[Expected, ...]] = {
    file: (*_integrity(), *_plausibility(file), *_drift()) for file in IdentityFile
}
