"""Erase what has come to its end: the provisions held, and the records whose 150 years are over.

The steps are in `juki.custody.purging` and `juki.custody.expiring`; each asks for itself whether the clock of this
run is to be believed.
"""

from __future__ import annotations

from datetime import timedelta

from prefect import task

from juki.custody import timing
from juki.custody.custody import Custody
from juki.custody.expiring import Expiry, ExpirySummary
from juki.custody.purging import Purge, PurgeSummary
from tasks.boundary import UNIT_OF_WORK, sealed
from tasks.custody import custody_of
from tasks.progress import Progress, silent
from tasks.workshop import Workshop


@task(name="個人番号の消去", **UNIT_OF_WORK)
@sealed
def purge_due(progress: Progress = silent) -> PurgeSummary:
    """Erase everything due at the one reference time of this run, if its clock is to be believed."""
    shop = Workshop.open()
    custody, reference = _settled(shop)
    grace = timedelta(minutes=shop.settings.purge_grace_minutes)
    work = Purge(custody, reference.at, grace, progress)
    return work.stopped(reference.doubt) if reference.doubt else work.run()


@task(name="保存期間を過ぎた記録の消去", **UNIT_OF_WORK)
@sealed
def erase_records() -> ExpirySummary:
    """Erase every version whose 150 years are over, if the clock is to be believed."""
    custody, reference = _settled(Workshop.open())
    work = Expiry(custody, reference.at)
    return work.stopped(reference.doubt) if reference.doubt else work.run()


def _settled(shop: Workshop) -> tuple[Custody, timing.ReferenceTime]:
    """Give what is worked with, and the reference time of this run with the doubt there is about it."""
    custody = custody_of(shop)
    return custody, timing.settled(custody, timedelta(hours=shop.settings.purge_clock_bound_hours))
