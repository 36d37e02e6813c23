"""Judge refused records of applied packages again, when an operator asks for it (`juki rejection retry`).

Decides:    nothing of its own: the records pass the same contract and the same judging as before.
Invariants: what was refused is judged as the notice it is, with its own number and the day from which its package
            counted, and never displaces a later notice of its municipality. Changes, counts, findings, outbox and
            journal commit together; whoever is killed anywhere judges again. Receipts given stay as they are.
Source:     法30条の6①, 30条の41① (nothing notified is lost); ADR-0017.
"""

from __future__ import annotations

import numpy as np
from prefect import task

from juki.decisions import Effect
from juki.journal import Action
from juki.order import Channel
from juki.store.packages import Package
from juki.store.unit import open_unit
from juki.versions import Origin
from tasks import clock
from tasks.applying import Carried, carry_out, record_changes
from tasks.boundary import UNIT_OF_WORK, sealed
from tasks.entries import package_entry
from tasks.opening import hold_to_contract
from tasks.workshop import Workshop


@task(name="拒否レコードの再判定", **UNIT_OF_WORK)
@sealed
def judge_again(channel: Channel) -> int:
    """Judge the refused records again of every package for which that was asked; count those accepted now."""
    shop = Workshop.open()
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        packages = unit.packages.to_judge_again(channel.municipality_code)
    return sum(_judge_package(shop, channel, package) for package in packages)


def _judge_package(shop: Workshop, channel: Channel, package: Package) -> int:
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        shop.check_keys(unit)
        unit.packages.progress(channel.municipality_code, lock=True)
        lines, table = unit.rejections.open_records(package.package_id, shop.sealing_key)
        if len(lines) == 0:
            unit.packages.ask_to_judge_again(package.package_id, None)
            return 0
        keys = shop.keyring(channel.file)
        notices, findings = hold_to_contract(shop, channel, package, table, keys)
        counted_from = clock.civil_date(unit.packages.counted_from(package))
        origin = Origin(channel.municipality_code, package.package_id, counted_from)
        carried = carry_out(unit, notices, findings, origin, keys)
        settled = lines[~carried.where(Effect.REJECT)]
        unit.rejections.settle(package.package_id, settled, clock.now())
        unit.rejections.add_again(package.package_id, notices, carried.findings, lines)
        unit.packages.judged_again(package.package_id, carried.counts)
        entry = package_entry(channel, package, Action.RECORDS_JUDGED_AGAIN)
        record_changes(unit, entry, carried, _told(carried))
    return len(settled)


def _told(carried: Carried) -> list[int]:
    """Name the notices that changed the file now; the rest of their package J-LIS was told of before."""
    numbers = carried.notices.table.column("notice_no").to_pylist()
    return [int(numbers[row]) for row in np.flatnonzero(carried.where(Effect.APPLY))]
