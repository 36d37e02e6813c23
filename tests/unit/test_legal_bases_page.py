"""The page of legal bases says what the table says."""

from __future__ import annotations

from pathlib import Path

from config.bases import load_bases
from config.legal_bases.reference import bases_page
from juki.home import Home

_PAGE = Path(__file__).parents[2] / "docs" / "legal-bases.md"


def test_committed_page_of_legal_bases_is_current() -> None:
    """Run `python -m config.legal_bases.reference > docs/legal-bases.md` after changing a row."""
    assert _PAGE.read_text(encoding="utf-8") == bases_page()


def test_every_basis_is_on_the_page_once_with_all_its_words(home: Home) -> None:
    """Whoever answers for a provision reads the law here, whole."""
    bases = load_bases(home)
    page = bases_page()
    for basis in bases.bases:
        assert page.count(f"| `{basis.code}` |") == 1
        assert basis.work in page and all(one.article in page for one in basis.coverage)
    assert f"`{bases.version}`" in page
