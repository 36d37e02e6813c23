"""A process that runs every deployed flow once, each over logs with news, and tells what was signed. Test-only.

One process for all of them: each would import Prefect for itself. Those named as arguments are left out.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from config.logs import log_place
from config.settings import home_of, load_settings
from flows.environment import prepare
from juki.columns import IdentityFile
from juki.journal import Action, Entry, Outcome
from juki.store.unit import open_unit

_DEPLOYMENTS = Path(__file__).resolve().parents[2] / "deployments.yaml"
_ASKED: dict[str, dict[str, Any]] = {
    # Not registered with the town: refused at once, and no CS is waited for.
    "reconcile": {"municipality": "352047 萩市", "file": "本人確認情報"},
    "resend": {"provision": "R1"}, "approve": {"differences": "R1"}, "approve-beyond": {"run": "R1"},
    "release": {"package": "R1", "reason": "廃止された市町村のものであるため"},
}  # fmt: skip


def _write_news() -> None:
    from tasks import clock
    from tasks.workshop import Workshop

    shop = Workshop.open()
    for file in IdentityFile:
        with open_unit(shop.store_url(file), file) as unit:
            unit.journal.append(Entry(Action.LOG_KEY_ROTATED, file, Outcome.DONE), clock.now())


def _sizes() -> list[tuple[int, int]]:
    """Of each log, how many entries it has and how many of them are signed."""
    from tasks.workshop import Workshop

    shop, found = Workshop.open(), list[tuple[int, int]]()
    for file in IdentityFile:
        (witness,) = log_place(shop.home, shop.settings, file).folders
        with open_unit(shop.store_url(file), file) as unit:
            found.append((unit.journal_reader.size(), max(witness.sizes(), default=0)))
    return found


def _run(entry: dict[str, Any]) -> tuple[list[tuple[int, int]], str]:
    module, name = entry["entrypoint"].split(":")
    flow = getattr(import_module(module), name)
    asked = entry["parameters"] | _ASKED.get(entry["name"], {})
    return _sizes(), flow(**flow.validate_parameters(asked), return_state=True).type.value


def main() -> None:
    """Run them all, each over news; then the purge over none, as it is run every few minutes."""
    home = home_of()
    prepare(home, load_settings(home))
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    # Each run would wait a second for the end of its heart.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        _run_all()


def _run_all() -> None:
    found = yaml.safe_load(_DEPLOYMENTS.read_text("utf-8"))["deployments"]
    deployments = [one for one in found if one["name"] not in sys.argv[1:]]
    for entry in deployments:
        _write_news()
        before, ended = _run(entry)
        print("==", json.dumps([entry["name"], ended, before, _sizes()]), flush=True)
    before, ended = _run(next(one for one in deployments if one["name"] == "purge"))
    print("==", json.dumps(["purge again", ended, before, _sizes()]), flush=True)


if __name__ == "__main__":
    main()
