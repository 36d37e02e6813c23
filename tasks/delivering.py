"""Hand sealed provisions over, once and again; the steps are in `juki.custody.handing_over`."""

from __future__ import annotations

from prefect import task

from juki.custody import handing_over
from juki.package_id import PackageId
from tasks.boundary import UNIT_OF_WORK, sealed
from tasks.custody import custody_of
from tasks.workshop import Workshop


@task(name="提供の送付", **UNIT_OF_WORK)
@sealed
def deliver_provision(provision: PackageId) -> None:
    """Put a sealed provision into the folder of its recipient; one that was delivered is left alone."""
    handing_over.deliver(custody_of(Workshop.open()), provision)


@task(name="提供の再送", **UNIT_OF_WORK)
@sealed
def resend_provision(provision: PackageId) -> None:
    """Put a delivered provision into the folder of its recipient once more, byte for byte the same."""
    handing_over.resend(custody_of(Workshop.open()), provision)
