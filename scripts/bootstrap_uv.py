"""Put `uv` into `.tools/` with nothing but the Python of the machine, from the index pip is configured for.

Prints where it is. Tries a virtual environment first, then pip's --target where `venv` has no `ensurepip`
(Debian splits them). Safe to repeat and to interrupt: a uv of the right version is taken as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "0.13.9"
TOOLS = Path(".tools")
PLACES = (TOOLS / "bin" / "uv", TOOLS / "lib-uv" / "bin" / "uv")
PIP = ("install", "--quiet", "--disable-pip-version-check", f"uv=={VERSION}")


def main() -> int:
    """Return 0 with uv in place, 1 with the reason on standard error."""
    if sys.version_info < (3, 11):
        sys.stderr.write("Python 3.11 以上が必要です / Python 3.11 or newer is needed\n")
        return 1
    for attempt in (lambda: None, in_environment, in_target):
        attempt()
        if found := usable():
            sys.stdout.write(f"{found}\n")
            return 0
    sys.stderr.write(
        f"uv {VERSION} を入れられません。python3 -m pip を確認してください / could not install uv with pip\n"
    )
    return 1


def usable() -> Path | None:
    """Find a uv of the right version that runs."""
    for place in PLACES:
        if place.exists():
            told = subprocess.run([place, "--version"], capture_output=True, text=True, check=False)
            if told.stdout.split()[1:2] == [VERSION]:
                return place
    return None


def in_environment() -> None:
    """Install into a virtual environment of its own; a broken one is made anew."""
    shutil.rmtree(TOOLS, ignore_errors=True)
    if run(sys.executable, "-m", "venv", str(TOOLS)):
        run(str(TOOLS / "bin" / "python"), "-m", "pip", *PIP)


def in_target() -> None:
    """Install beside Python's own packages, where there is a pip but no way to make an environment."""
    run(sys.executable, "-m", "pip", *PIP, "--target", str(PLACES[1].parent.parent))


def run(*command: str) -> bool:
    """Run a command, its output on standard error, and say whether it succeeded."""
    return subprocess.run(command, check=False, stdout=sys.stderr, env=os.environ).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
