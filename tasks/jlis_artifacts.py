"""What a run of the notices to J-LIS shows in the Prefect UI: a table of counts. Never a value."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task
from prefect.artifacts import create_table_artifact

from tasks.boundary import ONCE, sealed
from tasks.forwarding import ForwardSummary


@task(name="機構への通知の掲示", **ONCE)
@sealed
def publish_forwarding(summaries: Sequence[ForwardSummary]) -> None:
    """Publish a run by file."""
    rows = [_row(one) for one in summaries]
    create_table_artifact(rows, key="forward-summary", description="機構への通知の結果")


def _row(one: ForwardSummary) -> dict[str, object]:
    answers = "、".join(f"{word} {count}" for word, count in sorted(one.answers.items()))
    return {
        "ファイル": one.file.japanese, "作成": one.packages, "更新": one.updates, "失われた更新": one.lost,
        "復号できない個人番号": one.unopened, "送付": one.delivered, "機構から": answers,
        "失敗": one.failure.value if one.failure else "",
    }  # fmt: skip
