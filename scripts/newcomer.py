"""Walk the path of a newcomer and time every step: clone, `make demo`, `make up`, the first runs by hand.

`python3 scripts/newcomer.py` (PEOPLE=2000) clones this checkout into a folder of its own, does what the README says,
prints the seconds of every step and removes what it made. It fails where a step fails. The packages come from
wherever uv and pip find them: whether they lie in a cache already decides most of the second step.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PEOPLE = os.environ.get("PEOPLE", "2000")
BY_SHELL = [".venv/bin/juki", "reconcile", "--municipality", "352039", "--file", "resident"]
BY_FORM = """
import time
from config.settings import home_of
from juki.site import SiteFiles
from juki.wire.site_api import SiteApi
files = SiteFiles(home_of())
api = SiteApi(files.note().port, files.credentials())
wanted = {one["name"]: one["id"] for one in api.post("/deployments/filter")}["reconcile"]
asked = {"municipality": "352039 山口市", "file": "本人確認情報", "mode": "照合のみ"}
run = api.post(f"/deployments/{wanted}/create_flow_run", {"parameters": asked})["id"]
while (state := api.get(f"/flow_runs/{run}")["state_type"]) not in ("COMPLETED", "FAILED", "CRASHED"):
    time.sleep(0.2)
assert state == "COMPLETED", state
"""
"""What the button of the run form sends, and what its page shows until the run has ended."""
_STEPS: tuple[tuple[str, list[str]], ...] = (
    ("make setup", ["make", "setup"]),
    (f"make demo (PEOPLE={PEOPLE})", ["make", "demo"]),
    ("make up", ["make", "up"]),
    ("first run by the run form", [".venv/bin/python", "-c", BY_FORM]),
    ("first run by one shell line", BY_SHELL),
    ("make day", ["make", "day"]),
    ("juki intake", [".venv/bin/juki", "intake"]),
    ("make down", ["make", "down"]),
)


def main() -> int:
    """Walk it once; tell how long each step took."""
    told: list[tuple[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="newcomer-") as name:
        # The embedded PostgreSQL runs as an account of its own when this runs as root.
        Path(name).chmod(0o711)
        checkout = Path(name) / "juki-renkei"
        try:
            told.append(
                ("git clone", _seconds(["git", "clone", "--quiet", str(ROOT), str(checkout)], Path(name)))
            )
            told += [(step, _seconds(command, checkout)) for step, command in _STEPS]
        finally:
            if (checkout / ".venv/bin/juki").exists():
                subprocess.run(["make", "clean-demo"], cwd=checkout, env=ENVIRONMENT, check=False)
    for step, seconds in told:
        print(f"{step:32}{seconds:8.1f} s")
    print(f"{'all':32}{sum(seconds for _, seconds in told):8.1f} s")
    return 0


def _seconds(command: list[str], folder: Path) -> float:
    start = time.monotonic()
    subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True, stdin=subprocess.DEVNULL)
    return time.monotonic() - start


def _environment() -> dict[str, str]:
    """Take what is around, without another installation's settings, and a port nobody has."""
    around = {name: value for name, value in os.environ.items() if not name.startswith(("JUKI_", "PREFECT_"))}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return around | {"PEOPLE": PEOPLE, "JUKI_PREFECT_PORT": str(probe.getsockname()[1])}


ENVIRONMENT = _environment()

if __name__ == "__main__":
    sys.exit(main())
