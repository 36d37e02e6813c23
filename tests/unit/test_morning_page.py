"""The morning page says first whether all is well, then everything that is not, with its code and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from markdown_it import MarkdownIt

from juki.cli.reasons_shown import concern_lines
from juki.columns import IdentityFile
from juki.health import ChannelFacts, ChannelHealth, Confirmation, Limits, OpenPackage, judge
from juki.jlis import JlisCondition, JlisFacts
from juki.log_health import LogFacts
from juki.order import Channel
from juki.overview.alarm import Alarm
from juki.overview.concerns import concerns_of
from juki.overview.confirmed import TITLE
from juki.overview.custody import HoldFacts
from juki.overview.jlis import JlisHealth
from juki.overview.page import _CHANNELS, page_of, page_unseen, plain
from juki.overview.site import SiteFacts
from juki.overview.situation import Situation
from juki.package_id import PackageId
from juki.reasons import Code
from juki.scanning import ScannerState, Standing
from juki.site import SiteState

NOW = datetime(2026, 11, 29, 22, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMITS = Limits(24 * HOUR, 24 * HOUR, 200 * HOUR)
RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
NAMES = {"352039": "山口市", "352012": "下関市"}
FACTS = [
    ChannelFacts(Channel(code, file), last_sequence=4, last_attempt_at=NOW, last_contact_at=NOW)
    for code, file in product(NAMES, IdentityFile)
]
WELL = Situation(
    at=NOW,
    name=NAMES.__getitem__,
    channels=[judge(one, LIMITS, NOW) for one in FACTS],
    alarms=[],
    jlis=[JlisHealth(JlisFacts(file, last_update_no=1_200), []) for file in IdentityFile],
    logs=[LogFacts(file, 42, 42, NOW, None) for file in IdentityFile],
    holds=[HoldFacts(RESIDENT), HoldFacts(FUHYO, 3, 17, NOW + HOUR)],
    scanning=Standing(ScannerState.FRESH, patterns_at=NOW),
    site=SiteFacts(SiteState.UP, "http://127.0.0.1:4200", NOW, restarts=1),
    quality=None,
)  # fmt: skip
ALARMS = (
    Code.HOLD_OVERDUE, Code.HOLD_DELIVERY_LEFT, Code.CLOCK_BEHIND, Code.CLOCK_AHEAD, Code.MEDIUM_OVERDUE,
    Code.PROVISION_UNDELIVERED, Code.PROVISION_REFUSED_RECENTLY, Code.PROVISION_TRIED_OFTEN,
    Code.RECIPIENT_QUARANTINE_FULL, Code.RECIPIENT_QUARANTINE_FILLING, Code.INFECTION_OPEN, Code.QUALITY_STALE,
    Code.QUALITY_REFERENCE, Code.SITE_BROKEN, Code.SITE_SILENT, Code.NOTIFICATION_UNDELIVERED,
    Code.DISCLOSURE_OVERDUE, Code.DISCLOSURE_DUE_SOON, Code.CORRECTION_UNANSWERED, Code.REVIEW_UNACKNOWLEDGED,
)  # fmt: skip
OPEN = OpenPackage(PackageId(RESIDENT, 7), Code.PACKAGE_SIGNATURE)
LONG_AGO = NOW - 300 * HOUR
CHANNELS: dict[Code, dict[str, object]] = {
    Code.CHANNEL_STOPPED: {"conflicts": (OPEN,)},
    Code.CHANNEL_REFUSED_OPEN: {"refused": (OPEN,)},
    Code.CHANNEL_UNREGISTERED: {"is_registered": False},
    Code.CHANNEL_UNREACHABLE: {"last_failure": Code.CHANNEL_UNREACHABLE},
    Code.CHANNEL_NEVER_CONTACTED: {"last_contact_at": None},
    Code.CHANNEL_SILENT: {"last_contact_at": LONG_AGO},
    Code.CHANNEL_WAITING: {"waiting": 2, "first_waiting": 5, "oldest_waiting_at": NOW},
    Code.CHANNEL_GAP: {"waiting": 2, "first_waiting": 6, "gap_since": NOW},
    Code.CHANNEL_GAP_OVERDUE: {"waiting": 2, "first_waiting": 6, "gap_since": LONG_AGO},
    Code.CHANNEL_RECORDS_REJECTED: {"rejected_records": 3},
    Code.CHANNEL_RECEIPT_DUE: {"receipts_due": 1},
    Code.CHANNEL_UNKNOWN_FILES: {"unknown_files": 2},
    Code.CHANNEL_DIFFERENCES_OPEN: {"confirmation": Confirmation(open_differences=9)},
    Code.CHANNEL_CONFIRMED_LONG_AGO: {"confirmation": Confirmation(LONG_AGO, LONG_AGO)},
    Code.CHANNEL_NEVER_CONFIRMED: {"confirmation": Confirmation(LONG_AGO)},
    Code.RECONCILIATION_BEYOND_BOUND: {"confirmation": Confirmation(last_code=Code.RECONCILIATION_BEYOND_BOUND)},
}  # fmt: skip
JLIS = (
    Code.JLIS_UNREGISTERED, Code.JLIS_WAITING, Code.JLIS_UNDELIVERED, Code.JLIS_UNANSWERED, Code.JLIS_REFUSED,
    Code.JLIS_MESSAGE_REFUSED, Code.JLIS_UPDATE_LOST, Code.JLIS_NUMBER_UNOPENED, Code.JLIS_REPORTED,
)  # fmt: skip
LOGS = (Code.JOURNAL_CHECKPOINT_STALE, Code.JOURNAL_BROKEN)


STALE = Standing(ScannerState.STOPPED, Code.SCANNER_PATTERNS_OLD, NOW)


def _channels(**facts: object) -> list[ChannelHealth]:
    return [judge(replace(FACTS[0], **facts), LIMITS, NOW), *WELL.channels[1:]]  # type: ignore[arg-type]


TROUBLED: list[tuple[Code, str, Situation]] = [
    *((code, "対象: R3（", replace(WELL, alarms=[Alarm(code, ("R3",), NOW)])) for code in ALARMS),
    *(
        (code, "対象: 山口市 本人", replace(WELL, channels=_channels(**facts)))
        for code, facts in CHANNELS.items()
    ),
    *(
        (
            code, "対象: 本人（5件、2026-11-30 07:30 から）",
            replace(WELL, jlis=[JlisHealth(WELL.jlis[0].facts, [JlisCondition(code, 5, NOW)]), WELL.jlis[1]]),
        )
        for code in JLIS
    ),
    *(
        (code, "対象: resident 43", replace(WELL, logs=[replace(WELL.logs[0], alarms=((code, "resident 43"),))]))
        for code in LOGS
    ),
    (Code.SCANNER_PATTERNS_OLD, "対象: パターン ", replace(WELL, scanning=STALE)),
]  # fmt: skip


def test_all_well_is_said_first_and_every_channel_is_there() -> None:
    """The verdict under the day and hour in Japan, nothing under it that needs somebody, then the tables."""
    page = page_of(WELL)
    heading, _, verdict, summary, *_ = page.splitlines()
    assert heading == "# 朝の一覧 2026-11-30（月）07:30 現在"
    assert verdict == "**すべて正常です。**"
    assert summary == "市町村×ファイル 4 件: 正常 4"
    assert "確認の要ること" not in page and not WELL.needs_somebody
    row = "| 山口市 | 本人 | 正常 | 4 | 0 | 0 | 0 | 11-30 07:30 | - | 0 |"
    assert row in page and page.count("| 正常 |") == 4
    assert "| 附票本人確認情報 | 3 | 17 | 2026-11-30 08:30 | 0 | 0 |" in page
    assert "| 本人確認情報 | 42 | 42 | 2026-11-30 07:30 | 0 | 一致 |" in page
    assert "ウイルス検査: しています（パターン 2026-11-30 07:30）" in page
    assert "予定（Prefect）: 動いています（2026-11-30 07:30 から、再起動 1 回）" in page


def test_last_confirmed_equal_is_told_in_full_of_every_channel() -> None:
    """Since when, by which notice, how many, and a digest to compare over the telephone; a dash where never."""
    confirmed = Confirmation(LONG_AGO, NOW - HOUR, 4_321, 65_000, bytes(range(0xA0, 0xC0)).hex())
    page = page_of(replace(WELL, channels=_channels(confirmation=confirmed)))
    table = page.split(f"\n## {TITLE}\n")[1].strip().splitlines()
    assert table[2] == "| 山口市 | 本人 | 2026-11-30 06:30 | 4,321 | 65,000 | a0a1a2a3a4a5a6a7 |"
    assert table[3:6] == [
        f"| {place} | - | - | - | - |" for place in ("山口市 | 附票", "下関市 | 本人", "下関市 | 附票")
    ]


@pytest.mark.parametrize("code", [Code.STORE_UNREACHABLE, Code.CONFIG_INVALID, Code.RUN_UNEXPECTED])
def test_page_of_a_look_that_failed_says_so_first_and_nothing_is_well(code: Code) -> None:
    """With its hour, the code, what it means and what to do."""
    page = page_unseen(NOW, code)
    heading, _, verdict, *_ = page.splitlines()
    assert heading == page_of(WELL).splitlines()[0] and verdict.startswith("**確認できませんでした。**")
    assert f"`{code.value}`" in page and code.message in page and code.next_step in page
    assert "正常" not in page


@pytest.mark.parametrize(
    ("code", "place", "situation"), TROUBLED, ids=[code.value for code, _, _ in TROUBLED]
)
def test_what_needs_somebody_stands_with_code_meaning_place_and_next_step(
    code: Code, place: str, situation: Situation
) -> None:
    """Counted in the verdict, in full under it; the terminal has the same."""
    page = page_of(situation)
    assert page.splitlines()[2] == "**確認の要ることが 1 件あります。**"
    assert situation.needs_somebody
    attention = page.split("\n## ")[1]
    assert attention.startswith("確認の要ること") and place in attention
    assert code.message in attention and f"`{code.value}`" in attention
    assert code.next_step and f"次にすること: {code.next_step}" in attention
    (said,) = (concern_lines(one) for one in concerns_of(situation))
    assert f"[{code.value}] {code.message}" in said[0] and f"  → {code.next_step}" in said


def test_every_reason_is_one_point_with_all_its_places() -> None:
    """Thirty-eight channels of one cause are one thing to do; a package's own code stands below."""
    refused = [judge(replace(one, refused=(OPEN,)), LIMITS, NOW) for one in FACTS]
    page = page_of(replace(WELL, channels=refused, alarms=[Alarm(Code.SITE_SILENT)]))
    assert "**確認の要ることが 2 件あります。**" in page
    assert page.count("\n### ") == 2
    assert "山口市 本人（R7 package.signature）".replace("_", r"\_") in page and "下関市 附票（R7" in page
    assert f"もとのコード: `{OPEN.code.value}` {OPEN.code.message}" in page
    assert page.count("| **拒否あり** |") == 4


def test_installation_without_municipalities_says_what_to_do() -> None:
    """Before anything is registered nothing is normal."""
    page = page_of(replace(WELL, channels=[]))
    assert "**市町村が登録されていません。** 次にすること: municipalities.toml" in page
    assert "すべて正常" not in page


def test_names_that_senders_chose_and_words_somebody_typed_are_not_on_a_page_that_prefect_keeps() -> None:
    """Who named a file after a person has not put him on the page; the terminal shows the file."""
    alarms = [
        Alarm(Code.INFECTION_OPEN, ("鶸野　囀子.p7m",), NOW, ("352039 1 件",)),
        Alarm(Code.MEDIUM_OVERDUE, ("R1 鶸野さんの USB",), NOW, ("R1",)),
    ]
    situation = replace(WELL, alarms=alarms)
    page = page_of(situation)
    assert "鶸野" not in page
    assert "対象: 352039 1 件（" in page and "対象: R1（" in page
    assert "鶸野　囀子.p7m" in "".join(line for one in concerns_of(situation) for line in concern_lines(one))


@pytest.mark.parametrize(
    "words", ["|", "山口\n# 市", "<b>", "[x](http://a)", "`x`", "**x**", "a\\|b", "~~x~~"]
)
def test_name_can_neither_end_a_cell_nor_be_markup(words: str) -> None:
    """A registered name is an editor's; a broken table would hide the rows behind it."""
    page = page_of(replace(WELL, name=lambda _: words))
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(page)
    cells = [one for one, before in zip(tokens[1:], tokens, strict=False) if before.type == "td_open"]
    shown = [cells[row * len(_CHANNELS)] for row in range(len(WELL.channels))]
    assert [cells[row * len(_CHANNELS) + 1].content for row in range(4)] == ["本人", "附票"] * 2
    for one in shown:
        assert [(child.type, child.content) for child in one.children or ()] == [
            ("text", " ".join(words.split()))
        ]
    assert [one.tag for one in tokens if one.type == "heading_open"] == ["h1", *["h2"] * 6]


def test_no_code_has_words_that_markdown_would_change() -> None:
    """Sentences and next steps stand on the page as they are: a `<file>` in one of them would be gone."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for code in Code:
        for words in filter(None, (code.message, code.next_step)):
            (inline,) = parser.parseInline(words)
            assert [(one.type, one.content) for one in inline.children or ()] == [("text", words)], code.value


def test_plain_words_stay_as_they_are() -> None:
    """Japanese names have no marks of Markdown in them."""
    assert plain("山陽小野田市 本人（5件）") == "山陽小野田市 本人（5件）"


def test_many_places_are_cut_and_counted() -> None:
    """A page of ten thousand numbers would be read by nobody."""
    numbers: Sequence[str] = [f"R{number}" for number in range(1, 1_001)]
    page = page_of(replace(WELL, alarms=[Alarm(Code.PROVISION_UNDELIVERED, tuple(numbers))]))
    assert "R40、ほか 960 件" in page and "R41" not in page
