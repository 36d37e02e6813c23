"""Work many channels side by side, as many at once as the settings allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self

from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from juki.order import Channel
from juki.reasons import Code
from tasks.boundary import PipelineError
from tasks.channels import ChannelSummary, intake_channel
from tasks.progress import Progress
from tasks.workshop import Workshop


class ChannelRunner(ThreadPoolTaskRunner[Any]):
    """A pool of threads whose size is read from the settings when a flow starts, not when it is defined."""

    def __enter__(self) -> Self:
        self._max_workers = Workshop.open().settings.max_channels
        return super().__enter__()


def work_side_by_side(channels: Iterable[Channel], progress: Progress) -> list[ChannelSummary]:
    """Work channels, telling the progress; a failed channel comes back with its code, in order of channels."""
    futures = {intake_channel.submit(channel): channel for channel in channels}
    done = [_finished(future, futures[future]) for future in _counted(futures, progress)]
    return sorted(done, key=lambda summary: summary.channel)


def _counted(futures: dict[PrefectFuture[ChannelSummary], Channel], progress: Progress) -> Iterator[
    PrefectFuture[ChannelSummary]
]:  # fmt: skip
    for count, future in enumerate(as_completed(list(futures)), start=1):
        progress(count, len(futures))
        yield future


def _finished(future: PrefectFuture[ChannelSummary], channel: Channel) -> ChannelSummary:
    result = future.result(raise_on_failure=False)
    if isinstance(result, ChannelSummary):
        return result
    code = result.code if isinstance(result, PipelineError) else Code.RUN_UNEXPECTED
    return ChannelSummary(channel, failure=code)
