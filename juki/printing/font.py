"""The font of a document: what it can not print is told before anything is printed, and only what is used goes along.

Decides:    which characters a font has, variants (IVS) included; that a character it lacks stops the document.
Leaves:     which font it is to the settings, the page to `juki.printing.pdf_form`.
Invariants: nothing of the text touches the disk: the part of the font that is used is handed on in memory.
Source:     ADR-0037; UTS #37 for variation sequences.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import uharfbuzz as hb

from juki.errors import ConfigurationError, JukiError
from juki.printing.paper import Paper
from juki.reasons import Code

_FIRST_SELECTOR, _LAST_SELECTOR = 0xE0100, 0xE01EF
_STANDARD_SELECTORS = range(0xFE00, 0xFE10)
_ALWAYS = "0123456789/{}nb 公印"
"""What a form adds of its own: page numbers and the place of the stamp."""


@dataclass(frozen=True, slots=True)
class PrintingFont:
    """One font file, opened."""

    face: hb.Face

    @classmethod
    def open(cls, path: Path | None) -> PrintingFont:
        """Open a font; the one that comes with the program where none is named.

        Raises: ConfigurationError(DISCLOSURE_FONT).
        """
        from noto_cjk_sans_jp_regular import FONT_PATH

        try:
            face = hb.Face(hb.Blob(Path(str(path or FONT_PATH)).read_bytes()))
        except (OSError, ValueError, RuntimeError):
            face = None
        if face is None or not face.glyph_count:
            raise ConfigurationError(Code.DISCLOSURE_FONT, path.name if path else "")
        return cls(face)

    def check(self, paper: Paper) -> None:
        """Refuse a document with a character, or a variant of one, that the font lacks.

        Raises: JukiError(DISCLOSURE_CHARACTER) naming the item it stands in, never the character.
        """
        font = hb.Font(self.face)
        for place, text in paper.parts():
            if not all(_has(font, base, selector) for base, selector in _characters(text)):
                raise JukiError(Code.DISCLOSURE_CHARACTER, place)

    @contextmanager
    def part_for(self, paper: Paper) -> Iterator[Path]:
        """Hand on the part of the font a document uses, as a path into memory."""
        wanted = hb.SubsetInput()
        texts = (text for _, text in paper.parts())
        wanted.sets(hb.SubsetInputSets.UNICODE).update(
            {ord(one) for text in (_ALWAYS, *texts) for one in text}
        )
        descriptor = os.memfd_create("font")
        try:
            os.write(descriptor, hb.subset(self.face, wanted).blob.data)
            with tempfile.TemporaryDirectory() as folder:
                # A name with an ending, for the library tells fonts by it.
                path = Path(folder) / "font.otf"
                path.symlink_to(f"/proc/{os.getpid()}/fd/{descriptor}")
                yield path
        finally:
            os.close(descriptor)


def _characters(text: str) -> Iterable[tuple[int, int]]:
    """Pair every character with the selector of a variant that follows it, 0 where none does."""
    codes = list(map(ord, text))
    pairs = zip_longest(codes, codes[1:], fillvalue=0)
    return [(code, after if _selects(after) else 0) for code, after in pairs if not _selects(code)]


def _selects(code: int) -> bool:
    return _FIRST_SELECTOR <= code <= _LAST_SELECTOR or code in _STANDARD_SELECTORS


def _has(font: hb.Font, base: int, selector: int) -> bool:
    if selector:
        return font.get_variation_glyph(base, selector) is not None
    return font.get_nominal_glyph(base) is not None
