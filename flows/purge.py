"""消去: erase what was kept of provisions, and the records whose 150 years are over, and leave the proof.

Nothing is decided here. A run that finds nothing due changes nothing; a run that was killed is finished by the next.
Receipts of recipients are taken in first, for they may bring an end forward. The two erasures stand beside each
other: one that fails keeps nothing from the other, and fails the run.
"""

from __future__ import annotations

from prefect import flow

from flows.choices import Assertion
from flows.naming import named_by
from juki.lineage import Job
from juki.operators import Act
from tasks.authorising import started_by
from tasks.boundary import WHOLE, PipelineError, sealed
from tasks.checkpointing import logs_signed
from tasks.lineage import note, traced
from tasks.lineage_sets import purge_sets
from tasks.progress import ProgressBar
from tasks.purge_artifacts import publish_purge
from tasks.purging import erase_records, purge_due
from tasks.receipting import take_receipts


@flow(name="個人番号の消去", flow_run_name=named_by(), **WHOLE)
@sealed
@logs_signed()
@traced(Job.PURGE)
def purge(assertion: Assertion = "") -> None:
    """一時保存の期限が来た提供の鍵・個人番号・封緘済みファイルと、150年の保存期間を過ぎた記録を消去し、証拠を操作ログに残します。

    Args:
        assertion: 手で始めるときの、操作者の認証結果。操作は「purge」、対象は空。一度しか使えません。
    """
    started_by(Act("purge"), assertion)
    receipts = take_receipts()
    purging = purge_due(ProgressBar("purge-progress", "個人番号の消去の進み具合"), return_state=True)
    erasing = erase_records(return_state=True)
    summary, records = purging.result(), erasing.result()
    note(purge_sets(summary, receipts, records))
    publish_purge(summary, receipts, records)
    for code, where in ((summary.code, summary.where), (records.code, records.where)):
        if code is not None:
            raise PipelineError(code, where)
