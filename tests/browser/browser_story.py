"""A day at the screens, in a real browser, before a site that was started as an operator starts it.

Logged in by password; the schedules; an intake by hand; a reconciliation that fails, is seen, is retried, and is run
again in another mode with the assertion of an operator. Run by `make browser`, where a Chromium is installed: none is
downloaded, and without one this fails and says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from juki.home import Home
from juki.reasons import Code
from tests.browser.screens import Screens, browsing
from tests.console import Said
from tests.flows.conftest import Town, built, town
from tests.flows.reconciling import Round, answering, runs
from tests.flows.site_of_town import TownSite, eventually, site_of
from tests.flows.test_reconcile_server import Line, here, line
from tests.gateway import Desk
from tests.smtp_sink import smtp_sink

__all__ = ["built", "here", "line", "town"]

SETTINGS = "snapshot_wait_seconds = 60\nconnect_attempts = 1\n"
UNAUTHORIZED = 401
RECONCILER, TARGET = "op-5", "352039 resident repair"
"""Who lets repair, and what is shown to the gateway: municipality, file, mode."""


@dataclass(slots=True)
class Terminal:
    """The command line of a town, as a desk of operators wants it."""

    town: Town

    @property
    def home(self) -> Home:
        """The installation."""
        return self.town.home

    def juki(self, *arguments: str) -> Said:
        """Run a command."""
        done = self.town.juki(*arguments)
        return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def desk(here: Round, tmp_path: Path) -> Desk:
    """Operators of the town, with whom it closes, one of them to let repair."""
    made = Desk(Terminal(here.town), tmp_path)  # type: ignore[arg-type] # all a desk asks of a console
    made.register(RECONCILER, "reconciler")
    return made


@pytest.fixture
def site(here: Round, desk: Desk) -> Iterator[TownSite]:
    """The site, up, with nothing running but what is asked for."""
    settings = here.town.home.settings_file
    good = settings.read_text("utf-8")
    settings.write_text(SETTINGS + good, "utf-8")
    with smtp_sink() as sink, site_of(here.town, sink) as made:
        assert made.up()["started"] is True
        made.pause()
        yield made
    settings.write_text(good, "utf-8")


@pytest.fixture
def screens(site: TownSite, tmp_path: Path) -> Iterator[Screens]:
    """A browser before its screens; what they looked like is left in a folder, which is told."""
    folder = Path(os.environ.get("SCREENS") or tmp_path / "screens")
    folder.mkdir(parents=True, exist_ok=True)
    with browsing() as page:
        made = Screens(page, f"http://127.0.0.1:{site.port}", folder)
        yield made
        made.keep("last")
    print(f"\n{len(made.kept)} screens are in {folder}")


def shows_the_code(page: Page, code: Code) -> None:
    """The page of a run says why it failed."""
    expect(page.get_by_text(f"[{code.value}]").first).to_be_visible()


def retry(page: Page) -> None:
    """Press Retry on the page of the run, and confirm."""
    page.get_by_role("button", name="Retry").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Retry").click()


def open_newest(page: Page) -> None:
    """Open the newest of the artifacts of a key."""
    page.get_by_role("listitem").get_by_role("heading").first.click()


def repair(screens: Screens, site: TownSite, token: str) -> str:
    """Fill the run form in for a repair, with an assertion; return the run."""
    screens.run_form(site.deployments["reconcile"])
    screens.choose("市町村", "352039 山口市")
    screens.choose("方法", "修復まで")
    screens.field_of("操作者の認証結果").locator("textarea").fill(token)
    screens.keep("09-repair-form")
    return screens.submitted()


def test_operator_works_a_day_at_the_screens(
    screens: Screens, site: TownSite, here: Round, line: Line, desk: Desk
) -> None:
    """What failed says why on its page; what is done from the run form is done, and by whom is shown."""
    page = screens.page
    screens.open("/")
    screens.keep("01-login")
    with page.expect_response(lambda answer: answer.status == UNAUTHORIZED):
        screens.log_in("juki:wrong")
    screens.log_in(site.files.credentials())
    page.wait_for_url(lambda url: "/login" not in url)
    screens.open("/deployments", "intake")
    screens.keep("02-schedules")

    here.publish(10)
    screens.open(f"/deployments/deployment/{site.deployments['intake']}", "working-hours")
    page.get_by_text("Description", exact=True).last.click()
    expect(page.get_by_text("市町村CSから").first).to_be_visible()
    screens.keep("03-intake")
    screens.run_form(site.deployments["intake"])
    screens.keep("04-intake-form")
    with line.up():
        run = screens.submitted()
        assert site.ended(run) == "COMPLETED"
    screens.open(f"/runs/flow-run/{run}", "Completed")
    screens.keep("05-intake-run")
    assert here.town.rows("SELECT count(*) FROM current") == [(40,)]

    here.spoil("UPDATE current SET address = '別の所' WHERE notice_no = 5")
    screens.run_form(site.deployments["reconcile"])
    screens.choose("市町村", "352039 山口市")
    screens.keep("06-reconcile-form")
    run = screens.submitted()
    assert site.ended(run) == "FAILED"
    screens.open(f"/runs/flow-run/{run}")
    shows_the_code(page, Code.CHANNEL_UNREACHABLE)
    screens.keep("07-failed")

    with line.up(), answering(here.town, here.truth):
        retry(page)
        eventually(lambda: site.api.get(f"/flow_runs/{run}")["run_count"] > 1)
        assert site.ended(run) == "COMPLETED"
    screens.open(f"/runs/flow-run/{run}", "Completed")
    screens.open_artifacts("整合処理の結果 山口市")
    screens.keep("08-retried")
    assert runs(here.town, "mode", "is_equal", "repaired") == [("report", False, None)]

    run = repair(screens, site, desk.gateway.token(RECONCILER, "reconcile", TARGET))
    with line.up(), answering(here.town, here.truth):
        assert site.ended(run) == "COMPLETED"
    screens.open(f"/runs/flow-run/{run}", "Completed")
    screens.open_artifacts("整合処理の結果 山口市")
    screens.keep("10-repaired")
    screens.open("/artifacts/key/operator", "この実行を始めた操作者")
    open_newest(page)
    expect(page.get_by_text(f"操作者 {RECONCILER}").first).to_be_visible()
    screens.open("/artifacts/key/reconciliation-352039-resident", "整合処理の結果")
    open_newest(page)
    expect(page.get_by_text("差異 1 件を修復し").first).to_be_visible()
    screens.keep("11-artifact")
    assert runs(here.town, "mode", "is_equal", "repaired")[-1] == ("repair", True, 1)
