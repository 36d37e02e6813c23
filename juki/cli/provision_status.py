"""What `juki status` says of provisions: requests refused in the last day, answers sealed and not handed over."""

from __future__ import annotations

from datetime import datetime

from juki.cli.custody_status import Alarm
from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.probing import WINDOW
from juki.provisions import ProvisionState
from juki.reasons import Code
from juki.store.provisions import Provision
from juki.store.roles import Duty
from juki.store.unit import open_unit

_MOST_SHOWN = 100


def provision_alarms(installation: Installation, now: datetime) -> list[Alarm]:
    """Find the provisions that need somebody."""
    alarms = list[Alarm]()
    undelivered = _listed(installation, ProvisionState.SEALED)
    if undelivered:
        since = min(one.sealed_at for one in undelivered if one.sealed_at)
        alarms.append(Alarm(Code.PROVISION_UNDELIVERED, _named(undelivered), since))
    recent = [one for one in _listed(installation, ProvisionState.REFUSED) if _is_recent(one, now)]
    if recent:
        alarms.append(Alarm(Code.PROVISION_REFUSED_RECENTLY, _named(recent)))
    return alarms


def _listed(installation: Installation, state: ProvisionState) -> list[Provision]:
    found = list[Provision]()
    for file in IdentityFile:
        with open_unit(installation.store_url(file), file, Duty.READER) as unit:
            found += unit.provisions.listed(_MOST_SHOWN, state=state)
    return found


def _is_recent(one: Provision, now: datetime) -> bool:
    return one.decided_at is not None and now - one.decided_at < WINDOW


def _named(provisions: list[Provision]) -> tuple[str, ...]:
    return tuple(
        f"{one.provision_id} {one.code.value}" if one.code else str(one.provision_id) for one in provisions
    )
