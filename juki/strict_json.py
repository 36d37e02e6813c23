"""Reading JSON of others so that no two readers can read two things from it.

Decides:    what is JSON at all: UTF-8, no key twice in an object, no NaN or Infinity; where asked, integers only.
Leaves:     what a document has to say to whoever reads it, and how large it may be.
Source:     spec/packages.md section 1, RFC 8259 section 4.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn


def read_json(content: bytes, *, integers_only: bool = True) -> object:
    """Read a document.

    Raises: ValueError for what is none, also where it is nested too deeply; what was read stands in no message.
    """
    parse_float = _no_number if integers_only else None
    try:
        return json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=parse_float,
            parse_constant=_no_number,
        )
    except (ValueError, RecursionError):
        pass
    raise ValueError("not strict JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError
    return values


def _no_number(_: str) -> NoReturn:
    raise ValueError
