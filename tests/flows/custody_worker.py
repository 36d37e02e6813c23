"""A process that delivers, sends again, attaches numbers or purges, traced or dying at a step. Test-only."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psycopg

from juki import hold_keys
from juki.errors import JukiError
from juki.package_id import PackageId
from tasks import clock
from tasks.boundary import PipelineError
from tasks.bridging import attach_numbers
from tasks.delivering import deliver_provision, resend_provision
from tasks.purging import erase_records, purge_due
from tasks.workshop import Workshop
from tests.conftest import Stores
from tests.flows.forks import FORKS, forked
from tests.flows.kill_points import Death, Instrument, Kind, Step
from tests.provision_rows import Lender

ACTS: dict[str, Callable[[PackageId, Sequence[str]], object]] = {
    "attach": lambda provision, codes: attach_numbers(Workshop.open(), provision, codes),
    "deliver": lambda provision, _: deliver_provision.fn(provision),
    "resend": lambda provision, _: resend_provision.fn(provision),
    "purge": lambda provision, _: purge_due.fn(),
    "erase": lambda provision, _: erase_records.fn(),
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a worker ended: its exit code (negative: the signal), where it died, or the steps it took."""

    code: int | None
    died_at: str = ""
    steps: list[Step] = field(default_factory=list)


def act(
    lender: Lender, name: str, provision: PackageId, codes: Sequence[str] = (), *, death: Death | None = None,
    is_traced: bool = False,
) -> Ended:  # fmt: skip
    """Do one thing in a process of its own, at the held clock of the installation."""
    receiving, sending = FORKS.Pipe(duplex=False)
    worker = forked(
        _work, name, provision, list(codes), lender.at, death, is_traced, sending,
        environment=os.environ | lender.environment,
    )  # fmt: skip
    sending.close()
    worker.join(120)
    settled(lender.stores)
    said = receiving.recv() if receiving.poll() else ""
    if is_traced:
        return Ended(worker.exitcode, steps=[Step(Kind(kind), what) for kind, what in json.loads(said)])
    return Ended(worker.exitcode, died_at=said)


def settled(stores: Stores) -> None:
    """Wait until the database has noticed that a worker is dead: its locks go with its connection."""
    for url in (stores.resident_url, stores.fuhyo_url):
        with psycopg.connect(url, application_name="juki-test", autocommit=True) as connection:
            alive = (
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE application_name = 'juki' AND datname = current_database()"
            )
            for _ in range(500):
                if connection.execute(alive).fetchone() == (0,):
                    break
                connection.execute("SELECT pg_sleep(0.01)")
            else:
                raise AssertionError("a dead worker still holds a connection")


def _work(
    name: str, provision: PackageId, codes: list[str], at: datetime, death: Death | None, is_traced: bool,
    pipe: Connection,
) -> None:  # fmt: skip
    instrument = Instrument(Path(os.environ["JUKI_HOME"]), death, pipe.send)
    if death is not None or is_traced:
        instrument.install()
        # What happens to an open file, or by the handle of a folder, has no path for the instrument to see.
        instrument._wrap(hold_keys, "overwrite", Kind.DISK)
        instrument._wrap(os, "ftruncate", Kind.DISK)
        instrument._wrap(os, "rename", Kind.DISK, _by_handle)
    with clock.held_at(at):
        instrument.is_on = True
        try:
            ACTS[name](provision, codes)
        except (JukiError, PipelineError) as error:
            pipe.send(error.code.value)
            os._exit(3)
        finally:
            instrument.is_on = False
    pipe.send(json.dumps([[step.kind, step.what] for step in instrument.steps]) if is_traced else "")
    os._exit(0)


def _by_handle(*_: Any, **how: Any) -> bool:
    return "src_dir_fd" in how
