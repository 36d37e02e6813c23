"""Let an operator re-run a failed reconciliation in the browser, and keep what the screens looked like for the docs.

Run from the checkout, with Chromium and a Japanese font: `.venv/bin/python scripts/reconcile_pictures.py`.
The pictures are those of `make browser`, which has to pass.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEST = "tests/browser/browser_reconcile.py"
NAMES = ("reconcile-run.png", "reconcile-artifact.png")


def main() -> int:
    """Run the test in a folder of its own and take two of its pictures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", TEST, f"--basetemp={folder}/kept"]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            return 1
        for name in NAMES:
            (found,) = Path(folder).rglob(name)
            shutil.copyfile(found, ROOT / "docs" / "pictures" / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
