"""What a store remembers of its keys, and when keys are refused."""

from __future__ import annotations

import hashlib

import pytest

from juki.columns import IdentityFile
from juki.errors import ConfigurationError
from juki.key_checks import CHECK_BYTES, check_value, compare_keys
from juki.reasons import Code

FILE = IdentityFile.RESIDENT
KEYS = {f"resident-{use}-1": bytes([n]) * 32 for n, use in enumerate(("number", "index"), 1)}
CHECKS = {key_id: check_value(key_id, key) for key_id, key in KEYS.items()}


def _refusal(registered: dict[str, bytes], at_hand: dict[str, bytes]) -> tuple[Code, str]:
    with pytest.raises(ConfigurationError) as caught:
        compare_keys(FILE, registered, at_hand)
    return caught.value.code, caught.value.ref


def test_same_keys_are_accepted() -> None:
    """Nothing is said of keys that fit."""
    compare_keys(FILE, CHECKS, dict(CHECKS))


def test_store_that_knows_no_keys_is_not_worked() -> None:
    """It was not installed to its end: which keys are its own nobody can tell."""
    assert _refusal({}, CHECKS) == (Code.KEY_UNREGISTERED, "resident")


def test_missing_other_and_unknown_key_are_named() -> None:
    """By their ids, each with the code that says what to do."""
    number, index = sorted(CHECKS, reverse=True)
    assert _refusal(CHECKS, {number: CHECKS[number]}) == (Code.KEY_MISSING, index)
    other = CHECKS | {number: check_value(number, b"x" * 32)}
    assert _refusal(CHECKS, other) == (Code.KEY_OTHER, number)
    newer = CHECKS | {"resident-number-2": check_value("resident-number-2", b"y" * 32)}
    assert _refusal(CHECKS, newer) == (Code.KEY_OTHER, "resident-number-2")


def test_keys_that_changed_places_are_noticed() -> None:
    """The value is bound to the id."""
    number, index = KEYS
    swapped = {number: check_value(number, KEYS[index]), index: check_value(index, KEYS[number])}
    assert _refusal(CHECKS, swapped)[0] is Code.KEY_OTHER


def test_nothing_of_a_key_is_in_its_check_value() -> None:
    """It is short, keyed, and neither the key nor a bare hash of it."""
    for key_id, key in KEYS.items():
        value = CHECKS[key_id]
        assert len(value) == CHECK_BYTES
        assert value not in (key[:CHECK_BYTES], hashlib.sha256(key).digest()[:CHECK_BYTES])
