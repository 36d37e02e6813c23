"""`make demo`: the main job on realistic data, from sealed notices to confirmed stores.

Decides:    which days and faults are shown, and what is printed of them.
Leaves:     the days to `simulator.exercise`, the comparison to `simulator.comparison`.
Invariants: ends with exit code 1 unless every chapter of `demo-summary.json` is ok; prints no personal value.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from config.places import municipality_name
from config.scanning import scanner_standing
from config.settings import home_of, load_settings
from flows import environment
from juki.cli.status_lines import standing_lines
from juki.columns import IdentityFile
from juki.home import Home, close_to_others
from juki.overview.described import described_standing
from juki.reasons import Code
from simulator import (
    copy_demo,
    jlis_demo,
    log_demo,
    person_demo,
    provision_demo,
    quality_demo,
    reconciliation_demo,
)
from simulator.comparison import Compared, compare
from simulator.copy_demo import CopyChapter
from simulator.demo_report import Findings, findings_of, journal_sizes, open_gaps
from simulator.exercise import Exercise, exercise
from simulator.faults import EXPECTED, Fault
from simulator.installation import NotAnExerciseError
from simulator.jlis_demo import JlisChapter
from simulator.kept import Kept, keep, numbers_of
from simulator.log_demo import LogChapter
from simulator.person_demo import PersonChapter
from simulator.provision_demo import ProvisionChapter
from simulator.quality_demo import QualityChapter
from simulator.reconciliation_demo import ReconciliationChapter
from simulator.world import World

FIRST_DAY = date(2026, 3, 25)
"""In the weeks when Japan moves house."""
SEED = 20260325
PLAIN_WIDTH = 120
"""Columns where the output is not a terminal."""
FAULTS_BY_DAY: tuple[tuple[Fault, ...], ...] = (
    (Fault.BAD_VALUES, Fault.GAP),
    (Fault.TAMPERED, Fault.EXTRA_COLUMN, Fault.DUPLICATE, Fault.LATE),
    (Fault.WRONG_SENDER, Fault.EXPIRED_CERTIFICATE, Fault.REPLAYED, Fault.WRONG_OUTBOX),
    (Fault.TRUNCATED, Fault.WRONG_DIGEST, Fault.RESEALED),
    (),
)
_FAULT_NAMES = {
    Fault.BAD_VALUES: "誤った値の通知", Fault.GAP: "連番の抜け", Fault.TAMPERED: "改変",
    Fault.EXTRA_COLUMN: "法定外の列（続柄）", Fault.DUPLICATE: "同じものの再送", Fault.LATE: "遅れて到着",
    Fault.WRONG_SENDER: "他の市町村の署名", Fault.EXPIRED_CERTIFICATE: "期限切れの証明書",
    Fault.REPLAYED: "古いパッケージの再送", Fault.WRONG_OUTBOX: "他の市町村のパッケージの混入",
    Fault.TRUNCATED: "途中で切れたファイル", Fault.WRONG_DIGEST: "ハッシュの不一致",
    Fault.RESEALED: "封緘し直した再送",
}  # fmt: skip
_COMPARED = {"standing": "記載中の者", "erased": "消除済みの者", "versions": "履歴の版と保存期限"}


@dataclass(slots=True)
class Chapter:
    """What `demo-summary.json` says of the intake."""

    ok: bool = False
    people: int = 0
    days: int = 0
    notices: int = 0
    packages: dict[str, int] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    gaps_seen: int = 0
    compared: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    journal_entries: dict[str, int] = field(default_factory=dict)
    rejected_as_spoilt: bool = False
    every_fault_seen: bool = False
    rerun_changes_nothing: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    peak_memory_mb: int = 0


@dataclass(slots=True)
class Story:
    """All chapters of `demo-summary.json`, under the names they have there."""

    intake: Chapter
    provision: ProvisionChapter = field(default_factory=ProvisionChapter)
    jlis: JlisChapter = field(default_factory=JlisChapter)
    reconciliation: ReconciliationChapter = field(default_factory=ReconciliationChapter)
    quality: QualityChapter = field(default_factory=QualityChapter)
    person: PersonChapter = field(default_factory=PersonChapter)
    operation_log: LogChapter = field(default_factory=LogChapter)
    scanner: dict[str, object] = field(default_factory=dict)
    """Whether what came in was scanned for viruses; no chapter, for it is neither right nor wrong."""
    copying: CopyChapter = field(default_factory=CopyChapter)

    @property
    def is_ok(self) -> bool:
        """Tell whether every chapter is."""
        chapters = (
            self.intake, self.provision, self.jlis, self.reconciliation, self.quality, self.operation_log,
            self.copying, self.person,
        )  # fmt: skip
        return all(one.ok for one in chapters)


def main(console: Console | None = None) -> int:
    """Run the demo with PEOPLE people in JUKI_HOME."""
    close_to_others()
    home = home_of()
    console = console or Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    people = int(os.environ.get("PEOPLE") or 20_000)
    story = Story(Chapter(people=people))
    try:
        _run(home, console, story)
    except NotAnExerciseError:
        console.print(
            f"{home.root} は演習で作ったものではないため、何もしませんでした。JUKI_HOME を変えてください。"
        )
        return 2
    home.demo_summary.write_text(json.dumps(asdict(story), ensure_ascii=False, indent=2) + "\n")
    _closing(console, home, story.intake, is_ok=story.is_ok)
    return 0 if story.is_ok else 1


def _run(home: Home, console: Console, story: Story) -> None:
    chapter = story.intake
    with _timed(console, chapter, "world", f"山口県の住民 {chapter.people:,} 人と附票を作る"):
        world = World.create(chapter.people, SEED, FIRST_DAY, is_spiced=True, pace=_pace(chapter.people))
    with exercise(home, world) as now:
        environment.prepare(home, load_settings(home))
        story.scanner = _scanning(console, home)
        intake = intake_of(home)
        with _timed(console, chapter, "load", "初期の一括通知を19市町から受け入れる"):
            chapter.notices += now.load(FIRST_DAY, intake)
        _live(now, console, chapter, intake)
        with _timed(console, chapter, "compare", "市町村側の真の状態と一人ずつ突き合わせる"):
            compared = {file: compare(home, now.truth, file) for file in IdentityFile}
        before = findings_of(home)
        intake()
        chapter.rerun_changes_nothing = findings_of(home) == before
        _go_on(now, console, story)
        _conclude(console, chapter, now, home, compared, before)
        _keep(now, chapter.people)


def _keep(now: Exercise, people: int) -> None:
    """Keep what the offices need to go on living beside `make up`."""
    lived = (FIRST_DAY + timedelta(days=number) for number in range(1, now.world.days_lived + 1))
    days, numbers = tuple(day.isoformat() for day in lived), numbers_of(now.offices)
    keep(now.home, Kept(people, SEED, FIRST_DAY.isoformat(), _pace(people), days, now.port, numbers))


def _scanning(console: Console, home: Home) -> dict[str, object]:
    """Say whether files are scanned; patterns are of this machine's days, not of the days the demo lives through."""
    standing = scanner_standing(load_settings(home), datetime.now(UTC))
    for line in standing_lines(standing):
        console.print(f"● {line}" if line.startswith("ウ") else line, markup=False)
    return described_standing(standing)


def _go_on(now: Exercise, console: Console, story: Story) -> None:
    """Give what the law gives, tell J-LIS, reconcile, and tell J-LIS of the repairs."""
    with _timed(
        console, story.intake, "provide", "提供・移転: 要求に答え、個人番号を一時保存し、期限に消去する"
    ):
        provision_demo.run(now, story.provision)
        provision_demo.tell(console, story.provision)
    with _timed(console, story.intake, "forward", "機構（J-LIS）への通知: これまでの更新をすべて順に伝える"):
        jlis = jlis_demo.begin(now, story.jlis)
    with _timed(console, story.intake, "quality", "品質検査: 表全体に破損を植え、見つけ、元に戻す"):
        quality_demo.begin(now.home, story.quality)
    with _timed(console, story.intake, "reconcile", "整合処理: 破損を植え、市町村の現況と照合し、修復する"):
        reconciliation_demo.run(now, story.reconciliation)
        reconciliation_demo.tell(console, story.reconciliation)
    with _timed(console, story.intake, "jlis", "機構（J-LIS）の台帳と突き合わせる"):
        jlis_demo.run(now, jlis, story.jlis)
        jlis_demo.tell(console, story.jlis)
    with _timed(console, story.intake, "quality_after", "品質検査: 整合処理の後に、もう一度"):
        quality_demo.run(now.home, story.quality)
        quality_demo.tell(console, story.quality)
    with _timed(
        console, story.intake, "person", "一人を探して見る、本人に開示する（誰に提供し誰が見たかとともに）"
    ):
        person_demo.run(now.home, story.person)
        person_demo.tell(console, story.person)
    with _timed(console, story.intake, "log", "操作ログ: 一件を書き換え、検証で名指しし、元に戻す"):
        log_demo.run(now.home, story.operation_log)
        log_demo.tell(console, story.operation_log)
    with _timed(console, story.intake, "copy", "写し: 受入担当は拒まれ、管理者二人が封緘した写しを取る"):
        copy_demo.run(now.home, story.copying)
        copy_demo.tell(console, story.copying)


def _live(now: Exercise, console: Console, chapter: Chapter, intake: Callable[[], None]) -> None:
    with _timed(console, chapter, "days", f"異動のある{len(FAULTS_BY_DAY)}日間（障害を交えて）"):
        for number, faults in enumerate(FAULTS_BY_DAY, start=1):
            day = FIRST_DAY + timedelta(days=number)
            # What is spoilt stays so over the next day, or nobody would see anything wait.
            count = now.live(day, intake, faults, heal=number % 2 == 1)
            chapter.gaps_seen += open_gaps(now.home)
            chapter.notices += count
            console.print(f"  {day:%m月%d日} 通知 {count:,} 件、障害 {len(faults)} 件")
        now.settle(FIRST_DAY + timedelta(days=len(FAULTS_BY_DAY) + 1), intake)
        chapter.days = len(FAULTS_BY_DAY) + 1


def intake_of(home: Home) -> Callable[[], None]:
    """Run the real flow; failed channels are part of the show and are seen in the stores."""
    from flows.intake import intake as flow

    def run() -> None:
        state = flow(return_state=True)
        failure = state.result(raise_on_failure=False) if state.is_failed() else None
        if failure is not None and getattr(failure, "code", None) is not Code.RUN_CHANNELS_FAILED:
            raise RuntimeError(str(failure)) from None

    return run


def _conclude(
    console: Console, chapter: Chapter, now: Exercise, home: Home,
    compared: dict[IdentityFile, list[Compared]], found: Findings,
) -> None:  # fmt: skip
    # A gap is a condition, not an event: it was counted on the days it was open.
    found.codes[Code.CHANNEL_GAP.value] = chapter.gaps_seen
    chapter.packages, chapter.records, chapter.codes = found.packages, found.records, found.codes
    chapter.journal_entries = journal_sizes(home)
    chapter.rejected_as_spoilt = now.rejected() == now.spoilt and bool(now.spoilt)
    chapter.compared = {
        file.value: {one.what: _counts(one) for one in results} for file, results in compared.items()
    }
    chapter.peak_memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    is_equal = all(one.is_equal for results in compared.values() for one in results)
    expected = {EXPECTED[fault].code for _, _, fault in now.befallen}
    chapter.every_fault_seen = all(found.codes.get(code.value, 0) for code in expected if code)
    chapter.ok = (
        is_equal and chapter.rejected_as_spoilt and chapter.every_fault_seen and chapter.rerun_changes_nothing
    )
    console.print(_fault_table(now, found))
    console.print(_code_table(found))
    console.print(_comparison_table(compared))


def _counts(one: Compared) -> dict[str, int]:
    return {"compared": one.compared, "only_in_store": one.only_in_store, "only_in_truth": one.only_in_truth}


def _fault_table(now: Exercise, found: Findings) -> Table:
    table = _table("起こした障害と、見えたコード", "日", "市町村", "ファイル", "障害", "コード", "見えた件数")
    for day, channel, fault in now.befallen:
        code = EXPECTED[fault].code
        seen = f"{found.codes.get(code.value, 0):,}" if code else "下の表"
        table.add_row(
            f"{day:%m/%d}", municipality_name(channel.municipality_code), channel.file.japanese,
            _FAULT_NAMES[fault], code.value if code else "", seen,
        )  # fmt: skip
    return table


def _code_table(found: Findings) -> Table:
    table = _table("拒否・注意の理由", "コード", "件数", "重さ", "理由")
    for code, count, severity, message in found.explained():
        table.add_row(code, f"{count:,}", severity, message)
    return table


def _comparison_table(compared: dict[IdentityFile, list[Compared]]) -> Table:
    table = _table("保存した内容と真の状態の突合", "ファイル", "対象", "件数", "結果")
    for file, results in compared.items():
        for one in results:
            told = (
                "一致" if one.is_equal else f"不一致 保存のみ {one.only_in_store}・真のみ {one.only_in_truth}"
            )
            table.add_row(file.japanese, _COMPARED[one.what], f"{one.compared:,}", told)
    return table


def _table(title: str, *columns: str) -> Table:
    # No box: its characters are one or two cells wide as the terminal pleases.
    table = Table(title=f"\n{title}", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(
            column, justify="right" if column in ("件数", "見えた件数") else "left", overflow="fold"
        )
    return table


def _closing(console: Console, home: Home, chapter: Chapter, *, is_ok: bool) -> None:
    counts = {"accepted": "受理", "alerted": "受理（注意）", "rejected": "拒否", "repeated": "再送"}
    said = "、".join(f"{japanese} {chapter.records.get(name, 0):,}" for name, japanese in counts.items())
    entries = sum(chapter.journal_entries.values())
    console.print(
        f"通知 {chapter.records.get('records', 0):,} 件: {said}。操作ログ {entries:,} 件の連鎖を検証しました。"
    )
    console.print(
        "もう一度受け入れても何も変わりませんでした。"
        if chapter.rerun_changes_nothing
        else "再実行で変化がありました。"
    )
    verdict = "すべて一致しました" if is_ok else "一致しないものがあります"
    console.print(f"結果: {verdict}（最大メモリ {chapter.peak_memory_mb:,} MB）")
    shown = os.path.relpath(home.root) if home.root.is_relative_to(Path.cwd()) else home.root
    console.print(
        f"見るところ: {shown}/demo-summary.json ・ .venv/bin/juki status ・ .venv/bin/juki package list"
    )
    console.print("終わりにするには: .venv/bin/juki stop（消すには make clean-demo）")


def _pace(people: int) -> float:
    """Let a small town live faster, so that a few days show something."""
    return max(1.0, 100_000 / people)


@contextmanager
def _timed(console: Console, chapter: Chapter, name: str, title: str) -> Iterator[None]:
    console.print(f"● {title}")
    start = time.perf_counter()
    yield
    chapter.seconds[name] = round(time.perf_counter() - start, 1)
    console.print(f"  {chapter.seconds[name]:.1f} 秒")


if __name__ == "__main__":
    sys.exit(main())
