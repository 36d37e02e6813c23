"""The part of `juki status` about the operation logs: what is signed, what waits, what is wrong.

Invariants: a log in order is one line; an alarm is its code, where, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from config.logs import log_place
from juki.cli.installation import Installation, explained, iso, shown
from juki.cli.reasons_shown import SHORT, code_lines
from juki.columns import IdentityFile
from juki.log_health import LogFacts, judged
from juki.oplog.overview import log_facts
from juki.store.roles import Duty
from juki.store.unit import open_unit


def logs_of(installation: Installation, now: datetime) -> list[LogFacts]:
    """Judge both logs."""
    stale_after = timedelta(minutes=installation.settings.checkpoint_stale_minutes)
    found = []
    for file in IdentityFile:
        place = log_place(installation.home, installation.settings, file)
        with open_unit(installation.store_url(file), file, Duty.AUDITOR) as unit:
            found.append(judged(log_facts(unit, place), stale_after, now))
    return found


def described_logs(logs: Sequence[LogFacts]) -> list[dict[str, object]]:
    """Write the logs for programs."""
    return [
        {
            "file": one.file.value, "entries": one.entries, "signed": one.signed,
            "signed_at": iso(one.signed_at), "waiting": one.waiting, "waiting_since": iso(one.waiting_since),
            "alarms": [{**explained(code), "ref": ref} for code, ref in one.alarms],
        }
        for one in logs
    ]  # fmt: skip


def log_lines(logs: Sequence[LogFacts]) -> list[str]:
    """Write the logs for people: one line for both, then each alarm once with its places."""
    parts = [
        f"{SHORT[one.file]} {one.entries:,} 件（署名 {shown(one.signed_at)}、以後 {one.waiting:,} 件）"
        for one in logs
    ]
    places: dict[str, list[str]] = {}
    for one in logs:
        for code, ref in one.alarms:
            places.setdefault(code.value, []).append(ref)
    lines = [f"操作ログ: {'、'.join(parts)}"]
    for code in dict.fromkeys(code for one in logs for code, _ in one.alarms):
        first, *step = code_lines(code, "操作ログ ")
        lines += [first, "  " + "、".join(dict.fromkeys(places[code.value])), *step]
    return lines
