"""What the local administrator may do with what was provided: send it again, note a receipt, name its medium, purge.

Decides:    who acts and how it is recorded, until operators do (M7).
Leaves:     the steps to `juki.custody`.
Invariants: a command does what the flow does, step by step, by the clock of the machine.
Source:     assessment M8, M10, M12.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from config.leaving import refusal_to_leave
from config.recipients import delivery_of, load_recipients
from juki.cli.acting import acting
from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.custody import timing
from juki.custody.custody import Custody
from juki.custody.expiring import Expiry, ExpirySummary
from juki.custody.purging import Purge, PurgeSummary
from juki.errors import ConfigurationError, JukiError
from juki.holds import Hold
from juki.journal import Action
from juki.media import Medium
from juki.package_id import PackageId
from juki.provisions import ProvisionState
from juki.reason_text import checked_reason
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import open_unit


def custody_of(installation: Installation) -> Custody:
    """Open the custody of an installation; who acts is the account that runs this process.

    Raises: ConfigurationError(CONFIG_MISSING) naming the period nobody has decided.
    """
    home = installation.home
    return Custody(
        home=home,
        urls={file: installation.store_url(file) for file in IdentityFile},
        terms=installation.settings.hold_terms,
        delivery=lambda code: delivery_of(home, load_recipients(home).of(code)),
        now=lambda: datetime.now(UTC),
        may_leave=lambda hold, at: refusal_to_leave(home, hold, at),
        acting=acting(),
    )


def run_purge(
    installation: Installation, *, is_dry: bool, confirmed_because: str = ""
) -> tuple[PurgeSummary, ExpirySummary]:
    """Erase what is due of provisions and of records, or only tell what would be erased.

    Raises: ConfigurationError(REASON_TEXT_FORM).
    """
    custody, settings = custody_of(installation), installation.settings
    bound = timedelta(hours=settings.purge_clock_bound_hours)
    reason = checked_reason(confirmed_because) if confirmed_because else ""
    reference = timing.looked_up(custody, bound) if is_dry else timing.settled(custody, bound, reason)
    work = Purge(custody, reference.at, timedelta(minutes=settings.purge_grace_minutes))
    records = Expiry(custody, reference.at)
    if reference.doubt:
        return work.stopped(reference.doubt), records.stopped(reference.doubt)
    return (work.plan(), records.plan()) if is_dry else (work.run(), records.run())


def holds_of(installation: Installation, files: Sequence[IdentityFile], *, every: bool = False) -> list[Hold]:
    """List holds, the earliest end first."""
    found: list[Hold] = []
    for file in files:
        with open_unit(installation.store_url(file), file, Duty.READER) as unit:
            found += unit.holds.listed(every=every)
    return sorted(found, key=lambda hold: (hold.due_at, hold.provision))


def hand_over_on(custody: Custody, provision: PackageId, medium: PackageId) -> tuple[Hold, Medium]:
    """Note the medium a delivered package is handed over on; both are of the same store.

    Raises: ConfigurationError(COMMAND_ARGUMENT), JukiError(MEDIUM_UNKNOWN, MEDIUM_STATE, PROVISION_NOT_DELIVERED).
    """
    if medium.file is not provision.file:
        raise ConfigurationError(Code.COMMAND_ARGUMENT, "--medium")
    with custody.lock(provision):
        hold = custody.hold(provision)
        if hold.state is not ProvisionState.DELIVERED:
            raise JukiError(Code.PROVISION_NOT_DELIVERED, str(provision))
        with custody.unit(provision.file, Duty.PROVIDER) as unit:
            used = unit.media.usable(medium.number)
            unit.holds.handed_over(provision.number, medium.number)
            entry = custody.entry(hold, Action.PROVISION_HANDED_OVER, {}, medium=str(medium))
            unit.journal.append(entry, custody.now())
    return hold, used
