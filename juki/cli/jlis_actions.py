"""What the local administrator may do with notices to J-LIS: have one delivered again, note a refused file as seen.

Decides:    who acts and how it is recorded, until operators do (M7).
Leaves:     when a package may be delivered again to `juki.store.jlis_packages`, delivering to the flow.
Invariants: an act and its journal entry commit together; what is delivered again is what was sealed.
Source:     法30条の7, 30条の42; M8, ADR-0027.
"""

from __future__ import annotations

from datetime import datetime

from juki.cli.acting import acting
from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.errors import JukiError
from juki.jlis import JlisState
from juki.journal import Action, Entry, Outcome
from juki.package_id import PackageId
from juki.packages import PackageKind, PackageName
from juki.reason_text import checked_reason
from juki.reasons import Code
from juki.store.jlis_messages import JlisMessages
from juki.store.jlis_packages import JlisPackages
from juki.store.roles import Duty
from juki.store.unit import open_unit


def resend(installation: Installation, wanted: PackageId, reason: str, at: datetime) -> bool:
    """Let the next run deliver a package once more; False when it is to be delivered anyway.

    Raises: StoreError(JLIS_NOT_FOUND, JLIS_ACKNOWLEDGED), ConfigurationError(REASON_TEXT_FORM).
    """
    basis, file = checked_reason(reason), wanted.file
    with open_unit(installation.store_url(file), file, Duty.ADMINISTRATOR) as unit:
        packages = JlisPackages(file, unit.connection)
        if packages.sent_state(wanted.number) is JlisState.SEALED:
            return False
        packages.deliver_again(wanted.number)
        code = installation.settings.prefecture_code
        name = PackageName(code, file, PackageKind.JLIS, wanted.number)
        unit.journal.append(_entry(Action.JLIS_RESENT, file, str(name), basis), at)
    return True


def close_message(installation: Installation, wanted: PackageId, reason: str, at: datetime) -> None:
    """Note that a refused file was dealt with; it stays as it is kept.

    Raises: JukiError(JLIS_NOT_FOUND) when it is none that is open, ConfigurationError(REASON_TEXT_FORM).
    """
    basis, file = checked_reason(reason), wanted.file
    with open_unit(installation.store_url(file), file, Duty.ADMINISTRATOR) as unit:
        if not JlisMessages(file, unit.connection).seen(wanted.number, at):
            raise JukiError(Code.JLIS_NOT_FOUND, str(wanted))
        unit.journal.append(_entry(Action.JLIS_MESSAGE_CLOSED, file, str(wanted), basis), at)


def _entry(action: Action, file: IdentityFile, package: str, basis: str) -> Entry:
    return acting().signed(Entry(
        action=action, file=file, outcome=Outcome.DONE, package=package, basis=basis,
    ))  # fmt: skip
