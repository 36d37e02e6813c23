"""The product itself: sealed packages in the spool, settled one after the other as the flow settles them.

Decides:    where the clock starts (the packages lie in the spool and are registered, as after fetching) and ends
            (nothing is left to settle; every package committed).
Leaves:     fetching and receipts to the measurement of the small package, which runs the whole flow.
"""

from __future__ import annotations

import hashlib
import shutil
from datetime import UTC, datetime
from pathlib import Path

from bench.measured import Measured, Meter
from bench.stages import stopwatch
from bench.workplace import CHANNEL
from juki.order import FileMark, PackageState
from juki.packages import PackageName
from juki.store.packages import Arrival
from juki.store.unit import open_unit
from juki.wire.package_files import PackageFiles
from tasks.settling import settle_next
from tasks.workshop import Workshop


def settle(folder: Path) -> Measured:
    """Settle the packages of a folder and time it, by stage."""
    shop = Workshop.open()
    count = register(shop, folder)
    records, meter = 0, Meter(shop.home)
    with stopwatch() as watch, meter:
        while (settled := settle_next.fn(CHANNEL)) is not None:
            if settled.state is not PackageState.APPLIED or settled.counts["rejected"]:
                raise RuntimeError(f"a package became {settled.state}: {settled.code} {settled.codes}")
            records += settled.counts["records"]
            count -= 1
        stages = watch.stop()
    if count:
        raise RuntimeError(f"{count} packages were not settled")
    return meter.measured(records, stages)


def register(shop: Workshop, folder: Path) -> int:
    """Put the packages of a folder into the spool and register them, as fetching does; count them."""
    spool = PackageFiles.of(shop.home, CHANNEL).spool
    spool.mkdir(parents=True, exist_ok=True)
    paths = sorted(folder.glob("*.p7m"))
    with open_unit(shop.store_url(CHANNEL.file), CHANNEL.file) as unit:
        now = datetime.now(UTC)
        unit.packages.attempt(CHANNEL.municipality_code, now)
        for path in paths:
            shutil.copyfile(path, spool / path.name)
            name = PackageName.parse(path.name)
            mark = FileMark(path.name, path.stat().st_size, now)
            digest = hashlib.sha256(path.read_bytes()).digest()
            unit.packages.register(Arrival(CHANNEL.municipality_code, name.sequence, mark, digest, now))
    return len(paths)
