"""Work one whole channel in a process of its own, as the flow's task does, without the engine around it.

Test-only. Importing this module imports Prefect.
"""

from __future__ import annotations

import sys
from datetime import datetime

from juki.order import Channel
from juki.quota import Quota
from tasks import channels, clock
from tasks.boundary import PipelineError
from tasks.workshop import Workshop
from tests.flows.conftest import Town
from tests.flows.forks import forked

FAILED = 3


def main(channel: Channel, quota: Quota | None, at: datetime | None) -> None:
    """Run the task on this thread; a quota smaller than the settings allow makes small files fill it."""
    for name in ("fetch_packages", "settle_next", "judge_again", "deliver_receipts"):
        setattr(channels, name, getattr(channels, name).fn)
    if quota is not None:
        Workshop.quota = property(lambda _: quota)  # type: ignore[assignment,method-assign]
    try:
        if at is None:
            channels.intake_channel.fn(channel)
        else:
            with clock.held_at(at):
                channels.intake_channel.fn(channel)
    except PipelineError:
        sys.exit(FAILED)


def work(town: Town, quota: Quota | None = None, at: datetime | None = None) -> int | None:
    """Work the channel of a town; return 0, or `FAILED` when the task failed with a code."""
    worker = forked(main, town.channel, quota, at)
    worker.join(120)
    return worker.exitcode
