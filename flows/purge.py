"""個人番号の消去: erase what was kept of provisions when its time has come, and leave the proof.

Nothing is decided here. A run that finds nothing due changes nothing; a run that was killed is finished by the next.
Receipts of recipients are taken in first, for they may bring an end forward.
"""

from __future__ import annotations

from prefect import flow

from flows.choices import Assertion
from flows.naming import named_by
from juki.lineage import Job
from juki.operators import Act
from tasks.authorising import started_by
from tasks.boundary import WHOLE, PipelineError, sealed
from tasks.lineage import note, traced
from tasks.lineage_sets import purge_sets
from tasks.progress import ProgressBar
from tasks.purge_artifacts import publish_purge
from tasks.purging import purge_due
from tasks.receipting import take_receipts


@flow(name="個人番号の消去", flow_run_name=named_by(), **WHOLE)
@sealed
@traced(Job.PURGE)
def purge(assertion: Assertion = "") -> None:
    """一時保存の期限が来た提供の鍵・個人番号・封緘済みファイルを消去し、残っていないことを確かめ、証拠を操作ログに残します。

    Args:
        assertion: 手で始めるときの、操作者の認証結果。操作は「purge」、対象は空。一度しか使えません。
    """
    started_by(Act("purge"), assertion)
    receipts = take_receipts()
    summary = purge_due(ProgressBar("purge-progress", "個人番号の消去の進み具合"))
    note(purge_sets(summary, receipts))
    publish_purge(summary, receipts)
    if summary.code is not None:
        raise PipelineError(summary.code, summary.where)
