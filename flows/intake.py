"""受入: bring the change notices of all municipalities into both identity files.

Every channel (municipality and file) is worked in its own order, several side by side; what fails stays within
its channel and is tried again by the next run. Run again, it changes nothing and says so.
"""

from __future__ import annotations

from prefect import flow

from flows.choices import Files, Municipalities, code_of
from flows.naming import named_by
from juki.columns import IdentityFile
from juki.lineage import Job
from juki.operators import Act
from juki.reasons import Code
from tasks.artifacts import publish_intake
from tasks.authorising import started_by_command
from tasks.boundary import WHOLE, PipelineError, sealed
from tasks.channels import registered_channels
from tasks.checkpointing import logs_signed
from tasks.lineage import note, traced
from tasks.lineage_sets import intake_sets
from tasks.progress import ProgressBar
from tasks.runner import ChannelRunner, work_side_by_side


@flow(
    name="受入", flow_run_name=named_by("municipalities", "files"),
    task_runner=ChannelRunner(), **WHOLE,  # type: ignore[arg-type] # its futures are ours
)  # fmt: skip
@sealed
@logs_signed()
@traced(Job.INTAKE)
def intake(municipalities: Municipalities = (), files: Files = ()) -> None:
    """市町村CSから異動の通知を受け入れ、検査し、両ファイルを更新して受領書を返します。

    Args:
        municipalities: 受け入れる市町村。空なら、登録したすべての市町村。
        files: 受け入れるファイル。空なら、本人確認情報と附票本人確認情報の両方。
    """
    codes, asked = [code_of(one) for one in municipalities], [IdentityFile[one.name] for one in files]
    started_by_command(Act("intake", ",".join([*codes, *asked])))
    channels = registered_channels(codes, asked)
    summaries = work_side_by_side(channels, ProgressBar.begun("intake-progress", "受入の進み具合"))
    note(intake_sets(summaries))
    publish_intake(summaries)
    failed = [str(one.channel) for one in summaries if one.failure]
    if failed:
        raise PipelineError(Code.RUN_CHANNELS_FAILED, ", ".join(failed))
