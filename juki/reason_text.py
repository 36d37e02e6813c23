"""The reason (理由) a person gives for an act, as it goes into the operation log.

Decides:    what a reason may look like.
Invariants: one line, no control characters, and nothing that could be a number of a person: the log is for ever.
Source:     assessment M8.
"""

from __future__ import annotations

import re
import unicodedata

from juki.errors import ConfigurationError
from juki.reasons import Code

_REASON_CHARACTERS = 200
_NOT_IN_A_LINE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LIKE_AN_IDENTIFIER = re.compile(r"\d([\s\-‐-―－ー・.]?\d){10}")
"""Eleven digits or more, of any script and however grouped: a number of a person has no place in the log."""


def holds_identifier(text: str) -> bool:
    """Tell whether a text holds what could be a number of a person."""
    return _LIKE_AN_IDENTIFIER.search(text) is not None


def checked_reason(reason: str, option: str = "--reason") -> str:
    """Return the reason as it goes into the operation log; `option` is where it was given.

    Raises: ConfigurationError(REASON_TEXT_FORM) when it is empty, too long, not one line, or holds what looks
            like a number of a person.
    """
    text = reason.strip()
    is_one_line = all(unicodedata.category(character) not in _NOT_IN_A_LINE for character in text)
    if not 1 <= len(text) <= _REASON_CHARACTERS or not is_one_line or holds_identifier(text):
        raise ConfigurationError(Code.REASON_TEXT_FORM, option)
    return text
