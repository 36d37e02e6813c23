"""Hand the sealed package of a provision over, or the same package again.

Decides:    the order: the file lies in the recipient's folder before the store says so; a re-send differs in nothing.
Leaves:     what may still leave to `juki.holds`, the folder to `juki.wire.folders`.
Invariants: nobody erases a provision while it is handed over. Killed anywhere and done again: the same bytes under
            the same name, noted once. A re-send is journalled and moves the end of the hold not at all.
Source:     assessment M5, M12, ADR-0028.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from prefect import task

from config.recipients import delivery_of, load_recipients
from juki.errors import JukiError, StoreError
from juki.held_copies import HeldCopies
from juki.hold_keys import HoldKeys
from juki.holds import Hold
from juki.journal import Action, Entry, Outcome
from juki.package_id import PackageId
from juki.provisions import ProvisionState
from juki.reasons import Code
from juki.store.holds import provision_lock
from juki.store.roles import Duty
from juki.store.unit import open_unit
from juki.wire import folders
from tasks import clock
from tasks.boundary import UNIT_OF_WORK, run_actor, sealed
from tasks.keeping import hold_of
from tasks.workshop import Workshop


@task(name="提供の送付", **UNIT_OF_WORK)
@sealed
def deliver_provision(provision: PackageId) -> None:
    """Put a sealed provision into the folder of its recipient; one that was delivered is left alone.

    Raises: PROVISION_PURGED, PROVISION_NOT_SEALED, HOLD_TERM_REACHED, HOLD_COPY_LOST; HOLD_BUSY and what keeps a
            folder from taking it are transient.
    """
    shop, at = Workshop.open(), clock.now()
    with provision_lock(shop.store_url(provision.file), provision):
        hold = _leaving(shop, provision, at)
        if hold.state is ProvisionState.DELIVERED:
            return
        _hand_over(shop, hold)
        at = clock.now()
        with open_unit(shop.store_url(provision.file), provision.file, Duty.PROVIDER) as unit:
            due_at = shop.settings.hold_terms.due_at(sealed_at=hold.sealed_at or at, delivered_at=at)
            unit.holds.delivered(provision.number, at, due_at)
            unit.journal.append(_entry(hold, Action.PROVISION_DELIVERED, run_actor()), at)


@task(name="提供の再送", **UNIT_OF_WORK)
@sealed
def resend_provision(provision: PackageId, actor: str = "", terminal: str = "") -> None:
    """Put a delivered provision into the folder of its recipient once more: byte for byte the same.

    Raises: as `deliver_provision`, and PROVISION_NOT_DELIVERED.
    """
    shop, at = Workshop.open(), clock.now()
    with provision_lock(shop.store_url(provision.file), provision):
        hold = _leaving(shop, provision, at)
        if hold.state is not ProvisionState.DELIVERED:
            raise JukiError(Code.PROVISION_NOT_DELIVERED, str(provision))
        _hand_over(shop, hold)
        at = clock.now()
        with open_unit(shop.store_url(provision.file), provision.file, Duty.PROVIDER) as unit:
            unit.holds.resent(provision.number, at)
            unit.journal.append(_entry(hold, Action.PROVISION_RESENT, actor or run_actor(), terminal), at)


def _leaving(shop: Workshop, provision: PackageId, at: datetime) -> Hold:
    """Find what may leave now."""
    hold = hold_of(shop, provision)
    if hold is None:
        raise JukiError(Code.HOLD_UNKNOWN, str(provision))
    refusal = hold.refusal(at)
    if refusal is not None:
        raise JukiError(refusal, str(provision))
    return hold


def _hand_over(shop: Workshop, hold: Hold) -> None:
    copies, keys = HeldCopies(shop.home), HoldKeys(shop.home.holds)
    content = copies.read(hold.provision, keys.key(hold.provision))
    if hashlib.sha256(content).digest() != hold.package_sha256:
        raise StoreError(Code.HOLD_COPY_LOST, str(hold.provision))
    recipient = load_recipients(shop.home).of(hold.recipient)
    folders.deliver(delivery_of(shop.home, recipient), hold.file_name, content)


def _entry(hold: Hold, action: Action, actor: str, terminal: str = "") -> Entry:
    return Entry(
        action=action, file=hold.provision.file, actor=actor, terminal=terminal, outcome=Outcome.DONE,
        basis=hold.basis, package=hold.file_name, provision=str(hold.provision), recipient=hold.recipient,
        counts={"numbers": hold.numbers},
    )  # fmt: skip
