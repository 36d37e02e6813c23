"""Run the demo and draw what it prints as docs/pictures/demo.png, for the README.

Run from the checkout, where Chromium and a Japanese monospaced font are installed:
`JUKI_HOME=/some/folder .venv/bin/python scripts/demo_picture.py`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from simulator.demo import PLAIN_WIDTH, main

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "demo.png"
_FORM = """\
<!DOCTYPE html><meta charset="UTF-8">
<style>{stylesheet} body {{ color: {foreground}; background: {background}; margin: 16px; }}
pre {{ font: 14px/18px "Noto Sans Mono CJK JP", monospace; }}</style>
<pre>$ make demo\n{code}</pre>
"""
_LINE_PIXELS, _WIDTH_PIXELS, _MARGIN_PIXELS = 18, 880, 40


def draw(page: str) -> None:
    """Let a browser draw a page of text as high as it has lines."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("no Chromium here")
    height = page[page.index("<pre>") :].count("\n") * _LINE_PIXELS + _MARGIN_PIXELS
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "demo.html"
        source.write_text(page, encoding="utf-8")
        quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
        view = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run")
        size = (f"--window-size={_WIDTH_PIXELS},{height}", f"--screenshot={PICTURE}")
        profile = f"--user-data-dir={folder}/profile"
        subprocess.run([browser, *view, *quiet, *size, profile, source.as_uri()], check=True)


if __name__ == "__main__":
    console = Console(record=True, highlight=False, width=PLAIN_WIDTH)
    outcome = main(console)
    draw(console.export_html(theme=MONOKAI, code_format=_FORM))
    sys.exit(outcome)
