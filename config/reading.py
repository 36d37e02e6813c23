"""Reading configuration files: what is wrong is named by its key, never by its value.

Decides:    how mistakes in TOML files and environment variables are reported.
Invariants: no exception of tomllib or pydantic leaves here: both quote what they read.
"""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from juki.errors import ConfigurationError
from juki.reasons import Code

T = TypeVar("T")


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; empty when there is none.

    Raises: ConfigurationError(CONFIG_INVALID) naming the file when it can not be read as TOML.
    """
    return parse_toml(read_text(path), path.name)


def read_text(path: Path) -> str:
    """Read the text of a TOML file; empty when there is none.

    Raises: ConfigurationError(CONFIG_INVALID) naming the file when it can not be read.
    """
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError):
        pass
    # Outside the except block: the error quotes the bytes, and would be carried along as context.
    raise ConfigurationError(Code.CONFIG_INVALID, path.name)


def parse_toml(text: str, name: str) -> dict[str, Any]:
    """Parse the text of a TOML file of this name.

    Raises: ConfigurationError(CONFIG_INVALID) naming the file when it is no TOML.
    """
    with contextlib.suppress(ValueError):
        return tomllib.loads(text)
    # The parser's error quotes the line.
    raise ConfigurationError(Code.CONFIG_INVALID, name)


def validated(build: Callable[[], T], where: str) -> T:
    """Build a model, turning what pydantic refuses into one error that names every key at fault.

    Raises: ConfigurationError(CONFIG_UNKNOWN | CONFIG_MISSING | CONFIG_INVALID), the first that applies.
    """
    try:
        return build()
    except ValidationError as error:
        keys: dict[Code, list[str]] = {}
        for fault in error.errors(include_input=False, include_context=False, include_url=False):
            keys.setdefault(_code_of(fault["type"]), []).append(_key_of(fault["loc"]))
    code = min(keys, key=_ORDER.index)
    raise ConfigurationError(code, f"{where}: {', '.join(dict.fromkeys(keys[code]))}")


_ORDER = (Code.CONFIG_UNKNOWN, Code.CONFIG_MISSING, Code.CONFIG_INVALID)


def _code_of(fault: str) -> Code:
    if fault == "extra_forbidden":
        return Code.CONFIG_UNKNOWN
    return Code.CONFIG_MISSING if fault == "missing" else Code.CONFIG_INVALID


def _key_of(location: tuple[int | str, ...]) -> str:
    """Write a place in a file as `municipality[3].host`, counted from 1 as people do."""
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
