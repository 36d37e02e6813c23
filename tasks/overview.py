"""朝の一覧: look at everything as `juki status` does, and count what the plots beside it show.

Decides:    nothing of its own.
Invariants: reads as the command does, with the same rights (reader, auditor), and changes nothing. What is not as it
            should be is said on the page and fails no run; a look that fails is said on the page and fails the run.
"""

from __future__ import annotations

from contextlib import suppress

from prefect import task
from prefect.artifacts import create_image_artifact, create_markdown_artifact

from config.overviews import watched_of
from config.scanning import scanner_standing
from juki.errors import JukiError
from juki.overview.page import page_of, page_unseen
from juki.overview.plots import plots_of
from juki.overview.situation import look
from juki.overview.trends import trends_of
from juki.overview.watched import Watched
from juki.reasons import Code
from juki.site import MORNING_PAGE
from tasks import clock
from tasks.boundary import UNIT_OF_WORK, sealed
from tasks.workshop import Workshop


@task(name="一覧の掲示", **UNIT_OF_WORK)
@sealed
def publish_overview() -> None:
    """Publish the page, under one key, so that the UI shows how it went over time; also that a look failed."""
    try:
        page = _page()
    except Exception as error:
        # The last good page would go on saying that all is well. The failure stays what it was.
        with suppress(Exception):
            code = error.code if isinstance(error, JukiError) else Code.RUN_UNEXPECTED
            _publish(page_unseen(clock.now(), code))
        raise
    _publish(page)


@task(name="グラフの掲示", **UNIT_OF_WORK)
@sealed
def publish_trends() -> None:
    """Publish the plots, each under a key of its own."""
    watched = _watched(Workshop.open())
    for plot in plots_of(trends_of(watched, clock.now()), watched.name):
        create_image_artifact(plot.image, key=f"{MORNING_PAGE}-{plot.name}", description=plot.title)


def _page() -> str:
    shop = Workshop.open()
    scanning = scanner_standing(shop.settings, clock.machine_now())
    return page_of(look(_watched(shop), scanning, clock.now()))


def _publish(page: str) -> None:
    create_markdown_artifact(page, key=MORNING_PAGE, description="朝の一覧")


def _watched(shop: Workshop) -> Watched:
    return watched_of(shop.home, shop.settings, shop.municipalities)
