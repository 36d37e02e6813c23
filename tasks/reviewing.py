"""Review both operation logs; what is noticed is in `juki.review`, how it is recorded in `juki.oplog.reviewing`."""

from __future__ import annotations

from prefect import task

from juki.columns import IdentityFile
from juki.operators import Acting
from juki.oplog.reviewing import Reviewed, do_review
from tasks import clock
from tasks.boundary import UNIT_OF_WORK, run_actor, sealed
from tasks.workshop import Workshop


@task(name="操作ログの点検", **UNIT_OF_WORK)
@sealed
def review_logs() -> Reviewed:
    """Review what came since the last review; tried again, the same run gives what it has found."""
    shop = Workshop.open()
    urls = {file: shop.store_url(file) for file in IdentityFile}
    who = Acting(run_actor())
    return do_review(urls, shop.settings.review_limits, who, clock.now(), is_run=":" in who.actor)
