"""Checks that the declarations of the tables share."""

from __future__ import annotations

from enum import StrEnum


def one_of(column: str, values: type[StrEnum]) -> str:
    """Write the check that a column holds one of the words of an enumeration."""
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"
