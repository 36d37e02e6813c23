"""Alarms of the site: what is worth waking somebody for, and how it is said.

Decides:    the kinds, what each says (a code), and which two alarms are the same (kind, object, day in Japan).
Leaves:     keeping them to the operation log, telling them to `juki.notifications` and `juki.wire.mail`.
Invariants: an alarm names schedules, channels and runs; there is no room in it for a person.
Source:     ADR-0034.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import StrEnum

from juki.columns import IdentityFile
from juki.dates import JAPAN, civil_date
from juki.reasons import Code


class AlarmKind(StrEnum):
    """What happened; never renamed, for the form of the schedule and old notifications bear the words."""

    RUN_LATE = "run_late"
    RUN_CRASHED = "run_crashed"
    RUN_SILENT = "run_silent"
    RUN_FAILED = "run_failed"
    RECONCILIATION_FAILED = "reconciliation_failed"
    PURGE_OVERDUE = "purge_overdue"
    CHECKPOINT_STALE = "checkpoint_stale"
    SITE_RESTARTED = "site_restarted"

    @property
    def code(self) -> Code:
        """The code it is logged and told by."""
        return Code[f"ALARM_{self.name}"]

    @property
    def japanese(self) -> str:
        """The word on screens."""
        return {
            "run_late": "実行の遅れ", "run_crashed": "実行の異常終了", "run_silent": "実行の途絶",
            "run_failed": "実行の失敗", "reconciliation_failed": "整合処理の失敗",
            "purge_overdue": "消去の遅れ", "checkpoint_stale": "操作ログの署名の遅れ",
            "site_restarted": "サーバまたはワーカの再起動",
        }[self.value]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that happened: what, to what, when, and in which run."""

    kind: AlarmKind
    about: str
    """What it is about: a deployment, a channel, a part of the site."""
    at: datetime
    run: str = ""
    """The flow run it was seen by."""
    file: IdentityFile = IdentityFile.RESIDENT
    """The file it concerns, in whose log it stands; the first where it concerns both."""
    municipality_code: str = ""

    @property
    def number(self) -> str:
        """Name it: equal for what happens again to the same on the same day."""
        return f"{civil_date(self.at):%Y%m%d}-{self.kind.value}-{self.file.value}-{self.about}"

    @property
    def day_began_at(self) -> datetime:
        """The instant its day began in Japan, in UTC."""
        return datetime.combine(civil_date(self.at), time(), JAPAN).astimezone(UTC)

    @property
    def heading(self) -> str:
        """Write the subject of a letter."""
        return f"[juki] {self.kind.japanese}: {self.about}"

    @property
    def lines(self) -> list[str]:
        """Write it for people: what, where, and what to do."""
        code = self.kind.code
        where = [f"対象: {self.about}", f"時刻: {self.at.astimezone(JAPAN):%Y-%m-%d %H:%M:%S}（日本時間）"]
        run = [f"実行: {self.run}"] if self.run else []
        return [f"[{code.value}] {code.message}", *where, *run, f"次にすること: {code.next_step}"]

    def described(self) -> dict[str, str]:
        """Write it for programs."""
        return {
            "number": self.number, "kind": self.kind.value, "code": self.kind.code.value, "about": self.about,
            "at": self.at.astimezone(UTC).isoformat(), "run": self.run, "file": self.file.value,
            "municipality_code": self.municipality_code, "message": self.kind.code.message,
            "next_step": self.kind.code.next_step,
        }  # fmt: skip


def alarm_of(described: dict[str, str]) -> Alarm:
    """Read an alarm that was written for programs; KeyError or ValueError when it is none."""
    return Alarm(
        AlarmKind(described["kind"]), described["about"], datetime.fromisoformat(described["at"]),
        described["run"], IdentityFile(described["file"]), described["municipality_code"],
    )  # fmt: skip
