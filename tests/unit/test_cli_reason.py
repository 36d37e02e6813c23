"""The reason of a release goes into the operation log for good: no value of a person may come with it."""

from __future__ import annotations

import pytest

from juki.cli.acting import local_administrator
from juki.errors import ConfigurationError
from juki.reason_text import checked_reason
from juki.reasons import Code


@pytest.mark.parametrize(
    "reason",
    [
        "市町村に確認済み。再送は誤りとのこと",
        "2026-11-23 10:15 に電話で確認（083-933-1234）",
        "全角　空白と記号〓も書ける",
        "あ" * 200,
    ],
)
def test_ordinary_reason_is_kept_as_it_is(reason: str) -> None:
    """Dates, times and the telephone of an office are no numbers of a person."""
    assert checked_reason(f"  {reason} ") == reason


@pytest.mark.parametrize(
    "reason",
    [
        "", "   ", "あ" * 201, "一行目\n二行目", "制御\x07文字", "見えない\u200b文字",
        "番号 123456789018 の件", "1234 5678 9018", "1234-5678-9018", "１２３４５６７８９０１８", "24727059608",
    ],
)  # fmt: skip
def test_reason_that_may_hold_a_number_or_more_than_a_line_is_refused(reason: str) -> None:
    """However the digits are written or grouped; the message does not repeat them."""
    with pytest.raises(ConfigurationError) as refused:
        checked_reason(reason)
    assert refused.value.code is Code.REASON_TEXT_FORM
    assert not reason.strip() or reason not in str(refused.value)


def test_administrator_is_named_by_the_system_not_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """LOGNAME and USER can be set to anything."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert local_administrator().startswith("local-administrator:")
    assert "somebody-else" not in local_administrator()
