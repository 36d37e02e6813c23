"""Make all pictures of the documents anew: `make pictures` (PEOPLE=20000), from a demo in a folder of its own.

`.venv/bin/python scripts/pictures.py HOME` takes a demo that was lived through already, and leaves its own picture.

Lives through the demo, starts the site beside its municipalities, and looks at it with the machine's Chromium, which
needs a Japanese font (fonts-noto-cjk). Everybody in the pictures is made up. A page more is one line in SCREENS.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from rich.console import Console
from rich.terminal_theme import MONOKAI

from juki.home import Home
from juki.quality_files import QualityFiles
from juki.site import SiteFiles
from juki.wire.site_api import SiteApi
from tests.browser.screens import Screens, browsing

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
MOST_BYTES, COLOURS = 200_000, 128
RUN_SECONDS = 600
CHANNEL = {"municipality": "352039 山口市", "file": "本人確認情報"}
RUNS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("intake", {}), ("reconcile", CHANNEL), ("quality", {}), ("overview", {}),
)  # fmt: skip
"""What runs before the screens are looked at, by deployment and parameters."""
_FORM = """\
<!DOCTYPE html><meta charset="UTF-8">
<style>{stylesheet} body {{ color: {foreground}; background: {background}; margin: 16px; }}
pre {{ font: 14px/18px "Noto Sans Mono CJK JP", monospace; }}</style>
<pre>$ make demo\n{code}</pre>
"""
_LINE_PIXELS, _WIDTH_PIXELS, _MARGIN_PIXELS = 18, 880, 40
_PAPER_PIXELS = 900
_ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class Screen:
    """One picture of a page: where it is, which word shows that it is there, and what is done before."""

    name: str
    path: str
    sign: str
    act: Callable[[Screens], None] = lambda screens: None


def _open_newest(screens: Screens) -> None:
    """Open the newest of the artifacts of a key."""
    screens.page.get_by_role("listitem").get_by_role("heading").first.click()


def _open_artifacts(screens: Screens) -> None:
    """Open what a comparison of a municipality left."""
    screens.open_artifacts("整合処理の結果 山口市")


SCREENS: tuple[Screen, ...] = (
    Screen("morning", "/artifacts/key/morning", "朝の一覧", _open_newest),
    Screen("runs", "/runs", "Flow runs"),
    Screen("deployments", "/deployments", "intake"),
    Screen("reconcile-form", "/deployments/deployment/{reconcile}/run", "操作者の認証結果"),
    Screen("reconcile-run", "/runs/flow-run/{reconcile_run}", "Completed", _open_artifacts),
    Screen(
        "reconcile-artifact", "/artifacts/key/reconciliation-352039-resident", "整合処理の結果", _open_newest
    ),
)
"""The pages of the site, as they are looked at; `{name}` is a deployment, `{name_run}` its run of RUNS."""


@dataclass(slots=True)
class Lived:
    """The demo that was lived through, and the site that was started on it."""

    home: Home
    numbers: dict[str, str] = field(default_factory=dict)

    @property
    def api(self) -> SiteApi:
        """The API of the site."""
        files = SiteFiles(self.home)
        note = files.note()
        assert note is not None
        return SiteApi(note.port, files.credentials())

    def work(self) -> None:
        """Run what is to be seen, one after the other."""
        for one in self.api.post("/deployments/filter"):
            self.numbers[one["name"]] = one["id"]
            self.api.post(f"/deployments/{one['id']}/pause_deployment")
        for name, parameters in RUNS:
            path = f"/deployments/{self.numbers[name]}/create_flow_run"
            run = self.api.post(path, {"parameters": parameters})["id"]
            self.numbers[f"{name}_run"] = run
            until = time.monotonic() + RUN_SECONDS
            while self.api.get(f"/flow_runs/{run}")["state_type"] not in _ENDED:
                assert time.monotonic() < until, name
                time.sleep(1)


def demo(home: Home, folder: Path) -> Path:
    """Live through the demo and draw what it prints."""
    from simulator.demo import PLAIN_WIDTH, main

    console = Console(record=True, highlight=False, width=PLAIN_WIDTH)
    if main(console):
        sys.exit("the demo failed")
    # As in a checkout, where it lies in .juki.
    page = console.export_html(theme=MONOKAI, code_format=_FORM).replace(str(home.root), ".juki")
    source = folder / "demo.html"
    source.write_text(page, encoding="utf-8")
    height = page[page.index("<pre>") :].count("\n") * _LINE_PIXELS + _MARGIN_PIXELS
    with browsing() as opened:
        opened.set_viewport_size({"width": _WIDTH_PIXELS, "height": height})
        opened.goto(source.as_uri())
        opened.screenshot(path=folder / "demo.png")
    return folder / "demo.png"


def disclosed(home: Home, folder: Path) -> Path:
    """Draw the first page of what a person is given on paper."""
    import pypdfium2

    (paper, *_) = sorted((home.root / "disclosure-demo").glob("*.pdf"))
    with pypdfium2.PdfDocument(paper) as document:
        page = document[0]
        page.render(scale=_PAPER_PIXELS / page.get_width()).to_pil().save(folder / "disclosure.png")
    return folder / "disclosure.png"


def screens_of(lived: Lived, folder: Path) -> Iterator[Path]:
    """Look at the site and at the page of the quality check."""
    files = SiteFiles(lived.home)
    with browsing() as page:
        screens = Screens(page, f"http://127.0.0.1:{lived.api.port}", folder)
        screens.open("/")
        screens.log_in(files.credentials())
        page.wait_for_url(lambda url: "/login" not in url)
        for one in SCREENS:
            screens.open(one.path.format(**lived.numbers), one.sign)
            one.act(screens)
            yield screens.keep(one.name)
        report = QualityFiles(lived.home).last()
        assert report is not None
        page.goto(QualityFiles(lived.home).page(report.run).as_uri())
        yield screens.keep("quality")


@contextmanager
def site(home: Home) -> Iterator[Lived]:
    """Start the municipalities and the site of a demo, and end both."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        os.environ["JUKI_PREFECT_PORT"] = str(probe.getsockname()[1])
    try:
        for command in (["simulator", "offices", "up"], ["juki", "up"]):
            _run(*command)
        yield Lived(home)
    finally:
        for command in (["juki", "down", "--keep-database"], ["simulator", "offices", "down"]):
            _run(*command)


def keep(picture: Path) -> None:
    """Put a picture into the documents, in few colours: screens and letters need no more."""
    kept = PICTURES / picture.name
    with Image.open(picture) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(kept, optimize=True)
    kept.chmod(0o644)
    size = kept.stat().st_size
    print(f"{kept.relative_to(ROOT)} {size:,}")
    assert size < MOST_BYTES, "too large for a document"


def main() -> int:
    """Make them all, or those of a demo that is there."""
    if len(sys.argv) > 1:
        home = Home.at(sys.argv[1])
        os.environ["JUKI_HOME"] = str(home.root)
        with tempfile.TemporaryDirectory(prefix="juki-pictures-") as name:
            _of(home, Path(name))
        return 0
    with tempfile.TemporaryDirectory(prefix="juki-pictures-") as name:
        folder = Path(name)
        # The embedded PostgreSQL runs as an account of its own when this runs as root.
        folder.chmod(0o711)
        home = Home.at(folder / "home")
        os.environ["JUKI_HOME"] = str(home.root)
        try:
            keep(demo(home, folder))
            _of(home, folder)
        finally:
            _run("juki", "stop")
            shutil.rmtree(home.root, ignore_errors=True)
    return 0


def _of(home: Home, folder: Path) -> None:
    keep(disclosed(home, folder))
    with site(home) as lived:
        lived.work()
        for picture in screens_of(lived, folder):
            keep(picture)


def _run(*module: str) -> None:
    subprocess.run([sys.executable, "-m", *module], cwd=ROOT, check=True, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
