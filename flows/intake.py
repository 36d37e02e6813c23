"""受入: bring the change notices of all municipalities into both identity files.

Every channel (municipality and file) is worked in its own order, several side by side; what fails stays within
its channel and is tried again by the next run. Run again, it changes nothing and says so.
"""

from __future__ import annotations

from typing import Annotated, Literal

from prefect import flow
from pydantic import Field

from juki.operators import Act
from juki.reasons import Code
from tasks.artifacts import ProgressBar, publish_intake
from tasks.authorising import started_by_command
from tasks.boundary import WHOLE, PipelineError, sealed
from tasks.channels import registered_channels
from tasks.checkpointing import checkpoint_logs
from tasks.runner import ChannelRunner, work_side_by_side

FileChoice = Literal["resident", "fuhyo"]
Municipalities = Annotated[
    list[str] | None, Field(title="市町村コード", description="空ならすべての市町村を受け入れます")
]
Files = Annotated[
    list[FileChoice] | None,
    Field(title="ファイル", description="resident 本人確認情報 / fuhyo 附票本人確認情報。空なら両方"),
]


@flow(name="受入", task_runner=ChannelRunner(), **WHOLE)  # type: ignore[arg-type] # its futures are ours
@sealed
def intake(municipalities: Municipalities = None, files: Files = None) -> None:
    """市町村CSから異動の通知を受け入れ、検査し、両ファイルを更新して受領書を返します。"""
    started_by_command(Act("intake", ",".join([*(municipalities or []), *(files or [])])))
    channels = registered_channels(municipalities, files)
    summaries = work_side_by_side(channels, ProgressBar("intake-progress", "受入の進み具合"))
    publish_intake(summaries)
    checkpoint_logs()
    failed = [str(one.channel) for one in summaries if one.failure]
    if failed:
        raise PipelineError(Code.RUN_CHANNELS_FAILED, ", ".join(failed))
