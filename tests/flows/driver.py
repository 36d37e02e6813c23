"""Work one channel step by step, as the flow does, without the engine around the steps.

Test-only. Importing this module imports Prefect.
"""

from __future__ import annotations

import pyarrow as pa

from config.identities import recipient_keys, signing_identity
from juki.columns import IdentityFile, Layout, columns_of
from juki.order import Channel
from juki.rules import RecordContext
from juki.store.roles import Duty
from juki.store.unit import channel_lock, open_unit
from juki.wire.sftp import connect
from tasks import clock
from tasks.answers import deliver_receipts
from tasks.delivering import deliver_provision
from tasks.judging_again import judge_again
from tasks.providing import answer_request
from tasks.receiving import fetch_packages
from tasks.requesting import take_in_requests
from tasks.settling import settle_next
from tasks.workshop import Workshop
from validations.contracts import check_records


def work(channel: Channel) -> None:
    """Take the channel and work it."""
    url = Workshop.open().store_url(channel.file)
    with channel_lock(url, channel.file, channel.municipality_code):
        work_untaken(channel)


def work_untaken(channel: Channel) -> None:
    """Note the attempt, fetch, settle and answer, without a look at who else works the channel."""
    shop = Workshop.open()
    url = shop.store_url(channel.file)
    with open_unit(url, channel.file) as unit:
        unit.packages.attempt(channel.municipality_code, clock.now())
    fetch_packages.fn(channel)
    while settle_next.fn(channel) is not None:
        pass
    judge_again.fn(channel)
    deliver_receipts.fn(channel)


def provide() -> None:
    """Do what a run of provision does, step by step."""
    shop = Workshop.open()
    take_in_requests.fn()
    for file in IdentityFile:
        with open_unit(shop.store_url(file), file, Duty.PROVIDER) as unit:
            waiting = unit.provisions.open_ones()
        for provision in waiting:
            answer_request.fn(provision)
        with open_unit(shop.store_url(file), file, Duty.PROVIDER) as unit:
            undelivered = unit.provisions.undelivered()
        for provision in undelivered:
            deliver_provision.fn(provision)


def warm(channel: Channel) -> None:
    """Load what the first work of a process would load: keys, the dialect of the database, ciphers, models."""
    shop = Workshop.open()
    recipient_keys(shop.home)
    signing_identity(shop.home)
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        unit.packages.is_stopped(channel.municipality_code)
    with connect(shop.endpoint(channel)) as session:
        session.outbox()
    table = pa.table({name: pa.array([""], pa.string()) for name in columns_of(Layout.NOTICE, channel.file)})
    context = RecordContext(channel.municipality_code, "", clock.now(), frozenset())
    check_records(Layout.NOTICE, channel.file, table, context)
