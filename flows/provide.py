"""提供・移転: answer the requests of recipients from both files, and hand the sealed answers over.

What comes in is taken in once, answered once and delivered once, whoever is killed on the way. Run again with nothing
new, it changes nothing and says so.
"""

from __future__ import annotations

from prefect import flow

from flows.choices import Assertion
from flows.naming import named_by
from juki.columns import IdentityFile
from juki.lineage import Job
from juki.operators import Act
from juki.reasons import Code
from tasks.authorising import started_by
from tasks.boundary import WHOLE, PipelineError, sealed
from tasks.checkpointing import logs_signed
from tasks.lineage import note, traced
from tasks.lineage_sets import provision_sets
from tasks.progress import ProgressBar
from tasks.provision_artifacts import publish_provisions
from tasks.provision_runs import work_provisions
from tasks.requesting import take_in_requests


@flow(name="提供・移転", flow_run_name=named_by(), **WHOLE)
@sealed
@logs_signed()
@traced(Job.PROVIDE)
def provide(assertion: Assertion = "") -> None:
    """提供先の要求を受け付け、根拠に照らして探し、封緘して送付フォルダに置きます。庁内のシステムには接続しません。

    Args:
        assertion: 手で始めるときの、操作者の認証結果。操作は「provide」、対象は空。一度しか使えません。
    """
    started_by(Act("provide"), assertion)
    taken = take_in_requests()
    runs = [work_provisions(file, _progress(file)) for file in IdentityFile]
    note(provision_sets(taken, runs))
    publish_provisions(taken, runs)
    failed = sorted({*taken.failures, *(code for run in runs for code in run.failures)})
    if failed:
        raise PipelineError(Code.RUN_PROVISIONS_FAILED, ", ".join(failed))


def _progress(file: IdentityFile) -> ProgressBar:
    return ProgressBar(f"provision-progress-{file.value}", f"提供・移転の進み具合 {file.japanese}")
