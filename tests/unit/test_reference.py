"""Every code is documented, and the committed page is the current one."""

from __future__ import annotations

from pathlib import Path

from juki.reasons import Code
from juki.reference import codes_page

_PAGE = Path(__file__).parents[2] / "docs" / "codes.md"


def test_committed_page_of_codes_is_current() -> None:
    """Run `python -m juki.reference > docs/codes.md` after changing a code."""
    assert _PAGE.read_text(encoding="utf-8") == codes_page()


def test_every_code_is_on_the_page_once_with_its_sentence() -> None:
    """A code without sentence or source would tell the reader nothing."""
    page = codes_page()
    for code in Code:
        assert page.count(f"| `{code.value}` |") == 1
        assert code.message.endswith("。") and code.source
