"""The screens of the site in a browser of this machine: logged in, opened, filled in, kept as pictures. Test-only.

`scripts/pictures.py` draws the pictures of the documents with it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Error, Locator, Page, expect, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_SIZE = {"width": 1280, "height": 900}
_PATIENCE_MILLISECONDS = 60_000
_STILL_MILLISECONDS = 15_000
_STEP_MILLISECONDS = 500


@contextmanager
def browsing() -> Iterator[Page]:
    """Open a page of the machine's Chromium, which shows what it is asked for and reaches nobody else."""
    found = [path for name in BROWSERS if (path := shutil.which(name))]
    assert found, "no Chromium here: apt-get install chromium, or another browser of its kind"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found[0], args=["--no-sandbox"])
        context = browser.new_context(
            viewport=_SIZE, locale="ja-JP", timezone_id="Asia/Tokyo", color_scheme="dark"
        )  # type: ignore[arg-type]
        context.route(
            lambda url: not url.startswith(("http://127.0.0.1:", "file:")), lambda route: route.abort()
        )
        opened = context.new_page()
        opened.set_default_timeout(_PATIENCE_MILLISECONDS)
        expect.set_options(timeout=_PATIENCE_MILLISECONDS)
        yield opened
        browser.close()


@dataclass(slots=True)
class Screens:
    """The screens of one site, and the pictures kept of them."""

    page: Page
    address: str
    folder: Path
    kept: list[Path] = field(default_factory=list)

    def log_in(self, credentials: str) -> None:
        """Type user and password as one word, as `juki up` says."""
        self.page.get_by_placeholder("admin:pass").fill(credentials)
        self.page.get_by_role("button", name="Login").click()

    def open(self, path: str, sign: str | None = None) -> None:
        """Open a page and wait until it shows a word."""
        self.page.goto(f"{self.address}{path}")
        if sign is not None:
            expect(self.page.get_by_text(sign).first).to_be_visible()
            # Without it the screens are black on black: the policy of the site forbade how they look for it once.
            expect(self.page.locator("html.dark")).to_be_attached()

    def keep(self, name: str) -> Path:
        """Keep a picture of what is seen."""
        path = self.folder / f"{name}.png"
        # Whatever is still asked for has come, unless the page goes on asking; whatever slides in has come to rest.
        with suppress(Error):
            self.page.wait_for_load_state("networkidle", timeout=_STILL_MILLISECONDS)
        self.page.wait_for_timeout(500)
        self.page.screenshot(path=path)
        self.kept.append(path)
        return path

    def open_artifacts(self, of_a_task: str) -> None:
        """Open the artifacts of a run and go down to one of its tasks: those of the run itself come first."""
        self.page.get_by_text("Artifacts", exact=True).last.click()
        self.page.mouse.move(_SIZE["width"] / 2, _SIZE["height"] - 50)
        wanted = self.page.get_by_text(of_a_task).first
        for _ in range(_PATIENCE_MILLISECONDS // _STEP_MILLISECONDS):
            if wanted.is_visible():
                break
            self.page.mouse.wheel(0, _SIZE["height"])
            self.page.wait_for_timeout(_STEP_MILLISECONDS)
        expect(wanted).to_be_visible()

    def run_form(self, deployment: str) -> None:
        """Open the run form of a deployment."""
        self.open(f"/deployments/deployment/{deployment}/run", "Submit")

    def field_of(self, title: str) -> Locator:
        """Find what stands under a title of the run form."""
        label = self.page.locator(".schema-form-property__label", has_text=title)
        return self.page.locator(".schema-form-property", has=label).first

    def choose(self, title: str, word: str) -> None:
        """Choose a word from a list of the run form, opened by the keyboard: a click closes it again at once."""
        chosen = self.field_of(title).locator("button.p-select-button__control")
        chosen.focus()
        self.page.keyboard.press("Space")
        self.page.get_by_role("option", name=word, exact=True).click()
        expect(chosen).to_have_text(word)

    def submitted(self) -> str:
        """Start the run of the form; return its number. What is shown next is the deployment with its runs."""
        with self.page.expect_response(lambda answer: answer.url.endswith("/create_flow_run")) as made:
            self.page.get_by_role("button", name="Submit").click()
        return str(made.value.json()["id"])
