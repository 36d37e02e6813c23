"""The lawful hop (法30条の44の6第3項): attach 個人番号 of the resident file to one approved fuhyo provision.

Decides:    the order of a crossing: hold, approval, crossing with its entry, numbers lent out with theirs.
Leaves:     what the database refuses to migration 0007, the end of it all to `juki.custody.purging`.
Invariants: the only importer of `juki.store.bridge`. A number is in clear in this process only; it lies in the fuhyo
            store under the key of its hold and nowhere else. Killed anywhere and done again: the same numbers.
Source:     assessment M6, ADR-0029.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from juki.columns import IdentityFile
from juki.errors import StoreError
from juki.journal import Action, Entry, Outcome
from juki.numbers import SealingKey, bound_to, seal
from juki.opened_numbers import opened_numbers, unsealed_all
from juki.package_id import PackageId
from juki.reasons import Code
from juki.store.bridge import Approved, FuhyoSide, ResidentSide
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tasks import clock
from tasks.boundary import run_actor
from tasks.custody import custody_of
from tasks.workshop import Workshop

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO


def attach_numbers(shop: Workshop, provision: PackageId, codes: Sequence[str]) -> list[bytes]:
    """Fetch the numbers of the people of one approved fuhyo provision, and hold them until its hold ends.

    Shape:   one number for each code, in their order; b"" where the resident file holds none.
    Returns: plaintext, for this process only. Again, until the hold ends, the same without another crossing.
    Raises:  StoreError(BRIDGE_NOT_APPROVED, BRIDGE_OTHER_CODES, PROVISION_PURGED), HOLD_BUSY, transient.
    """
    if provision.file is not FUHYO:
        raise StoreError(Code.BRIDGE_NOT_APPROVED, str(provision))
    custody = custody_of(shop)
    with custody.lock(provision):
        with open_unit(shop.store_url(FUHYO), FUHYO, Duty.BRIDGE) as unit:
            approved = FuhyoSide(unit.connection).approved(provision.number)
            held = FuhyoSide(unit.connection).held(provision.number)
        key, at = custody.opened(provision, len(codes)), clock.now()
        with open_unit(shop.store_url(RESIDENT), RESIDENT, Duty.PROVIDER) as unit:
            ResidentSide(unit.connection).approve(approved, codes, at)
        if held:
            return _opened(provision, held, len(codes), key)
        numbers = _crossed(shop, approved, codes, at)
        _lend(shop, approved, numbers, key, at)
        return [numbers.get(line, b"") for line in range(1, len(codes) + 1)]


def _crossed(shop: Workshop, approved: Approved, codes: Sequence[str], at: datetime) -> dict[int, bytes]:
    """Cross in the resident store, as the bridge, with the entry the database demands; open what came over."""
    with open_unit(shop.store_url(RESIDENT), RESIDENT, Duty.BRIDGE) as unit:
        found = ResidentSide(unit.connection).cross(approved.provision_id, codes)
        counts = {"codes": len(codes), "numbers": len(found)}
        unit.journal.append(_entry(approved, RESIDENT, counts), at)
    codes_there = [one.sealed_for.encode() for one in found]
    numbers = opened_numbers(RESIDENT, codes_there, [one.number_sealed for one in found], shop.sealing_key)
    return dict(zip([one.line for one in found], numbers, strict=True))


def _lend(
    shop: Workshop, approved: Approved, numbers: dict[int, bytes], key: SealingKey, at: datetime
) -> None:
    """Hold the numbers in the fuhyo store, sealed under the key of their provision."""
    provision, lines = PackageId(FUHYO, approved.provision_id), list(numbers)
    sealed = seal(list(numbers.values()), _bindings(provision, lines, key), key)
    with open_unit(shop.store_url(FUHYO), FUHYO, Duty.BRIDGE) as unit:
        FuhyoSide(unit.connection).keep(provision.number, lines, sealed)
        unit.journal.append(_entry(approved, FUHYO, {"numbers": len(lines)}), at)


def _opened(provision: PackageId, held: dict[int, bytes], count: int, key: SealingKey) -> list[bytes]:
    numbers = unsealed_all(list(held.values()), _bindings(provision, list(held), key), key)
    opened = dict(zip(held, numbers, strict=True))
    return [opened.get(line, b"") for line in range(1, count + 1)]


def _bindings(provision: PackageId, lines: Sequence[int], key: SealingKey) -> list[bytes]:
    return bound_to(FUHYO, "held_number", [f"{provision}/{line}".encode() for line in lines], key.key_id)


def _entry(approved: Approved, file: IdentityFile, counts: dict[str, int]) -> Entry:
    return Entry(
        action=Action.BRIDGE_CROSSED, file=file, actor=run_actor(), outcome=Outcome.DONE, basis=approved.basis,
        provision=str(PackageId(FUHYO, approved.provision_id)), recipient=approved.recipient, counts=counts,
        number_accessed=True,
    )  # fmt: skip
