"""J-LISへの通知: tell J-LIS of every update of both files, and take in what it answers.

Run again, it changes nothing and says so: every update has one number, every package one content.
"""

from __future__ import annotations

from prefect import flow

from flows.naming import named_by
from juki.columns import IdentityFile
from juki.lineage import Job
from juki.operators import Act
from tasks.authorising import started_by_command
from tasks.boundary import WHOLE, PipelineError, sealed
from tasks.checkpointing import logs_signed
from tasks.forwarding import forward_file
from tasks.jlis_artifacts import publish_forwarding
from tasks.lineage import note, traced
from tasks.lineage_sets import forward_sets


@flow(name="J-LISへの通知", flow_run_name=named_by(), **WHOLE)
@sealed
@logs_signed()
@traced(Job.FORWARD)
def forward() -> None:
    """両ファイルの更新を順に機構（J-LIS）へ通知し、受領確認と誤りの通報を取り込みます。"""
    started_by_command(Act("forward"))
    summaries = [forward_file(file) for file in IdentityFile]
    note(forward_sets(summaries))
    publish_forwarding(summaries)
    faults = [(one.fault, one.file.value) for one in summaries if one.fault]
    if faults:
        raise PipelineError(faults[0][0], ", ".join(file for _, file in faults))
