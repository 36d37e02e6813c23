"""What each flow read and wrote, as data sets of its lineage, taken from what it counted anyway.

Decides:    the names of the data sets, and which count is told of which.
Leaves:     the form of an event to `juki.lineage`.
Invariants: a count is told only where it is known: rows of `identity` are versions, each in `current` or in
            `history`, and what is not counted by whoever wrote it is named without a figure.
Source:     ADR-0041.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from juki.columns import IdentityFile
from juki.custody.expiring import ExpirySummary
from juki.custody.purging import PurgeSummary
from juki.lineage import DataSet, Sets
from juki.order import Channel
from juki.quality_reports import Report
from tasks.channels import ChannelSummary
from tasks.forwarding import ForwardSummary
from tasks.provision_runs import FileRun
from tasks.reconciling import ReconciliationSummary
from tasks.requesting import TakenIn


def intake_sets(summaries: Sequence[ChannelSummary]) -> Sets:
    """Notices of the municipalities that sent any, into both files."""
    worked = [one for one in summaries if one.packages or one.receipts]
    notices = [
        DataSet(_of_channel(one.channel, "notice"), one.counts.get("records", 0), sum(one.packages.values()))
        for one in worked
    ]
    return Sets(tuple(notices), tuple(found for one in worked for found in _taken_in(one)))


def _taken_in(one: ChannelSummary) -> Iterator[DataSet]:
    file, counts = one.channel.file, one.counts
    versions = counts.get("accepted", 0) + counts.get("alerted", 0)
    yield DataSet(_of_store(file, "identity"), versions)
    yield DataSet(_of_store(file, "quarantine"), counts.get("rejected", 0))
    yield DataSet(_of_store(file, "outbox"))
    yield DataSet(_of_channel(one.channel, "receipt"), files=one.receipts)


def asked_sets(channel: Channel) -> Sets:
    """What a reconciliation compares, before anything is known of it."""
    return Sets(
        (DataSet(_of_channel(channel, "snapshot")), DataSet(_of_store(channel.file, "identity"))),
        (DataSet(_of_store(channel.file, "difference")),),
    )


def reconciliation_sets(summary: ReconciliationSummary) -> Sets:
    """A snapshot and the file it was compared with, into differences, repairs and a report."""
    file = summary.channel.file
    return Sets(
        (
            DataSet(_of_channel(summary.channel, "snapshot"), summary.rows_theirs),
            DataSet(_of_store(file, "identity"), summary.rows_ours),
        ),
        (
            DataSet(_of_store(file, "difference"), summary.differences),
            DataSet(_of_store(file, "identity"), summary.repaired),
            DataSet(_of_channel(summary.channel, "differences"), files=1),
        ),
    )


def forward_sets(summaries: Sequence[ForwardSummary]) -> Sets:
    """Updates from the outboxes to J-LIS, and what it answered."""
    inputs, outputs = list[DataSet](), list[DataSet]()
    for one in summaries:
        inputs.append(DataSet(_of_store(one.file, "outbox"), one.updates + one.lost))
        inputs.append(DataSet(f"jlis/{one.file.value}/answer", files=sum(one.answers.values())))
        outputs.append(DataSet(f"jlis/{one.file.value}/update", one.updates, one.delivered))
    return Sets(tuple(inputs), tuple(outputs))


def provision_sets(taken: TakenIn, runs: Sequence[FileRun]) -> Sets:
    """Requests and the people found, into provisions and the files handed over."""
    inputs, outputs = [DataSet("recipient/request", files=taken.registered)], list[DataSet]()
    for run in runs:
        inputs.append(DataSet(_of_store(run.file, "identity"), run.lines["found"]))
        outputs.append(DataSet(_of_store(run.file, "provision"), run.states.total()))
        outputs.append(DataSet(f"recipient/{run.file.value}/provision", files=run.delivered))
    return Sets(tuple(inputs), tuple(outputs))


def purge_sets(summary: PurgeSummary, receipts: Mapping[str, int], records: ExpirySummary) -> Sets:
    """Receipts of recipients, the holds whose end was written down, and the versions that were erased."""
    erased = [DataSet(_of_store(one.file, "hold"), 1) for one in summary.erased]
    holds = [DataSet(_of_store(file, "hold"), 0) for file in IdentityFile]
    versions = [
        DataSet(_of_store(file, "identity"), count) for file, count in records.erased.items() if count
    ]
    return Sets((DataSet("recipient/receipt", files=sum(receipts.values())),), (*holds, *erased, *versions))


def quality_sets(report: Report) -> Sets:
    """The tables that were checked, into a report."""
    inputs = list[DataSet]()
    for one in report.files:
        inputs.append(DataSet(_of_store(one.file, "identity"), one.figures.people + one.figures.history))
        inputs.append(DataSet(_of_store(one.file, "package"), one.figures.packages))
    return Sets(tuple(inputs), (DataSet("quality/report", files=1),))


def _of_channel(channel: Channel, kind: str) -> str:
    return f"municipality/{channel.municipality_code}/{channel.file.value}/{kind}"


def _of_store(file: IdentityFile, table: str) -> str:
    return f"store/{file.value}/{table}"
