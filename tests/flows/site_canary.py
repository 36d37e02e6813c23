"""Marked people on a running site: the canary's commands as runs of its worker, and everywhere they could show.

Beside what `test_canary` looks at: notifications, letters, the pages of the quality checks, metrics. Test-only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from juki.differences import Mode
from tests.canary import found_in, found_in_files
from tests.flows.conftest import CODES
from tests.flows.failing_inside.sitecustomize import WHERE
from tests.flows.site_of_town import TownSite
from tests.flows.test_canary import LEAKED, Canary, _places

ROOT = Path(__file__).resolve().parents[2]
_CODE = re.compile(r"\[([a-z_.]+)\]")
_PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "run": ("intake", {"municipalities": [f"{CODES[0]} 山口市"]}),
    "reconcile": (
        "reconcile",
        {"municipality": "352039 山口市", "file": "本人確認情報", "mode": Mode.REPAIR.japanese},
    ),
}


class SiteCanary(Canary):
    """A canary whose commands are runs of the site's worker."""

    def __init__(self, site: TownSite, folder: Path) -> None:
        super().__init__(site.town, None, folder)  # type: ignore[arg-type] # the process is the site's
        self.site = site
        (folder / "errors").mkdir(exist_ok=True)

    @property
    def orders(self) -> Path:
        """The file by which the runs are told to fail inside."""
        return self.folder / "failing-inside"

    @property
    def settings(self) -> dict[str, str]:
        """What a site is started with, so that its runs can be made to fail inside."""
        return {
            "PYTHONPATH": os.pathsep.join((str(ROOT / "tests/flows/failing_inside"), str(ROOT))),
            WHERE: str(self.orders), "JUKI_SNAPSHOT_WAIT_SECONDS": "0",
        }  # fmt: skip

    def run(self, command: str = "run") -> str:
        """Let the worker run what is commanded; return the code it ended with."""
        word = "reconcile" if command.startswith("reconcile") else "run"
        is_failing = command.endswith("fail")
        self.orders.write_text(word if is_failing else "")
        deployment, parameters = _PARAMETERS[word]
        run = self.site.start(deployment, **parameters)
        self.site.ended(run)
        self.orders.write_text("")
        said = str(self.site.run(run)["state"]["message"] or "")
        self.output.append(said)
        code = _CODE.search(said)
        return code[1] if code else "done"

    def leak(self) -> None:
        """Let Prefect and a letter hold what they never should, to show that it would be found there."""
        deployment = self.site.deployments["checkpoint"]
        asked = {"name": LEAKED["leaked name"], "state": {"type": "CANCELLED"}}
        self.site.api.post(f"/deployments/{deployment}/create_flow_run", asked)


def site_places(canary: SiteCanary) -> dict[str, Callable[[dict[str, str]], set[str]]]:
    """Everywhere on a running site, by name, each with its search."""
    town = canary.town
    letters = b"\n".join(letter.as_bytes() for letter in canary.site.sink.letters)
    contents = "\n".join(str(letter.get_content()) for letter in canary.site.sink.letters)
    metrics = town.juki("status", "--openmetrics").stdout
    doctor = town.juki("doctor", "--json").stdout
    assert letters and metrics and doctor
    texts = {
        "letters": letters + contents.encode(), "metrics": metrics.encode(), "doctor": doctor.encode(),
        "screens": "".join(_screens(canary.site)).encode(),
    }  # fmt: skip
    folders = {"notifications": town.home.notifications, "quality": town.home.quality}
    return {
        **_places(canary),
        **{name: lambda marks, text=text: found_in(text, marks) for name, text in texts.items()},
        **{name: lambda marks, folder=folder: found_in_files(folder, marks) for name, folder in folders.items()},
    }  # fmt: skip


def _screens(site: TownSite) -> Iterator[str]:
    """Read what the screens are made of: runs, their logs, artifacts and events, as the API gives them."""
    for what in ("flow_runs", "task_runs", "logs", "artifacts", "events"):
        yield str(site.api.post(f"/{what}/filter"))
