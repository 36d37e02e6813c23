"""整合処理: compare one file with what one municipality holds, repair what may be repaired, and report.

One run works one channel (municipality and file), so that a run that failed can be run again as it is, or in another
mode, without touching the rest. An interrupted reconciliation is gone on with by the next run of its channel.
"""

from __future__ import annotations

from prefect import flow, runtime

from flows.choices import Assertion, FileChoice, ModeChoice, MunicipalityChoice, channel_of
from juki.differences import Mode
from juki.operators import Act
from juki.reasons import Code
from tasks.authorising import started_by, started_by_command
from tasks.boundary import WHOLE, PipelineError, sealed
from tasks.checkpointing import checkpoint_logs
from tasks.reconciliation_artifacts import publish_reconciliation
from tasks.reconciling import reconcile_channel


def _named() -> str:
    """Name a run by municipality, file and mode, as it was asked for."""
    asked = runtime.flow_run.parameters
    words = [getattr(asked[name], "value", asked[name]) for name in ("municipality", "file", "mode")]
    return " ".join(str(word) for word in words)


@flow(name="整合処理", flow_run_name=_named, **WHOLE)
@sealed
def reconcile(
    municipality: MunicipalityChoice, file: FileChoice, mode: ModeChoice = ModeChoice.REPORT,
    assertion: Assertion = "",
) -> None:  # fmt: skip
    """市町村CSに現況を求め、両ファイルの一方と一人ずつ照合し、差異を記録します。

    失敗した実行は、そのまま、または方法を変えて再実行できます。途中で止まったものは続きから行います。

    Args:
        municipality: 照合する市町村。
        file: 照合するファイル（本人確認情報、附票本人確認情報）。
        mode: 照合のみ／修復の提案まで／修復まで。修復は提案した通知として、受入と同じ検査を通して行います。
        assertion: 操作者の認証結果（照合のみには要らない）。操作「reconcile」、対象「352012 resident repair」。
    """
    channel, how_far = channel_of(municipality, file), Mode[mode.name]
    act = Act("reconcile", f"{channel.municipality_code} {channel.file.value} {how_far.value}")
    # What only compares and reports asks nobody on the screens (ADR-0036).
    who = started_by_command(act) if how_far is Mode.REPORT else started_by(act, assertion)
    try:
        summary = reconcile_channel(channel, how_far, who.actor if who else "")
    finally:
        checkpoint_logs()
    publish_reconciliation(summary)
    if summary.held_back:
        raise PipelineError(Code.RECONCILIATION_BEYOND_BOUND, str(summary.channel))
