"""The index of the operators' handbook by code, docs/handbook/codes.md, written from its pages.

Decides:    that the place of a code is the row of the one page whose first cell names it.
Use:        python scripts/handbook_index.py > docs/handbook/codes.md
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from juki.reasons import Code

HANDBOOK = Path(__file__).resolve().parents[1] / "docs" / "handbook"
NOT_PAGES = frozenset({"README.md", "codes.md", "morning.md"})
"""The first page, the index, and how the page of every morning is read: none is about a failure."""
_CODE = re.compile(r"`([a-z_]+\.[a-z_]+)`")
_HEAD = """# コードから探す

Generated from the pages by `python scripts/handbook_index.py`; do not edit.

画面・メール・受領書のコードから、すべきことのページを探します。文と根拠は [codes.md](../codes.md) にあります。

| コード | 意味 | ページ |
|---|---|---|
"""


def pages() -> list[Path]:
    """List the pages of the handbook, each about one situation."""
    return sorted(path for path in HANDBOOK.glob("*.md") if path.name not in NOT_PAGES)


def title_of(page: Path) -> str:
    """Read the title of a page."""
    return page.read_text("utf-8").splitlines()[0].removeprefix("# ")


def places() -> Iterator[tuple[str, Path]]:
    """Find every code that has its place on a page, with the page."""
    for page in pages():
        for line in page.read_text("utf-8").splitlines():
            if line.startswith("| `"):
                yield from ((code, page) for code in _CODE.findall(line.split("|")[1]))


def index() -> str:
    """Write the index, in the order of the codes."""
    known, found = {code.value: code for code in Code}, dict(places())
    rows = [
        f"| `{value}` | {known[value].message} | [{title_of(found[value])}]({found[value].name}) |\n"
        for value in sorted(found)
        if value in known
    ]
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    sys.stdout.buffer.write(index().encode("utf-8"))
