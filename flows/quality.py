"""品質検査: check the tables of both files as a whole, after load, and against the run before.

Nothing of the files is changed. Run again, it finds the same and keeps one more report.
"""

from __future__ import annotations

from prefect import flow

from flows.naming import named_by
from juki.columns import IdentityFile
from juki.lineage import Job
from tasks.boundary import WHOLE, PipelineError, sealed
from tasks.checkpointing import logs_signed
from tasks.lineage import note, traced
from tasks.lineage_sets import quality_sets
from tasks.quality import check_file, keep_report
from tasks.quality_artifacts import publish_quality


@flow(name="品質検査", flow_run_name=named_by(), **WHOLE)
@sealed
@logs_signed()
@traced(Job.QUALITY)
def quality() -> None:
    """両ファイルの表全体を検査します: 重複、履歴・パッケージとのつながり、件数、年齢、不明の割合、前回からの変化。

    満たされない期待があれば失敗となります。報告は juki quality show に、次にすることは juki status にあります。
    """
    report = keep_report([check_file(file) for file in IdentityFile])
    note(quality_sets(report))
    publish_quality(report)
    for one in report.failed:
        checks = (f"{each.file.value} {each.check}" for each in report.failed)
        raise PipelineError(one.code, ", ".join(checks))
