"""Keep what is provided until its hold ends: the hold first, then its key, then what is sealed under it.

Decides:    the order, so that nothing is ever kept that no purge would find.
Leaves:     terms to `juki.holds`, the files to `juki.hold_keys` and `juki.held_copies`.
Invariants: whoever holds the lock of a provision and finds its hold open may make its key; a hold whose key is gone
            is being erased and is not revived.
Source:     assessment M12, ADR-0028.
"""

from __future__ import annotations

from juki.errors import StoreError
from juki.held_copies import HeldCopies
from juki.hold_keys import HoldKeys
from juki.holds import Hold
from juki.numbers import SealingKey
from juki.package_id import PackageId
from juki.reasons import Code
from juki.store.holds import provision_lock
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tasks import clock
from tasks.workshop import Workshop


def opened_hold(shop: Workshop, provision: PackageId, numbers: int) -> SealingKey:
    """Open the hold of a provision that is not sealed yet, and return its key; again, it returns the same key.

    For whoever holds the lock of the provision, or is the only one to work it.
    Raises: StoreError(PROVISION_PURGED) when it was erased or is being erased, StoreError(HOLD_TERM_REACHED).
    """
    keys, at = HoldKeys(shop.home.holds), clock.now()
    found = hold_of(shop, provision)
    if found is not None and (found.purged_at is not None or not keys.exists(provision)):
        raise StoreError(Code.PROVISION_PURGED, str(provision))
    if found is not None and found.due_at <= at:
        raise StoreError(Code.HOLD_TERM_REACHED, str(provision))
    # The key before the row: a key without a hold opens nothing, a hold without a key is one that is erased.
    key = keys.ensure(provision)
    if found is None:
        with open_unit(shop.store_url(provision.file), provision.file, Duty.PROVIDER) as unit:
            unit.holds.open(provision.number, numbers, at, shop.settings.hold_terms.due_at(sealed_at=at))
    return key


def keep_sealed(shop: Workshop, provision: PackageId, sealed: bytes, numbers: int) -> None:
    """Keep a sealed package for its delivery and re-sends, in the provision's own hold.

    Raises: StoreError(PROVISION_PURGED), StoreError(HOLD_BUSY), transient.
    """
    with provision_lock(shop.store_url(provision.file), provision):
        HeldCopies(shop.home).keep(provision, opened_hold(shop, provision, numbers), sealed)


def hold_of(shop: Workshop, provision: PackageId) -> Hold | None:
    """Read the hold of a provision; None when nothing of it was ever kept."""
    with open_unit(shop.store_url(provision.file), provision.file, Duty.READER) as unit:
        return unit.holds.find(provision.number)
