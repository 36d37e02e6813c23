"""`juki intake`: run the intake in this process and say what it did and what is left to do.

Decides:    what is printed of a run, and its exit code.
Leaves:     the work to `flows.intake`, the words for what needs attention to `juki.cli`.
Invariants: what was done is read from the stores, never from Prefect; nothing of Prefect is imported before
            its environment is set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from flows.commands.failures import failure_of
from flows.environment import prepare
from juki.cli.acting import operated
from juki.cli.installation import Installation, explained, iso
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.package_commands import counts_shown
from juki.cli.reasons_shown import code_lines, reason_lines
from juki.cli.run_progress import Run, watched
from juki.columns import IdentityFile
from juki.errors import JukiError
from juki.health import ChannelHealth
from juki.order import Channel, PackageState
from juki.overview.described import described_channel
from juki.reasons import Code
from juki.store.status import PackageRecord

Municipalities = Annotated[
    list[str] | None,
    typer.Option(
        "--municipality", metavar="CODE", help="受け入れる市町村コード（繰り返せる。なければすべて）"
    ),
]
Files = Annotated[
    list[IdentityFile] | None,
    typer.Option("--file", help="受け入れるファイル（resident / fuhyo。繰り返せる。なければ両方）"),
]
_STATES = {
    PackageState.APPLIED: "適用", PackageState.REPEATED: "再送", PackageState.REFUSED: "拒否",
    PackageState.CONFLICT: "事故", PackageState.REPLACED: "差替え",
}  # fmt: skip
_HEADINGS = ("市町村", "ファイル", "パッケージ", "待ち", "レコード")


@dataclass(frozen=True, slots=True)
class ChannelRun:
    """What a run did for one channel, and how the channel is after it."""

    health: ChannelHealth
    states: Counter[PackageState]
    counts: Counter[str]

    @property
    def has_findings(self) -> bool:
        """Tell whether something was refused or rejected, or still waits."""
        refused = self.states[PackageState.REFUSED] + self.states[PackageState.CONFLICT]
        facts = self.health.facts
        return bool(refused or self.counts["rejected"] or facts.waiting or facts.deferred_files)


@operated("intake", "municipality", "file")
def intake(municipality: Municipalities = None, file: Files = None, as_json: AsJson = False) -> None:
    """市町村CSから異動の通知を受け入れ、両ファイルを更新し、受領書を返す

    終了コード: 0 すべて受け入れた、1 拒否したもの・待っているものがある、2 失敗した。
    """
    installation = Installation.open()
    limits = installation.limits()
    registered = installation.municipalities
    codes = [registered.of(code).code for code in municipality] if municipality else registered.codes
    run = Run(
        installation, list(dict.fromkeys(codes)), list(dict.fromkeys(file or IdentityFile)), datetime.now(UTC)
    )
    prepare(installation.home, installation.settings)
    with watched(run, is_quiet=as_json):
        failure = _work(run)
    finished_at = datetime.now(UTC)
    health = {one.facts.channel: one for one in installation.health(finished_at, limits)}
    finish(_result(run, _channels(run, health), failure, finished_at), as_json=as_json)


def _work(run: Run) -> JukiError | None:
    """Run the flow; return what it says when some channels failed.

    Raises: JukiError with the code of a failure that kept the run from working its channels.
    """
    from flows.choices import files_chosen, municipalities_chosen
    from flows.intake import intake as flow

    municipalities, files = municipalities_chosen(run.municipality_codes), files_chosen(run.files)
    failure = failure_of(lambda: flow(municipalities=municipalities, files=files))
    if failure is not None and failure.code is not Code.RUN_CHANNELS_FAILED:
        raise failure
    return failure


def _channels(run: Run, health: dict[Channel, ChannelHealth]) -> list[ChannelRun]:
    settled: dict[Channel, list[PackageRecord]] = {}
    for file in run.files:
        with run.installation.overview(file) as overview:
            for package in overview.settled_since(run.started_at, run.municipality_codes):
                settled.setdefault(package.channel, []).append(package)
    channels = [Channel(code, file) for code in run.municipality_codes for file in run.files]
    return [_channel(health[channel], settled.get(channel, [])) for channel in channels]


def _channel(health: ChannelHealth, settled: Sequence[PackageRecord]) -> ChannelRun:
    counts = Counter[str]()
    for package in settled:
        counts.update(package.counts)
    return ChannelRun(health, Counter(package.state for package in settled), counts)


def _result(
    run: Run, channels: Sequence[ChannelRun], failure: JukiError | None, finished_at: datetime
) -> Result:
    done = [one for one in channels if one.states]
    data = {
        "started_at": iso(run.started_at),
        "finished_at": iso(finished_at),
        "error": {**explained(failure.code), "ref": failure.ref} if failure else None,
        "channels": [_described(run, one) for one in channels],
    }
    tables = [Table("受入の結果", _HEADINGS, [_row(run, one) for one in done])] if done else []
    unchanged = f"新しいパッケージなし: {len(channels) - len(done)} 件（市町村×ファイル）"
    lines = [unchanged, *reason_lines(run.installation, [one.health for one in channels])]
    if failure:
        lines += code_lines(failure.code)
    return Result(data, tables, lines, _exit_code(channels, failure))


def _exit_code(channels: Sequence[ChannelRun], failure: JukiError | None) -> ExitCode:
    if failure:
        return ExitCode.ERROR
    return ExitCode.FOUND if any(one.has_findings for one in channels) else ExitCode.OK


def _described(run: Run, one: ChannelRun) -> dict[str, object]:
    states = {state.value: count for state, count in one.states.items()}
    return {
        **described_channel(one.health, run.installation.name),
        "run": {"packages": states, "counts": dict(one.counts)},
    }


def _row(run: Run, one: ChannelRun) -> tuple[str, ...]:
    facts = one.health.facts
    return (
        run.installation.name(facts.channel.municipality_code),
        facts.channel.file.japanese,
        "・".join(f"{word} {one.states[state]}" for state, word in _STATES.items() if one.states[state]),
        str(facts.waiting),
        counts_shown(one.counts),
    )
