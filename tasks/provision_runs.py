"""One run of provision and transfer for one file: answer what came in, hand over what is sealed.

Decides:    that a file is worked by one run at a time, and that what keeps one provision does not keep the others.
Invariants: a run that could not go on with a provision is counted with it, so that what no run mends is seen.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from prefect import task

from juki.columns import IdentityFile
from juki.errors import JukiError
from juki.package_id import PackageId
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import open_unit, provide_lock
from tasks.boundary import ONCE, PipelineError, sealed
from tasks.delivering import deliver_provision
from tasks.progress import Progress, silent
from tasks.providing import answer_request
from tasks.workshop import Workshop


@dataclass(slots=True)
class FileRun:
    """What a run did for one file: provisions by state, refusals by code, lines by outcome, failures by code."""

    file: IdentityFile
    states: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    delivered: int = 0
    failures: Counter[str] = field(default_factory=Counter)


@task(name="提供・移転の処理", task_run_name="{file}", **ONCE)
@sealed
def work_provisions(file: IdentityFile, progress: Progress = silent) -> FileRun:
    """Answer the requests for one file and hand over what is sealed, telling the progress."""
    shop, run = Workshop.open(), FileRun(file)
    try:
        with provide_lock(shop.store_url(file), file):
            waiting = _open(shop, file)
            for done, provision in enumerate(waiting, 1):
                _answer(shop, run, provision)
                # What is answered is still to be handed over.
                progress(done, 2 * len(waiting))
            sealed_ones = _undelivered(shop, file)
            for done, provision in enumerate(sealed_ones, 1):
                _deliver(shop, run, provision)
                progress(len(sealed_ones) + done, 2 * len(sealed_ones))
    except JukiError as failure:
        run.failures[failure.code.value] += 1
    return run


def _open(shop: Workshop, file: IdentityFile) -> list[PackageId]:
    with open_unit(shop.store_url(file), file, Duty.PROVIDER) as unit:
        return unit.provisions.open_ones()


def _undelivered(shop: Workshop, file: IdentityFile) -> list[PackageId]:
    with open_unit(shop.store_url(file), file, Duty.PROVIDER) as unit:
        return unit.provisions.undelivered()


def _answer(shop: Workshop, run: FileRun, provision: PackageId) -> None:
    try:
        answered = answer_request(provision)
    except PipelineError as failure:
        _failed(shop, run, provision, failure.code)
        return
    run.states[answered.state.value] += 1
    run.lines.update(answered.counts)
    if answered.code is not None:
        run.refusals[answered.code.value] += 1


def _deliver(shop: Workshop, run: FileRun, provision: PackageId) -> None:
    try:
        deliver_provision(provision)
    except PipelineError as failure:
        _failed(shop, run, provision, failure.code)
    else:
        run.delivered += 1


def _failed(shop: Workshop, run: FileRun, provision: PackageId, code: Code) -> None:
    """Count a try in vain, in the run and with the provision; where the store itself is down, in the run only."""
    run.failures[code.value] += 1
    with suppress(JukiError), open_unit(shop.store_url(run.file), run.file, Duty.PROVIDER) as unit:
        unit.provisions.could_not_go_on(provision.number, code)
