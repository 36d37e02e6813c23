"""A process that runs the real flows again and again, told by its standard input what goes wrong. Test-only.

Prefect runs as the product has it run without a server, but talks as much as it can: every level of its log,
to the terminal and to its database. What comes out of the flow is kept as a careless caller would keep it:
as text with all causes, and pickled.
"""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from config.settings import home_of, load_settings
from flows.environment import prepare

MUNICIPALITY = "352039"
_TALKATIVE = {
    "PREFECT_LOGGING_LEVEL": "DEBUG",
    "PREFECT_LOGGING_ROOT_LEVEL": "DEBUG",
    "PREFECT_LOGGING_TO_API_ENABLED": "true",
    "PREFECT_SERVER_LOGGING_LEVEL": "INFO",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "true",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED": "true",
}


def _keep(folder: Path, number: int, error: BaseException) -> None:
    """Keep an error with everything that hangs on it."""
    chain, one = [], error
    while one is not None and len(chain) < 10:
        chain.append("".join(traceback.format_exception(one)) + repr(one) + repr(one.args))
        one = one.__cause__ or one.__context__  # type: ignore[assignment]
    (folder / f"error-{number}.txt").write_text("\n".join(chain), encoding="utf-8")
    (folder / f"error-{number}.pickle").write_bytes(pickle.dumps(error))


@contextmanager
def _failing_inside() -> Iterator[None]:
    """Let the judging fail as careless code does: with the records in the message, in cause and context."""
    from tasks import applying

    real = applying.plan_changes

    def failing(notices: object, known: object) -> None:
        records = notices.table.to_pylist()  # type: ignore[attr-defined]
        try:
            raise KeyError(records[0]["name"])
        except KeyError as error:
            raise ValueError(f"can not judge {records}") from error

    applying.plan_changes = failing  # type: ignore[assignment]
    try:
        yield
    finally:
        applying.plan_changes = real


@contextmanager
def _failing_comparison() -> Iterator[None]:
    """Let a comparison fail as careless code does: with the records of the municipality in the message."""
    from tasks import reconciling

    real = reconciling.compare

    def failing(_unit: object, _code: str, _watermark: int, parts: Iterator[object], _key: bytes) -> None:
        records = [part.to_pylist() for part in parts]  # type: ignore[attr-defined]
        try:
            raise KeyError(records[0][0]["name"])
        except KeyError as error:
            raise ValueError(f"can not compare {records}") from error

    reconciling.compare = failing  # type: ignore[assignment]
    try:
        yield
    finally:
        reconciling.compare = real


def _reconcile(is_failing: bool) -> None:
    from flows.choices import ModeChoice, choices_of
    from flows.reconcile import reconcile
    from juki.columns import IdentityFile
    from juki.order import Channel

    municipality, file = choices_of(Channel(MUNICIPALITY, IdentityFile.RESIDENT))
    with _failing_comparison() if is_failing else nullcontext():
        reconcile(municipality=municipality, file=file, mode=ModeChoice.REPAIR)


@contextmanager
def _failing_forwarding() -> Iterator[None]:
    """Let a package for J-LIS fail as careless code does: with the updates, numbers opened, in the message."""
    from tasks import jlis_forming

    real = jlis_forming.write_updates

    def failing(_code: object, _file: object, _sequence: object, updates: object, _at: object) -> None:
        records = updates.to_pylist()  # type: ignore[attr-defined]
        try:
            raise KeyError(records[0]["resident_code"])
        except KeyError as error:
            raise ValueError(f"can not tell {records}") from error

    jlis_forming.write_updates = failing  # type: ignore[assignment]
    try:
        yield
    finally:
        jlis_forming.write_updates = real


def _forward(is_failing: bool) -> None:
    from flows.forward import forward

    with _failing_forwarding() if is_failing else nullcontext():
        forward()


def _overview() -> None:
    from flows.overview import overview

    overview()


def _leak(value: str) -> None:
    """What everything here would look like without the boundary: a flow that raises a value."""
    from prefect import flow, task

    @task(name="leaking task")
    def leaking() -> None:
        raise ValueError(f"a value: {value}")

    @flow(name="leaking flow")
    def leaking_flow() -> None:
        leaking()

    leaking_flow()


def _obey(word: str, value: str) -> None:
    from flows.choices import municipalities_chosen
    from flows.intake import intake

    if word == "leak":
        _leak(value)
    if word == "reconcile":
        _reconcile(value == "fail")
        return
    if word == "forward":
        _forward(value == "fail")
        return
    if word == "overview":
        _overview()
        return
    with _failing_inside() if word == "fail" else nullcontext():
        intake(municipalities=municipalities_chosen([MUNICIPALITY]))


def main() -> None:
    """Work off commands: `run`, `fail`, `reconcile [fail]`, `forward [fail]`, `overview`, `leak VALUE`.

    Each is answered with the code it ended with.
    """
    home = home_of()
    prepare(home, load_settings(home))
    os.environ.update(_TALKATIVE)
    # Whoever answers a request has answered before the run.
    os.environ["JUKI_SNAPSHOT_WAIT_SECONDS"] = "0"
    kept = Path(sys.argv[1])
    for number, command in enumerate(sys.stdin):
        word, _, value = command.strip().partition(" ")
        said = "done"
        try:
            _obey(word, value)
        except Exception as error:  # noqa: BLE001 - whatever comes out is what is looked at
            said = getattr(getattr(error, "code", None), "value", type(error).__name__)
            _keep(kept, number, error)
        print(f"== {said}", flush=True)


if __name__ == "__main__":
    main()
