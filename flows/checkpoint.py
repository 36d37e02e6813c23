"""操作ログの署名: sign both operation logs when there is news, and tell when one can not be signed.

Runs every hour beside the other flows, which sign at their own end without failing for it.
"""

from __future__ import annotations

from prefect import flow

from flows.naming import named_by
from tasks.boundary import WHOLE, PipelineError, sealed
from tasks.checkpointing import alarms_of, checkpoint_logs


@flow(name="操作ログの署名", flow_run_name=named_by(), **WHOLE)
@sealed
def checkpoint() -> None:
    """両ファイルの操作ログに新しい記録があれば、チェックポイントに署名し、データベースの外に写します。

    署名できないとき、または保管先に異常があるときは失敗となります。次にすることは juki status にあります。
    """
    for alarm in alarms_of(checkpoint_logs()):
        raise PipelineError(alarm.code, alarm.ref)
