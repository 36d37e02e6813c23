"""Checkpoints of both operation logs: signed when there is news, written outside the database.

Decides:    that what is wrong with a log or a witness is told by its code and keeps no other work from its end; that
            a flow which wrote nothing costs two questions, and no task.
Leaves:     what may be signed to `juki.oplog.signing`.
Invariants: one transaction for each log; run again without news it changes nothing.
Source:     assessment M8, ADR-0030.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from prefect import task

from config.logs import log_keys, log_place
from juki.columns import IdentityFile
from juki.errors import JukiError
from juki.oplog.signing import has_news, sign_log
from juki.oplog.standing import Alarm
from juki.store.unit import open_unit
from tasks import clock
from tasks.boundary import ONCE, sealed
from tasks.workshop import Workshop


@dataclass(frozen=True, slots=True)
class LogSummary:
    """What came of one log: the size of its newest checkpoint, whether it is new, and what is wrong."""

    file: IdentityFile
    size: int = 0
    is_new: bool = False
    alarms: tuple[Alarm, ...] = ()


@contextmanager
def logs_signed() -> Iterator[None]:
    """Sign what a flow wrote into the logs at its end, also where it fails or was refused.

    Stands under the boundary of every flow that may write an entry. What can not be signed is told by the hourly
    flow: it hides no failure of this one, and makes none.
    """
    try:
        yield
    finally:
        if _is_news():
            checkpoint_logs(return_state=True)


def _is_news() -> bool:
    try:
        shop = Workshop.open()
        for file in IdentityFile:
            with open_unit(shop.store_url(file), file) as unit:
                if has_news(unit):
                    return True
    except JukiError:
        # Whatever it is, signing says it by its code.
        return True
    return False


@task(name="操作ログのチェックポイント", **ONCE)
@sealed
def checkpoint_logs() -> list[LogSummary]:
    """Sign what is new in both logs; what is wrong is in the summaries, never an exception."""
    return [_checkpoint(file) for file in IdentityFile]


def _checkpoint(file: IdentityFile) -> LogSummary:
    try:
        shop = Workshop.open()
        place = log_place(shop.home, shop.settings, file)
    except JukiError as error:
        return LogSummary(file, alarms=(Alarm(error.code, error.ref or file.value),))
    key = log_keys(shop.home, shop.settings).signing_key
    signing = sign_log(shop.store_url(file), place, key, clock.now())
    return LogSummary(file, signing.size, signing.is_new, signing.alarms)


def alarms_of(summaries: Sequence[LogSummary]) -> list[Alarm]:
    """List what is wrong with any of the logs, once each, what forbids signing first."""
    alarms = dict.fromkeys(alarm for one in summaries for alarm in one.alarms)
    return sorted(alarms, key=lambda alarm: not alarm.forbids_signing)
