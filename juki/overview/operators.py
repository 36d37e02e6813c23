"""Operators: that there are, or soon will be, too few administrators.

Leaves:     the judgement to `juki.doctor`.
Invariants: an installation that is worked without operators is not told of them here; ids only, no names.
"""

from __future__ import annotations

from datetime import datetime

from juki.columns import IdentityFile
from juki.dates import civil_date
from juki.doctor import few_administrators
from juki.operators import ENOUGH_ADMINISTRATORS, Operator, Role
from juki.overview.alarm import Alarm
from juki.overview.watched import Watched
from juki.store.roles import Duty
from juki.store.unit import open_unit


def operator_alarms(watched: Watched, now: datetime) -> list[Alarm]:
    """Say who of the administrators can not, or will soon not be able to act, where fewer than two remain."""
    today = civil_date(now)
    with open_unit(watched.urls[IdentityFile.RESIDENT], IdentityFile.RESIDENT, Duty.AUDITOR) as unit:
        found = [one for one in unit.operators.listed() if Role.ADMINISTRATOR in one.roles]
    if len(found) < ENOUGH_ADMINISTRATORS:
        return []
    lasting = [one for one in found if one.lasts(today)]
    code = few_administrators(sum(one.is_active(today) for one in found), len(lasting))
    which = tuple(_said(one) for one in found if one.removed_at is None)
    return [Alarm(code, which)] if code else []


def _said(one: Operator) -> str:
    end = f" {one.valid_to.isoformat()} まで" if one.valid_to else ""
    locked = " 停止中" if one.locked_at else ""
    failed = f" 認証の失敗 {one.failures} 回" if one.failures else ""
    return f"{one.operator_id}{end}{locked}{failed}"
