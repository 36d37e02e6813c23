"""A channel held for a reconciliation, after the intake that works it just now, and as far as what it compares with.

Decides:    that a reconciliation waits for an intake, as long as one run may wait: a municipality may be worked by
            both in the same night.
Leaves:     the lock itself to `juki.store.unit`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from juki.errors import SourceError
from juki.order import Channel
from juki.reasons import Code
from juki.store.unit import channel_lock, open_unit
from tasks.boundary import PipelineError
from tasks.workshop import Workshop

_PAUSE_SECONDS = 0.5
"""Between two tries."""


@contextmanager
def held_channel(shop: Workshop, channel: Channel) -> Iterator[None]:
    """Hold a channel while its file is compared and repaired.

    Raises: SourceError(CHANNEL_BUSY) when another run works it for longer than one run may wait.
    """
    ends = time.monotonic() + shop.settings.snapshot_wait_seconds
    with ExitStack() as held:
        while not _is_held(shop, channel, held, is_last=time.monotonic() >= ends):
            time.sleep(_PAUSE_SECONDS)
        yield


def _is_held(shop: Workshop, channel: Channel, held: ExitStack, *, is_last: bool) -> bool:
    """Try once; of the last try the refusal is the answer."""
    url = shop.store_url(channel.file)
    try:
        held.enter_context(channel_lock(url, channel.file, channel.municipality_code))
    except SourceError as error:
        if error.code is not Code.CHANNEL_BUSY or is_last:
            raise
        return False
    return True


def check_comparable(shop: Workshop, channel: Channel, watermark: int) -> None:
    """Refuse to compare as of a notice that is still to come, or from before a repair; the channel must be held.

    Raises: PipelineError(RECONCILIATION_BEHIND), JukiError(RECONCILIATION_STALE).
    """
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        if unit.packages.progress(channel.municipality_code).last_notice_no < watermark:
            raise PipelineError(Code.RECONCILIATION_BEHIND, str(channel))
        unit.differences.check_not_stale(channel.municipality_code, watermark)
