"""整合処理: compare one file with what one municipality holds, repair what may be repaired, and report.

One run works one channel (municipality and file), so that a run that failed can be run again as it is, or in another
mode, without touching the rest. An interrupted reconciliation is gone on with by the next run of its channel.
"""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from pydantic import Field

from config.places import municipality_name
from flows.choices import Assertion, File, ModeChoice, Municipality, channel_of, titled
from flows.naming import named_by
from juki.differences import Mode
from juki.lineage import Job
from juki.operators import Act
from juki.order import Channel
from juki.reasons import Code
from tasks.authorising import started_by, started_by_command
from tasks.boundary import WHOLE, PipelineError, sealed
from tasks.checkpointing import logs_signed
from tasks.lineage import note, traced
from tasks.lineage_sets import asked_sets, reconciliation_sets
from tasks.progress import ProgressBar
from tasks.reconciliation_artifacts import publish_reconciliation
from tasks.reconciling import reconcile_channel

HowFar = Annotated[ModeChoice, Field(json_schema_extra=titled("方法"))]


@flow(name="整合処理", flow_run_name=named_by("municipality", "file", "mode"), **WHOLE)
@sealed
@logs_signed()
@traced(Job.RECONCILE)
def reconcile(
    municipality: Municipality, file: File, mode: HowFar = ModeChoice.REPORT, assertion: Assertion = ""
) -> None:
    """市町村CSに現況を求め、両ファイルの一方と一人ずつ照合し、差異を記録します。

    失敗した実行は、そのまま、または方法を変えて再実行できます。途中で止まったものは続きから行います。

    Args:
        municipality: 照合する市町村。
        file: 照合するファイル（本人確認情報、附票本人確認情報）。
        mode: 照合のみ／修復の提案まで／修復まで。修復は提案した通知として、受入と同じ検査を通して行います。
        assertion: 操作者の認証結果（照合のみには要らない）。操作「reconcile」、対象「352012 resident repair」。
    """
    channel, how_far = channel_of(municipality, file), Mode[mode.name]
    note(asked_sets(channel))
    act = Act("reconcile", f"{channel.municipality_code} {channel.file.value} {how_far.value}")
    # What only compares and reports asks nobody on the screens (ADR-0036).
    who = started_by_command(act) if how_far is Mode.REPORT else started_by(act, assertion)
    summary = reconcile_channel(channel, how_far, who.actor if who else "", _progress(channel))
    note(reconciliation_sets(summary))
    publish_reconciliation(summary)
    if summary.held_back:
        raise PipelineError(Code.RECONCILIATION_BEYOND_BOUND, str(summary.channel))


def _progress(channel: Channel) -> ProgressBar:
    named = f"{municipality_name(channel.municipality_code)} {channel.file.japanese}"
    key = f"reconciliation-{channel.municipality_code}-{channel.file.value}-progress"
    return ProgressBar.begun(key, f"整合処理の進み具合 {named}")
