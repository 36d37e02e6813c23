"""An operator in a real browser: sees a reconciliation failed, retries it from its page, and reads what was found.

Run by `make browser`, where a Chromium is installed: none is downloaded, and without one this fails and says so.
What the screens looked like is left in the folder of the test; `scripts/reconcile_pictures.py` keeps two of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from juki.differences import Mode
from juki.reasons import Code
from tests.flows.conftest import built, town
from tests.flows.prefect_site import site
from tests.flows.reconciling import Round, answering, runs
from tests.flows.test_reconcile_server import SETTINGS, Line, here, line

__all__ = ["built", "here", "line", "town"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_SIZE = {"width": 1280, "height": 900}
_MILLISECONDS = 1000


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of the machine's Chromium, which shows what it is asked for and reaches nobody else."""
    found = [path for name in BROWSERS if (path := shutil.which(name))]
    assert found, "no Chromium here: apt-get install chromium, or another browser of its kind"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found[0], args=["--no-sandbox"])
        context = browser.new_context(viewport=_SIZE, locale="ja-JP", timezone_id="Asia/Tokyo")  # type: ignore[arg-type]
        context.route(lambda url: not url.startswith("http://127.0.0.1:"), lambda route: route.abort())
        opened = context.new_page()
        opened.set_default_timeout(60 * _MILLISECONDS)
        yield opened
        browser.close()


def retried(page: Page) -> None:
    """Press Retry on the page of the run, and confirm."""
    page.get_by_role("button", name="Retry").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Retry").click()


def test_operator_retries_a_failed_reconciliation_from_its_page(
    page: Page, here: Round, line: Line, tmp_path: Path
) -> None:
    """The code is on the page of the run; retried it ends completed, and its artifact says what was found."""
    here.spoil("UPDATE current SET address = '別の所' WHERE notice_no = 5")
    with site(here.town, tmp_path, has_pages=True, **SETTINGS) as prefect:
        run = prefect.start(here.town.channel, Mode.REPAIR)
        assert prefect.ended(run)["type"] == "FAILED"
        page.goto(f"{prefect.pages}/runs/flow-run/{run}")
        expect(page.get_by_text(f"[{Code.CHANNEL_UNREACHABLE.value}]").first).to_be_visible()
        page.screenshot(path=tmp_path / "failed.png")
        with line.up(), answering(here.town, here.truth):
            retried(page)
            assert prefect.ended(run, times=2)["type"] == "COMPLETED"
        page.reload()
        expect(page.get_by_text("Completed").first).to_be_visible()
        page.get_by_text("Artifacts", exact=True).last.click()
        expect(page.get_by_text("整合処理の結果 山口市").first).to_be_visible()
        page.screenshot(path=tmp_path / "reconcile-run.png")
        assert runs(here.town, "mode", "is_equal", "repaired") == [("repair", True, 1)]
        page.goto(f"{prefect.pages}/artifacts/key/reconciliation-352039-resident")
        page.get_by_role("listitem").get_by_role("heading").first.click()
        expect(page.get_by_text("差異 1 件を修復し").first).to_be_visible()
        page.screenshot(path=tmp_path / "reconcile-artifact.png")
