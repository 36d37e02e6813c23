"""A document as one HTML file that needs nothing else: no script, no font, no picture from anywhere.

Invariants: every text is escaped; a policy in the page forbids to load anything.
"""

from __future__ import annotations

from html import escape

from juki.printing.paper import Grid, Paper

_STYLE = """
@page { size: A4; margin: 20mm; @bottom-center { content: counter(page) " / " counter(pages); } }
body { font-family: "IPAmjMincho", "IPAexMincho", "Noto Serif CJK JP", "Noto Sans CJK JP", serif;
       font-size: 10.5pt; max-width: 170mm; margin: 0 auto; }
h1 { font-size: 16pt; text-align: center; letter-spacing: .3em; margin: 8mm 0; }
h2 { font-size: 11pt; margin: 6mm 0 1mm; break-after: avoid; }
.right { text-align: right; margin: 0; } .seal { display: inline-block; width: 24mm; height: 24mm; line-height: 24mm;
       border: .2mm dashed #666; color: #666; text-align: center; margin-left: 4mm; vertical-align: middle; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th, td { border: .2mm solid #000; padding: 1mm 2mm; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { background: #eee; font-weight: normal; } tr { break-inside: avoid; } thead { display: table-header-group; }
"""
_PAGE = """<!DOCTYPE html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<p class="right">{reference}</p>
<p class="right">{issued}</p>
<h1>{title}</h1>
<p class="right">{issuer}<span class="seal">公印</span></p>
{lines}
{grids}
{notes}
</body>
</html>
"""


def html_of(paper: Paper) -> bytes:
    """Write a document as HTML, in UTF-8."""
    page = _PAGE.format(
        style=_STYLE,
        title=escape(paper.title),
        reference=escape(paper.reference),
        issued=escape(paper.issued),
        issuer=escape(paper.issuer),
        lines="\n".join(f"<p>{escape(line)}</p>" for line in paper.lines),
        grids="\n".join(map(_grid, paper.grids)),
        notes="\n".join(f"<p>{escape(note)}</p>" for note in paper.notes),
    )
    return page.encode("utf-8")


def _grid(grid: Grid) -> str:
    whole = sum(grid.widths)
    columns = "".join(f'<col style="width: {100 * width / whole:.1f}%">' for width in grid.widths)
    head = f"<thead><tr>{_cells('th', grid.headings)}</tr></thead>" if grid.headings else ""
    rows = "\n".join(f"<tr>{_cells('td', row)}</tr>" for row in grid.rows)
    table = f"<table><colgroup>{columns}</colgroup>{head}<tbody>\n{rows}\n</tbody></table>"
    return f"<h2>{escape(grid.title)}</h2>\n{table}"


def _cells(tag: str, texts: object) -> str:
    return "".join(f"<{tag}>{escape(str(text))}</{tag}>" for text in texts)  # type: ignore[attr-defined]
