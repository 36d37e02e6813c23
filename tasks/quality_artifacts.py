"""What a quality check shows in the Prefect UI: expectations, counts, municipalities, and where the page lies."""

from __future__ import annotations

from collections.abc import Iterator

from prefect import task
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from config.places import municipality_name
from juki.quality import Finding
from juki.quality_files import QualityFiles
from juki.quality_pages import outcome_of, places_shown, shown_at
from juki.quality_reports import Report
from tasks.boundary import ONCE, sealed
from tasks.workshop import Workshop


@task(name="品質検査の掲示", **ONCE)
@sealed
def publish_quality(report: Report) -> None:
    """Publish a run: a summary, a table of everything expected, and the way to its page."""
    create_markdown_artifact(page(report), key="quality-summary", description="品質検査の結果")
    rows = [_row(one) for part in report.files for one in part.findings]
    create_table_artifact(rows, key="quality-expectations", description="期待と結果")
    # A browser follows no link from a server to a file: the address is there to be copied.
    create_link_artifact(
        QualityFiles(Workshop.open().home).page(report.run).as_uri(),
        link_text="この機械に保存した報告（アドレスを写して開く）",
        key="quality-page",
        description="品質検査の報告",
    )


def page(report: Report) -> str:
    """Write the summary of a run."""
    lines = ["# 品質検査", f"- 検査日時 {shown_at(report)}"]
    for part in report.files:
        asked = sum(1 for one in part.findings if one.asked is not None)
        lines.append(
            f"- {part.file.japanese}: 記載中 {part.figures.people:,} 人、履歴 {part.figures.history:,} 版。"
            f"期待 {len(part.findings)} 件のうち検査 {asked} 件、不合格 {len(part.failed)} 件"
        )
    lines.append(f"- 報告: `juki quality show {report.run}`、または成果物 quality-page のファイル")
    if report.failed:
        lines += ["", "## 不合格", "| ファイル | 期待すること | 外れ | 場所 | 理由 | 次にすること |"]
        lines += ["|---|---|---:|---|---|---|", *_failures(report)]
    return "\n".join(lines)


def _failures(report: Report) -> Iterator[str]:
    for one in report.failed:
        cells = (
            one.file.japanese, one.title, f"{one.unexpected:,}", places_shown(one.places, municipality_name),
            f"[{one.code.value}] {one.code.message}", one.code.next_step,
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def _row(one: Finding) -> dict[str, object]:
    return {
        "ファイル": one.file.japanese,
        "期待すること": one.title,
        "対象": one.asked if one.asked is not None else "",
        "外れ": one.unexpected,
        "既知": one.known,
        "結果": outcome_of(one),
        "場所": places_shown(one.places, municipality_name),
        "コード": "" if one.is_met else one.code.value,
    }
