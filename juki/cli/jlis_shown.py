"""Notices to J-LIS in the words of screens and for programs: numbers, counts, instants and codes, never a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from config.recipients import load_recipients
from config.settings import Period
from juki.cli.installation import Installation, explained, iso, shown
from juki.cli.reasons_shown import SHORT, code_lines
from juki.columns import IdentityFile
from juki.jlis import JlisCondition, JlisFacts, judge
from juki.package_id import PackageId
from juki.reasons import Code
from juki.recipients import JLIS_CODE
from juki.store.jlis_messages import MessageRecord
from juki.store.jlis_packages import JlisPackage
from juki.store.jlis_status import JlisOverview
from juki.store.roles import Duty
from juki.store.unit import open_unit


@dataclass(frozen=True, slots=True)
class JlisHealth:
    """The notices of one file, with everything that needs attention."""

    facts: JlisFacts
    conditions: Sequence[JlisCondition]


def jlis_health(installation: Installation, now: datetime) -> list[JlisHealth]:
    """Judge the notices of both files.

    Raises: ConfigurationError(CONFIG_MISSING) when nobody decided how long an answer may take.
    """
    alert_after = installation.settings.hours(Period.JLIS_ANSWER_ALERT)
    is_registered = JLIS_CODE in load_recipients(installation.home).codes
    judged = []
    for file in IdentityFile:
        with open_unit(installation.store_url(file), file, Duty.READER) as unit:
            facts = JlisOverview(file, unit.connection).facts(now - alert_after)
        judged.append(JlisHealth(facts, judge(facts, alert_after, now, is_registered=is_registered)))
    return judged


def jlis_lines(judged: Sequence[JlisHealth]) -> list[str]:
    """Say in a line for each file how far J-LIS has been told, then every reason once."""
    lines = [_line(one.facts) for one in judged if one.facts.waiting or one.facts.last_sequence]
    groups: dict[Code, list[str]] = {}
    for one in judged:
        for condition in one.conditions:
            groups.setdefault(condition.code, []).append(_place(one.facts.file, condition))
    for code, places in groups.items():
        first, *step = code_lines(code, "機構 ")
        lines += [first, "  " + "、".join(places), *step]
    return lines


def _line(facts: JlisFacts) -> str:
    parts = [f"未通知 {facts.waiting:,} 件", f"通知済の更新 {facts.last_update_no:,} 件"]
    if facts.acknowledged_at:
        parts.append(
            f"最後の受領確認 {shown(facts.acknowledged_at)}（更新 {facts.acknowledged_update_no:,} まで）"
        )
    if facts.unanswered:
        parts.append(f"受領確認待ち {facts.unanswered:,} 件（{shown(facts.unanswered_since)} から）")
    return f"機構への通知 {SHORT[facts.file]}: " + "、".join(parts)


def _place(file: IdentityFile, condition: JlisCondition) -> str:
    since = f"、{shown(condition.since)} から" if condition.since else ""
    return f"{SHORT[file]}（{condition.count:,}件{since}）"


def described_facts(one: JlisHealth) -> dict[str, object]:
    """Write the notices of a file for programs."""
    facts = one.facts
    return {
        "file": facts.file.value, "waiting": facts.waiting, "waiting_since": iso(facts.waiting_since),
        "last_sequence": facts.last_sequence, "last_update_no": facts.last_update_no,
        "acknowledged": facts.acknowledged, "acknowledged_at": iso(facts.acknowledged_at),
        "acknowledged_update_no": facts.acknowledged_update_no, "undelivered": facts.undelivered,
        "unanswered": facts.unanswered, "unanswered_since": iso(facts.unanswered_since),
        "refused": facts.refused, "lost": facts.lost, "unopened": facts.unopened,
        "messages_refused": facts.messages_refused, "reported": facts.reported,
        "reasons": [
            {**explained(each.code), "count": each.count, "since": iso(each.since)} for each in one.conditions
        ],
    }  # fmt: skip


def described_package(number: PackageId, one: JlisPackage) -> dict[str, object]:
    """Write a package for programs."""
    return {
        "id": str(number), "file": number.file.value, "sequence": one.sequence,
        "first_update_no": one.first_update_no, "last_update_no": one.last_update_no, "records": one.records,
        "unopened": one.unopened, "content_sha256": one.content_sha256, "file_sha256": one.file_sha256,
        "state": one.state.value, "state_japanese": one.state.japanese,
        "code": one.code.value if one.code else None, "their_code": one.their_code, "attempts": one.attempts,
        "created_at": iso(one.created_at), "delivered_at": iso(one.delivered_at),
        "last_delivered_at": iso(one.last_delivered_at), "answered_at": iso(one.answered_at),
    }  # fmt: skip


def described_message(number: PackageId, one: MessageRecord) -> dict[str, object]:
    """Write a file that came as J-LIS's for programs."""
    return {
        "id": str(number), "file": number.file.value, "kind": one.kind.value, "sequence": one.sequence,
        "file_name": one.file_name, "file_bytes": one.file_bytes, "file_sha256": one.file_sha256,
        "state": one.state.value, "code": one.code.value if one.code else None, "records": one.records,
        "received_at": iso(one.received_at), "seen_at": iso(one.seen_at),
    }  # fmt: skip
