"""How everything stands, for programs: the same as on the screens, with every code explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from juki.health import ChannelHealth, Condition, Confirmation, Health
from juki.log_health import LogFacts
from juki.overview.custody import HoldFacts
from juki.overview.jlis import JlisHealth
from juki.overview.site import SiteFacts
from juki.overview.situation import Situation
from juki.scanning import Standing
from juki.shown import explained, iso


def described_situation(situation: Situation) -> dict[str, object]:
    """Write everything."""
    return {
        "as_of": iso(situation.at),
        "summary": channel_counts(situation.channels),
        "channels": [described_channel(one, situation.name) for one in situation.channels],
        "alarms": [alarm.described() for alarm in situation.alarms],
        "jlis": [described_jlis(one) for one in situation.jlis],
        "operation_logs": described_logs(situation.logs),
        "holds": [_described_holds(one) for one in situation.holds],
        "scanner": described_standing(situation.scanning),
        "site": _described_site(situation.site),
    }


def channel_counts(judged: Sequence[ChannelHealth]) -> dict[str, int]:
    """Count the channels by state."""
    counted = Counter(one.health for one in judged)
    return {health.value: counted[health] for health in Health}


def described_channel(one: ChannelHealth, name: Callable[[str], str]) -> dict[str, object]:
    """Write the health of a channel."""
    facts = one.facts
    return {
        "municipality_code": facts.channel.municipality_code,
        "municipality": name(facts.channel.municipality_code),
        "file": facts.channel.file.value,
        "state": one.health.value,
        "state_japanese": one.health.japanese,
        "last_sequence": facts.last_sequence,
        "last_contact_at": iso(facts.last_contact_at),
        "last_attempt_at": iso(facts.last_attempt_at),
        "last_failure_code": facts.last_failure.value if facts.last_failure else None,
        "waiting": facts.waiting,
        "oldest_waiting_at": iso(facts.oldest_waiting_at),
        "missing_sequence": facts.missing_sequence,
        "refused": len(facts.refused) + len(facts.conflicts),
        "rejected_records": facts.rejected_records,
        "receipts_due": facts.receipts_due,
        "unknown_files": facts.unknown_files,
        "deferred_files": facts.deferred_files,
        "confirmed": _confirmation(facts.confirmation),
        "reasons": [_condition(condition) for condition in one.conditions],
    }


def described_jlis(one: JlisHealth) -> dict[str, object]:
    """Write the notices of a file to J-LIS."""
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


def described_logs(logs: Sequence[LogFacts]) -> list[dict[str, object]]:
    """Write the operation logs."""
    return [
        {
            "file": one.file.value, "entries": one.entries, "signed": one.signed,
            "signed_at": iso(one.signed_at), "waiting": one.waiting, "waiting_since": iso(one.waiting_since),
            "alarms": [{**explained(code), "ref": ref} for code, ref in one.alarms],
        }
        for one in logs
    ]  # fmt: skip


def described_standing(standing: Standing) -> dict[str, object]:
    """Write how scanning stands."""
    return {
        "state": standing.state.value, "state_japanese": standing.state.japanese,
        "patterns_at": iso(standing.patterns_at), "reason": explained(standing.code) if standing.code else None,
    }  # fmt: skip


def _described_holds(one: HoldFacts) -> dict[str, object]:
    return {
        "file": one.file.value, "provisions": one.provisions, "numbers": one.numbers,
        "first_due_at": iso(one.first_due_at), "due": one.due, "overdue": one.overdue,
    }  # fmt: skip


def _described_site(site: SiteFacts) -> dict[str, object]:
    return {
        "state": site.state.value, "state_japanese": site.state.japanese, "url": site.pages,
        "since": iso(site.since), "restarts": site.restarts, "unsent_letters": site.unsent_letters,
    }  # fmt: skip


def _confirmation(confirmation: Confirmation) -> dict[str, object]:
    return {
        "as_of": iso(confirmation.confirmed_at), "watermark": confirmation.watermark,
        "rows": confirmation.rows, "root_digest": confirmation.root_digest or None,
        "open_differences": confirmation.open_differences,
    }  # fmt: skip


def _condition(condition: Condition) -> dict[str, object]:
    packages = [{"id": str(one.package_id), **explained(one.code)} for one in condition.packages]
    return {
        "state": condition.health.value, **explained(condition.code), "count": condition.count,
        "since": iso(condition.since), "deadline": iso(condition.deadline), "packages": packages,
    }  # fmt: skip
