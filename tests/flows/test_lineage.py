"""What a flow tells of itself: a beginning, an end of the right kind, what it counted; and it is stopped by nothing.

The flows themselves run in the engine elsewhere, where their events are read as well: `test_canary`,
`test_canary_forwarding`, `test_provide_run`, `test_purge_canary`, `test_quality`, `test_site`.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from juki.columns import IdentityFile
from juki.custody.expiring import ExpirySummary
from juki.custody.purging import PurgeSummary
from juki.errors import StoreError
from juki.home import Home
from juki.lineage import DataSet, Job, Sets
from juki.lineage_files import LineageFiles
from juki.order import Channel
from juki.package_id import PackageId
from juki.quality import Figures
from juki.quality_reports import FileReport, Report
from juki.reasons import Code
from tasks import clock, lineage_sets
from tasks.boundary import PipelineError, sealed
from tasks.channels import ChannelSummary
from tasks.forwarding import ForwardSummary
from tasks.lineage import note, tell_aborted, traced
from tasks.provision_runs import FileRun
from tasks.reconciling import ReconciliationSummary
from tasks.requesting import TakenIn
from tests.lineage_oracle import events_of, stages

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
HERE = Channel("352039", RESIDENT)
AT = datetime(2026, 11, 30, 9, tzinfo=UTC)


@pytest.fixture
def installed(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with settings, without stores: whoever writes events needs no more."""
    home.create()
    monkeypatch.setenv("JUKI_HOME", str(home.root))
    return home


def _run(ending: BaseException | None = None) -> None:
    @sealed
    @traced(Job.PURGE)
    def flow() -> None:
        note(Sets((DataSet("recipient/receipt", files=2),), (DataSet("store/fuhyo/hold", 1),)))
        note(Sets((), (DataSet("store/fuhyo/hold", 2),)))
        if ending is not None:
            raise ending

    flow()


def test_a_run_that_ends_well_says_what_it_read_and_wrote(installed: Home) -> None:
    """The beginning says nothing yet; counts of one data set are added up at the end."""
    _run()
    first, last = events_of(installed)
    assert (first["eventType"], first["inputs"], first["outputs"]) == ("START", [], [])
    assert (last["eventType"], first["run"]["runId"]) == ("COMPLETE", last["run"]["runId"])
    assert last["job"]["namespace"] == "juki://350001"
    assert last["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 3


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        (PipelineError(Code.HOLD_OVERDUE, "F1"), Code.HOLD_OVERDUE),
        (StoreError(Code.STORE_UNREACHABLE, "fuhyo"), Code.STORE_UNREACHABLE),
        (ValueError("山口　花子"), Code.RUN_UNEXPECTED),
    ],
    ids=["pipeline", "ours", "unknown"],
)
def test_a_run_that_fails_says_by_which_code_and_nothing_else(
    installed: Home, ending: Exception, code: Code
) -> None:
    """Neither the text of an error nor what it is about gets into the file."""
    with pytest.raises(PipelineError):
        _run(ending)
    _, last = events_of(installed)
    assert last["eventType"] == "FAIL"
    assert last["run"]["facets"]["errorMessage"]["message"] == f"[{code.value}] {code.message}"
    assert last["inputs"] != []


def test_a_run_that_is_told_to_end_is_aborted(installed: Home) -> None:
    """It did not fail: what it did stands, and the next one goes on."""
    with pytest.raises(KeyboardInterrupt):
        _run(KeyboardInterrupt())
    assert stages(events_of(installed), "purge") == ["START", "ABORT"]


def test_a_run_goes_on_without_events_where_they_are_off_or_can_not_be_written(installed: Home) -> None:
    """Switched off there is no folder; in the way of the folder there is a mark."""
    installed.settings_file.write_text("lineage = false\n", encoding="utf-8")
    _run()
    assert not installed.lineage.exists()
    installed.settings_file.write_text("", encoding="utf-8")
    installed.lineage.touch()
    _run()
    assert LineageFiles(installed).unwritten_since is not None


def test_settings_at_fault_are_told_by_the_flow_and_not_by_its_events(installed: Home) -> None:
    """The decorator is silent, so that the flow fails with the code it always had."""
    installed.settings_file.write_text("unknown = 1\n", encoding="utf-8")
    _run()
    assert not installed.lineage.exists()


def test_the_end_of_a_dead_run_is_written_once_and_of_no_other_flow(installed: Home) -> None:
    """Whoever raises the alarm about it may be told twice."""
    dead, other = uuid4(), uuid4()
    for _ in range(2):
        tell_aborted("intake", dead, attempts=1)
    tell_aborted("checkpoint", other, attempts=1)
    tell_aborted("intake", dead, attempts=2)
    first, again = events_of(installed)
    assert (first["eventType"], first["run"]["runId"]) == ("ABORT", str(dead))
    assert again["run"]["facets"]["parent"]["run"]["runId"] == str(dead)


COUNTS = {"records": 12, "accepted": 8, "alerted": 1, "rejected": 2, "repeated": 1}
WORKED = ChannelSummary(HERE, 3, 2, {"applied": 1, "refused": 1}, COUNTS)
TAKEN = TakenIn(registered=3)
RUN = FileRun(FUHYO, states=Counter(sealed=2, refused=1), lines=Counter(found=4), delivered=2)
ENDED = ReconciliationSummary(HERE, 1, 0, 100, 99, 3, 2)
REPORT = Report("20261130", AT, [FileReport(RESIDENT, Figures({"352039": 50}, 7, 3), [])])
TOLD = ForwardSummary(RESIDENT, 1, 9, 1, 0, 1, {"acknowledged": 1})
ERASED = PurgeSummary(AT, erased=(PackageId(FUHYO, 1), PackageId(FUHYO, 2)))
OVER = ExpirySummary(AT.date(), erased={RESIDENT: 5, FUHYO: 0})
SAID = {
    Job.INTAKE: (
        lineage_sets.intake_sets([WORKED, ChannelSummary(Channel("352012", FUHYO))]),
        {"municipality/352039/resident/notice": (12, 2)},
        {
            "municipality/352039/resident/receipt": (None, 2), "store/resident/identity": (9, None),
            "store/resident/outbox": (None, None), "store/resident/quarantine": (2, None),
        },
    ),
    Job.RECONCILE: (
        lineage_sets.reconciliation_sets(ENDED),
        {"municipality/352039/resident/snapshot": (100, None), "store/resident/identity": (99, None)},
        {
            "municipality/352039/resident/differences": (None, 1), "store/resident/difference": (3, None),
            "store/resident/identity": (2, None),
        },
    ),
    Job.FORWARD: (
        lineage_sets.forward_sets([TOLD]),
        {"store/resident/outbox": (10, None), "jlis/resident/answer": (None, 1)}, {"jlis/resident/update": (9, 1)},
    ),
    Job.PROVIDE: (
        lineage_sets.provision_sets(TAKEN, [RUN]),
        {"recipient/request": (None, 3), "store/fuhyo/identity": (4, None)},
        {"store/fuhyo/provision": (3, None), "recipient/fuhyo/provision": (None, 2)},
    ),
    Job.PURGE: (
        lineage_sets.purge_sets(ERASED, {"noted": 1, "receipt.form": 1}, OVER),
        {"recipient/receipt": (None, 2)},
        {
            "store/resident/hold": (0, None), "store/fuhyo/hold": (2, None), "store/resident/identity": (5, None),
        },
    ),
    Job.QUALITY: (
        lineage_sets.quality_sets(REPORT),
        {"store/resident/identity": (57, None), "store/resident/package": (3, None)}, {"quality/report": (None, 1)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("job", Job)
def test_every_flow_tells_what_it_counted(job: Job, installed: Home) -> None:
    """Rows and files of each data set, as the events have it; what is not counted has no figure."""
    sets, read, written = SAID[job]

    @traced(job)
    def flow() -> None:
        note(sets)

    with clock.held_at(AT):
        flow()
    _, last = events_of(installed)
    assert last["eventTime"] == AT.isoformat()
    assert _figures(last["inputs"], "inputFacets", "inputStatistics") == read
    assert _figures(last["outputs"], "outputFacets", "outputStatistics") == written


def _figures(told: list[dict], facets: str, name: str) -> dict[str, tuple[int | None, int | None]]:  # type: ignore[type-arg]
    found = {one["name"]: one[facets].get(name, {}) for one in told}
    return {name: (said.get("rowCount"), said.get("fileCount")) for name, said in found.items()}
