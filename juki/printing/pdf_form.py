"""A document as PDF on A4: ruled tables, page numbers, a place for the stamp, its font embedded.

Decides:    sizes, margins and where things stand.
Leaves:     what can not be printed to `juki.printing.font`.
Invariants: the text can be taken out of the file again; the file says nothing of a person beside its pages, and
            loads nothing.
"""

from __future__ import annotations

from datetime import datetime

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace

from juki.printing.font import PrintingFont
from juki.printing.paper import Grid, Paper

_MARGIN_MM, _LINE_MM, _SEAL_MM = 20, 6, 24
_TEXT_PT, _TITLE_PT, _HEAD_PT, _FOOT_PT = 10, 16, 11, 9
_FAMILY = "paper"
_GREY = 235


class _Page(FPDF):
    """The page with its number at the foot."""

    reference = ""

    def footer(self) -> None:
        """Write which page of how many it is."""
        self.set_y(-15)
        self.set_font(_FAMILY, size=_FOOT_PT)
        self.cell(0, _LINE_MM, f"{self.page_no()} / {{nb}}", align="C")


def pdf_of(paper: Paper, font: PrintingFont, made_at: datetime) -> bytes:
    """Write a document as PDF.

    Raises: JukiError(DISCLOSURE_CHARACTER).
    """
    font.check(paper)
    with font.part_for(paper) as path:
        page = _Page(format="A4")
        page.set_margins(_MARGIN_MM, _MARGIN_MM)
        page.set_auto_page_break(True, margin=_MARGIN_MM)
        page.set_creation_date(made_at)
        page.set_title(paper.title)
        page.set_lang("ja")
        page.add_font(_FAMILY, "", path)
        page.set_text_shaping(True)
        page.set_font(_FAMILY, size=_TEXT_PT)
        page.add_page()
        _head(page, paper)
        for line in paper.lines:
            _line(page, line)
        for grid in paper.grids:
            _grid(page, grid)
        page.ln(_LINE_MM / 2)
        for note in paper.notes:
            _line(page, note)
        return bytes(page.output())


def _head(page: FPDF, paper: Paper) -> None:
    for text in (paper.reference, paper.issued):
        page.cell(0, _LINE_MM, text, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.ln(_LINE_MM)
    page.set_font(_FAMILY, size=_TITLE_PT)
    page.cell(0, 2 * _LINE_MM, paper.title, align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.set_font(_FAMILY, size=_TEXT_PT)
    page.ln(_LINE_MM / 2)
    top, right = page.get_y(), page.w - _MARGIN_MM
    page.set_dash_pattern(dash=1, gap=1)
    page.rect(right - _SEAL_MM, top, _SEAL_MM, _SEAL_MM)
    page.set_dash_pattern()
    page.set_xy(right - _SEAL_MM, top + _SEAL_MM / 2 - _LINE_MM / 2)
    page.cell(_SEAL_MM, _LINE_MM, "公印", align="C")
    page.set_xy(_MARGIN_MM, top + _SEAL_MM / 2 - _LINE_MM / 2)
    page.cell(right - _SEAL_MM - 4 - _MARGIN_MM, _LINE_MM, paper.issuer, align="R")
    page.set_xy(_MARGIN_MM, top + _SEAL_MM + _LINE_MM)


def _line(page: FPDF, text: str) -> None:
    page.multi_cell(0, _LINE_MM, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _grid(page: FPDF, grid: Grid) -> None:
    page.ln(_LINE_MM / 2)
    # A title stands with at least the first rows of its table.
    if page.will_page_break(5 * _LINE_MM):
        page.add_page()
    page.set_font(_FAMILY, size=_HEAD_PT)
    page.cell(0, 1.2 * _LINE_MM, grid.title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.set_font(_FAMILY, size=_TEXT_PT)
    rows = ([grid.headings] if grid.headings else []) + list(grid.rows)
    with page.table(
        col_widths=tuple(grid.widths), first_row_as_headings=bool(grid.headings), line_height=_LINE_MM,
        text_align="LEFT", padding=1, wrapmode="CHAR", headings_style=FontFace(fill_color=_GREY, emphasis=""),
    ) as table:  # fmt: skip
        for row in rows:
            table.row(list(row))
