"""What an operator does from the Prefect UI with one package, provision or difference: the acts of `juki.acts`.

Decides:    nothing; the acts and the steps of custody are the core's, and the same as from a terminal.
Invariants: identifiers in, identifiers out; who acts has passed the gate (`tasks.authorising`).
"""

from __future__ import annotations

from dataclasses import replace

from prefect import task

from juki.acts.differences import approve, approve_run
from juki.acts.packages import release_package
from juki.acts.site import Site
from juki.columns import IdentityFile
from juki.custody.handing_over import resend
from juki.operators import Acting
from juki.package_id import PackageId
from tasks import clock
from tasks.authorising import denials_noted
from tasks.boundary import ONCE, sealed
from tasks.custody import custody_of
from tasks.workshop import Workshop

_APPROVE = "difference approve"


@task(name="提供の再送", **ONCE)
@sealed
def resend_provision(provision: PackageId, who: Acting) -> None:
    """Deliver a kept provision again, the same bytes."""
    resend(replace(custody_of(Workshop.open()), acting=who), provision)


@task(name="パッケージの解除", **ONCE)
@sealed
def release(package: PackageId, reason: str, who: Acting) -> None:
    """Put a package aside that stands in the way."""
    release_package(_site(who), package, reason, clock.now())


@task(name="差異の修復の承認", **ONCE)
@sealed
def approve_differences(differences: list[PackageId], who: Acting) -> None:
    """Approve repairs of some differences."""
    with denials_noted(who, _APPROVE):
        approve(_site(who), differences, clock.now())


@task(name="上限を超える変更の承認", **ONCE)
@sealed
def approve_reconciliation(run: PackageId, who: Acting) -> None:
    """Approve changes beyond the bound, up to the number that was seen."""
    with denials_noted(who, _APPROVE):
        approve_run(_site(who), run, clock.now())


def _site(who: Acting) -> Site:
    shop = Workshop.open()
    urls = {file: shop.store_url(file) for file in IdentityFile}
    return Site(shop.home, urls, frozenset(shop.municipalities.closed), who)
