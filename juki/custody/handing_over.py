"""Hand the sealed package of a provision over, the same package again, and note that it was received.

Decides:    the order: the file lies in the recipient's folder before the store says so; a re-send differs in nothing.
Leaves:     what may still leave to `juki.holds`, the folder to `juki.wire.folders`.
Invariants: what is registered now is asked before anything leaves, and again before it leaves again; what may not
            leave any more comes to its end at once. Nobody erases a provision while it is handed over. Killed
            anywhere and done again: the same bytes under the same name, noted once. A re-send is journalled and moves
            the end of the hold not at all; a receipt moves it earlier or not at all.
Source:     assessment M5, M12, ADR-0028.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from juki.custody.custody import Custody
from juki.errors import JukiError, StoreError
from juki.holds import Hold
from juki.journal import Action
from juki.package_id import PackageId
from juki.provisions import ProvisionState
from juki.reasons import Code
from juki.store.roles import Duty
from juki.wire import folders


def deliver(custody: Custody, provision: PackageId) -> None:
    """Put a sealed provision into the folder of its recipient; one that was delivered is left alone.

    Raises: PROVISION_PURGED, PROVISION_NOT_SEALED, HOLD_TERM_REACHED, HOLD_COPY_LOST; HOLD_BUSY and what keeps a
            folder from taking it are transient.
    """
    with custody.lock(provision):
        hold = _leaving(custody, provision)
        if hold.state is ProvisionState.DELIVERED:
            return
        _check_may_leave(custody, hold, Action.PROVISION_DELIVERED)
        _hand_over(custody, hold)
        at = custody.now()
        with custody.unit(provision.file, Duty.PROVIDER) as unit:
            due_at = custody.terms.due_at(sealed_at=hold.sealed_at or at, delivered_at=at)
            unit.holds.delivered(provision.number, at, due_at)
            unit.journal.append(custody.entry(hold, Action.PROVISION_DELIVERED, _counts(hold)), at)


def resend(custody: Custody, provision: PackageId) -> Hold:
    """Put a delivered provision into the folder of its recipient once more, byte for byte the same.

    Returns: the hold as it is now; its end is what it was.
    Raises:  as `deliver`, and PROVISION_NOT_DELIVERED.
    """
    with custody.lock(provision):
        hold = _leaving(custody, provision)
        if hold.state is not ProvisionState.DELIVERED:
            raise JukiError(Code.PROVISION_NOT_DELIVERED, str(provision))
        _check_may_leave(custody, hold, Action.PROVISION_RESENT)
        _hand_over(custody, hold)
        at = custody.now()
        with custody.unit(provision.file, Duty.PROVIDER) as unit:
            unit.holds.resent(provision.number, at)
            unit.journal.append(custody.entry(hold, Action.PROVISION_RESENT, _counts(hold)), at)
    return custody.hold(provision)


def note_receipt(custody: Custody, provision: PackageId, at: datetime) -> tuple[Hold, bool]:
    """Note that a recipient acknowledged what it got, also after it was erased; say whether this changed anything.

    Raises: JukiError(HOLD_UNKNOWN, PROVISION_NOT_DELIVERED), HOLD_BUSY, transient.
    """
    with custody.lock(provision):
        hold = custody.hold(provision)
        if hold.receipt_at is not None:
            return hold, False
        if hold.state is not ProvisionState.DELIVERED:
            raise JukiError(Code.PROVISION_NOT_DELIVERED, str(provision))
        with custody.unit(provision.file, Duty.PROVIDER) as unit:
            unit.holds.receipted(provision.number, at, custody.terms.shortened(hold.due_at, at))
            unit.journal.append(custody.entry(hold, Action.PROVISION_RECEIPTED, _counts(hold)), at)
    return custody.hold(provision), True


def _leaving(custody: Custody, provision: PackageId) -> Hold:
    """Find what may leave now."""
    hold = custody.hold(provision)
    refusal = hold.refusal(custody.now())
    if refusal is not None:
        raise JukiError(refusal, str(provision))
    return hold


def _check_may_leave(custody: Custody, hold: Hold, action: Action) -> None:
    """Refuse what the law, a registration or a certificate does not carry any more, once, and let its hold end.

    Raises: JukiError with the code of what does not hold.
    """
    at = custody.now()
    refusal = custody.may_leave(hold, at)
    if refusal is None:
        return
    with custody.unit(hold.provision.file, Duty.PROVIDER) as unit:
        unit.holds.shorten(hold.provision.number, at)
        unit.journal.append(custody.entry(hold, action, _counts(hold), refused=refusal), at)
    raise JukiError(refusal, str(hold.provision))


def _hand_over(custody: Custody, hold: Hold) -> None:
    content = custody.copies.read(hold.provision, custody.keys.key(hold.provision))
    if hashlib.sha256(content).digest() != hold.package_sha256:
        raise StoreError(Code.HOLD_COPY_LOST, str(hold.provision))
    folders.deliver(custody.delivery(hold.recipient), hold.file_name, content)


def _counts(hold: Hold) -> dict[str, int]:
    return {"numbers": hold.numbers}
