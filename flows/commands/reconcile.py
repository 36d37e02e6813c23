"""`juki reconcile`: run the reconciliation of some channels in this process and say what it found.

Decides:    what is printed of a run, and its exit code.
Leaves:     the work to `flows.reconcile`.
Invariants: what was found is read from the stores, never from Prefect; nothing of Prefect is imported before its
            environment is set. A channel that fails does not keep the others from their turn.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from flows.commands.failures import failure_of
from flows.environment import prepare
from juki.cli.acting import operated
from juki.cli.installation import Installation, chosen_files, explained, shown
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.reasons_shown import code_lines
from juki.cli.reconciliations_shown import described, kinds_shown
from juki.columns import IdentityFile
from juki.differences import Mode
from juki.errors import JukiError
from juki.order import Channel
from juki.reasons import Code
from juki.store.reconciliations import Reconciliation
from juki.store.unit import open_unit

WantedMunicipalities = Annotated[
    list[str] | None,
    typer.Option("--municipality", metavar="CODE", help="照合する市町村コード（繰り返せる。なければすべて）"),
]
WantedFile = Annotated[
    IdentityFile | None,
    typer.Option("--file", help="resident 本人確認情報 / fuhyo 附票本人確認情報。なければ両方"),
]
WantedMode = Annotated[
    Mode, typer.Option("--mode", help="report 照合のみ / propose 修復の提案まで / repair 修復まで")
]
_HEADINGS = ("市町村", "ファイル", "結果", "時点", "通知番号\nまで", "先方", "当方", "差異", "修復")


@dataclass(frozen=True, slots=True)
class ChannelOutcome:
    """What came of one channel: how the reconciliation is registered now, and why the run failed, if it did."""

    channel: Channel
    registered: Reconciliation | None
    failure: JukiError | None


@operated("reconcile", "municipality", "file", "mode")
def reconcile(
    municipality: WantedMunicipalities = None, file: WantedFile = None, mode: WantedMode = Mode.REPORT,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """市町村の現況と照合し（整合処理）、差異を示す・修復する

    終了コード: 0 すべて一致、1 差異がある、2 失敗した。
    """
    installation = Installation.open()
    registered = installation.municipalities
    codes = [registered.of(code).code for code in municipality] if municipality else registered.codes
    prepare(installation.home, installation.settings)
    channels = [Channel(code, one) for code in dict.fromkeys(codes) for one in chosen_files(file)]
    outcomes = [_work(installation, channel, mode, is_quiet=as_json) for channel in channels]
    finish(_result(installation, outcomes), as_json=as_json)


def _work(installation: Installation, channel: Channel, mode: Mode, *, is_quiet: bool) -> ChannelOutcome:
    """Run the flow for one channel; what kept it from its end comes back with its code."""
    from flows.choices import ModeChoice, choices_of
    from flows.reconcile import reconcile as flow

    if not is_quiet:
        name = installation.name(channel.municipality_code)
        sys.stderr.write(f"{name} {channel.file.japanese} を照合しています（{mode.japanese}）\n")
    municipality, file = choices_of(channel)
    failure = failure_of(lambda: flow(municipality=municipality, file=file, mode=ModeChoice[mode.name]))
    with open_unit(installation.store_url(channel.file), channel.file) as unit:
        recent = unit.reconciliations.recent(channel.municipality_code, 1)
    return ChannelOutcome(channel, recent[0] if recent else None, failure)


def _result(installation: Installation, outcomes: Sequence[ChannelOutcome]) -> Result:
    data = {
        "reconciliations": [
            {
                "municipality_code": one.channel.municipality_code,
                "municipality": installation.name(one.channel.municipality_code),
                "file": one.channel.file.value,
                "reconciliation": described(one.registered) if one.registered else None,
                "error": {**explained(one.failure.code), "ref": one.failure.ref} if one.failure else None,
            }
            for one in outcomes
        ]
    }
    rows = [_row(installation, one) for one in outcomes]
    lines = []
    for code in dict.fromkeys(one.failure.code for one in outcomes if one.failure):
        lines += code_lines(code)
    if any(one.registered and not one.registered.is_equal and not one.failure for one in outcomes):
        lines.append("差異の内容: juki difference list")
    return Result(data, [Table("整合処理の結果", _HEADINGS, rows)], lines, _exit_code(outcomes))


def _row(installation: Installation, one: ChannelOutcome) -> tuple[str, ...]:
    found, name = one.registered, installation.name(one.channel.municipality_code)
    if one.failure or found is None:
        word = one.failure.code.value if one.failure else Code.RUN_UNEXPECTED.value
        return (name, one.channel.file.japanese, word, *[""] * (len(_HEADINGS) - 3))
    return (
        name, one.channel.file.japanese, "一致" if found.is_equal else "差異あり", shown(found.as_of),
        str(found.watermark), f"{found.rows_theirs or 0:,}", f"{found.rows_ours or 0:,}", kinds_shown(found.found),
        str(found.repaired or 0),
    )  # fmt: skip


def _exit_code(outcomes: Sequence[ChannelOutcome]) -> ExitCode:
    if any(one.failure for one in outcomes):
        return ExitCode.ERROR
    is_equal = all(one.registered is not None and one.registered.is_equal for one in outcomes)
    return ExitCode.OK if is_equal else ExitCode.FOUND
