"""操作ログの点検: look through both operation logs for what a supervisor has to be told of, once a week.

Nothing is decided here. A run that finds something ends well: findings wait for the auditor (`juki review`).
"""

from __future__ import annotations

from prefect import flow

from flows.choices import Assertion
from flows.naming import named_by
from juki.operators import Act
from tasks.authorising import started_by
from tasks.boundary import WHOLE, sealed
from tasks.checkpointing import logs_signed
from tasks.review_artifacts import publish_review
from tasks.reviewing import review_logs


@flow(name="操作ログの点検", flow_run_name=named_by(), **WHOLE)
@sealed
@logs_signed()
def review(assertion: Assertion = "") -> None:
    """前回の点検より後の操作ログから、夜間・閉庁日の操作、認証の失敗、大量の検索などを、操作者・端末ごとに指摘します。

    Args:
        assertion: 手で始めるときの、操作者の認証結果。操作は「review run」、対象は空。一度しか使えません。
    """
    started_by(Act("review run"), assertion)
    publish_review(review_logs())
