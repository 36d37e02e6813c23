"""What is put on paper: escaped, whole, in a font that has every character, over as many pages as it takes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest

from juki.errors import ConfigurationError, JukiError
from juki.printing.font import PrintingFont
from juki.printing.html_form import html_of
from juki.printing.paper import Grid, Paper
from juki.printing.pdf_form import pdf_of
from juki.reasons import Code

MADE = datetime(2026, 11, 30, tzinfo=UTC)
NAMES = ("葛󠄀城　𠮷郎", "髙﨑　㐂久", "辻󠄀　𡈽𩸽", "〓田　ヷ")


@pytest.fixture(scope="module")
def font() -> PrintingFont:
    """The font that comes with the program."""
    return PrintingFont.open(None)


def paper(*rows: tuple[str, ...], title: str = "記録") -> Paper:
    """A document with one table."""
    return Paper(
        "開示書",
        "D1",
        "令和8年11月30日",
        "山口県知事",
        ("次のとおり",),
        [Grid(title, (1, 3), ("項目", "内容"), rows)],
        (),
    )


def pages_of(pdf: bytes) -> list[str]:
    """Take the text of each page out of a PDF."""
    document = pypdfium2.PdfDocument(pdf)
    texts = [page.get_textpage().get_text_range() for page in document]
    document.close()
    return texts


def test_names_beyond_the_usual_characters_come_out_of_the_pdf_as_they_went_in(font: PrintingFont) -> None:
    """Variants (IVS), characters of the second plane, compatibility forms, the mark of a gaiji."""
    (text,) = pages_of(pdf_of(paper(*(("氏名", name) for name in NAMES)), font, MADE))
    for name in NAMES:
        assert name in text


def test_long_tables_go_on_with_their_headings_and_every_page_has_its_number(font: PrintingFont) -> None:
    """A page that is lost is missed."""
    pages = pages_of(pdf_of(paper(*(("氏名", f"第{row}行") for row in range(60))), font, MADE))
    feet = [f"{place} / {len(pages)}" for place in range(1, len(pages) + 1)]
    # The number of all pages is filled in at the end, as a piece of text by itself.
    assert len(feet) > 1
    assert all(text.replace("\r\n", "").endswith(foot) for foot, text in zip(feet, pages, strict=True))
    assert all("項目 内容" in text for text in pages) and "第59行" in pages[-1]


@pytest.mark.parametrize("text", ["\U0001f600", "葛\U000e01ef", "a\u0300b\u0e01", "\ue000"])
def test_what_the_font_lacks_is_refused_with_the_item_and_without_the_character(
    font: PrintingFont, text: str
) -> None:
    """Never a blank, never another form."""
    with pytest.raises(JukiError) as refused:
        pdf_of(paper(("氏名", f"山{text}")), font, MADE)
    assert (refused.value.code, refused.value.ref) == (Code.DISCLOSURE_CHARACTER, "氏名")


def test_markup_in_a_name_is_text_and_the_page_may_load_nothing() -> None:
    """A name is data."""
    page = html_of(paper(("氏名", "<script>alert(1)</script>&\"'"), title="<b>")).decode()
    assert "<script>" not in page and "&lt;script&gt;" in page and "<h2>&lt;b&gt;</h2>" in page
    assert "default-src 'none'" in page and "http://" not in page and "https://" not in page


@pytest.mark.parametrize("content", [None, b"", b"OTTO no font"])
def test_file_that_is_no_font_is_named(tmp_path: Path, content: bytes | None) -> None:
    """Whether it is missing, empty or another."""
    path = tmp_path / "font.otf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        PrintingFont.open(path)
    assert (refused.value.code, refused.value.ref) == (Code.DISCLOSURE_FONT, "font.otf")


def test_nothing_of_the_text_is_left_in_a_temporary_folder(
    font: PrintingFont, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The part of the font in use would tell the characters of a name."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with font.part_for(paper(("氏名", NAMES[0]))) as path:
        assert path.is_symlink() and str(path.readlink()).startswith("/proc/")
    assert not list(tmp_path.rglob("*"))
