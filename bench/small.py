"""One small package end to end: from the outbox of the CS through the running flow to the receipt in its inbox.

Decides:    that Prefect's own start is the first run of an empty flow in the process, which every flow pays, and
            is told apart from what the intake adds.
Leaves:     a running worker's own polling (Prefect's, a setting) out of it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from bench.measured import Measured, Meter
from bench.packages import first_load
from bench.workplace import CHANNEL
from config.settings import load_settings
from flows import environment
from juki.home import Home
from simulator import installation, pki

RECORDS = 10
START, FIRST_RUN, NEXT_RUN = (
    "10件の前: Prefectの起動",
    "10件の取得から受領書まで < 2秒: 起動直後",
    "10件の取得から受領書まで < 2秒: 2回目から",
)
_RUNS = 3


def run(home: Home) -> Measured:
    """Take packages of RECORDS notices in, one a run; `stages` has the start, the first run and the next ones."""
    environment.prepare(home, load_settings(home))
    code = CHANNEL.municipality_code
    office = installation.offices(home, pki.build(installation.folder(home) / "pki", [code]))[code]
    notices, meter = first_load(RECORDS * _RUNS), Meter(home)
    runs = [_start()]
    from flows.choices import files_chosen, municipalities_chosen
    from flows.intake import intake

    municipalities, files = municipalities_chosen([code]), files_chosen([CHANNEL.file])
    for number in range(_RUNS):
        office.publish(
            CHANNEL.file, notices.slice(number * RECORDS, RECORDS).combine_chunks(), datetime.now(UTC)
        )
        before = meter.seconds
        with meter:
            intake(municipalities=municipalities, files=files)
        runs.append(meter.seconds - before)
        _check_answered(office.folder, number + 1)
    stages = {START: runs[0], FIRST_RUN: runs[1], NEXT_RUN: min(runs[2:])}
    return meter.measured(RECORDS * _RUNS, stages)


def _start() -> float:
    """Run an empty flow: import Prefect, start its server, run."""
    started = time.perf_counter()
    from prefect import flow

    @flow
    def nothing() -> None: ...

    nothing()
    return time.perf_counter() - started


def _check_answered(folder: Path, receipts: int) -> None:
    found = len(list((folder / "inbox").glob("*.p7m")))
    if found != receipts:
        raise RuntimeError(f"{found} receipts instead of {receipts}")
