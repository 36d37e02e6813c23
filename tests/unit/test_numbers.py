"""Sealing, binding and indexing of 個人番号, and digests of records."""

from __future__ import annotations

import pyarrow as pa
import pytest

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.errors import StoreError
from juki.numbers import (
    SealingKey,
    bound_to,
    key_id_of,
    number_index,
    number_indexes,
    record_digests,
    seal,
    unseal,
)
from juki.reasons import Code

KEY = SealingKey("resident-number-1", bytes(range(32)))
NUMBER = b"123456789018"
RESIDENT = IdentityFile.RESIDENT


def binding(code: bytes = b"A", column: str = "individual_number", file: IdentityFile = RESIDENT) -> bytes:
    """Bind to a person, column and file."""
    return bound_to(file, column, [code], KEY.key_id)[0]


def sealed() -> bytes:
    """Seal the number for A."""
    return seal([NUMBER], [binding()], KEY)[0]


def test_what_was_sealed_opens_with_its_key_and_binding() -> None:
    """The round trip, and the key it names."""
    assert unseal(sealed(), binding(), KEY) == NUMBER
    assert key_id_of(sealed()) == KEY.key_id


def test_the_same_number_never_seals_to_the_same_bytes() -> None:
    """Equality does not show; the number does not show either."""
    one, other = seal([NUMBER, NUMBER], [binding(), binding()], KEY)
    assert one != other
    assert NUMBER not in one


@pytest.mark.parametrize(
    ("moved", "key"),
    [
        pytest.param(binding(b"B"), KEY, id="to another person"),
        pytest.param(binding(column="previous_individual_number"), KEY, id="to another column"),
        pytest.param(binding(file=IdentityFile.FUHYO), KEY, id="to another file"),
        pytest.param(binding(), SealingKey("resident-number-2", KEY.key), id="under another key id"),
        pytest.param(binding(), SealingKey(KEY.key_id, bytes(32)), id="under another key"),
    ],
)
def test_a_ciphertext_that_was_moved_does_not_open(moved: bytes, key: SealingKey) -> None:
    """Person, column, file and key are part of what is authenticated; the error tells nothing more."""
    with pytest.raises(StoreError) as refused:
        unseal(sealed(), moved, key)
    assert refused.value.code is Code.CIPHER_ALTERED
    assert refused.value.__cause__ is None


def test_any_altered_byte_is_noticed() -> None:
    """Every single position of the ciphertext."""
    good = sealed()
    for position in range(len(good)):
        bad = good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :]
        with pytest.raises(StoreError):
            unseal(bad, binding(), KEY)


@pytest.mark.parametrize("cut", [b"", b"\x01", b"\x01\x05ab", b"\x02" + b"x" * 60])
def test_what_is_not_ours_is_refused(cut: bytes) -> None:
    """Too short, or of another algorithm."""
    with pytest.raises(StoreError):
        key_id_of(cut)


def test_an_index_follows_the_first_eleven_digits_under_its_key() -> None:
    """Equal numbers meet, others do not, and without the key nothing can be computed."""
    assert number_index(NUMBER, b"k") == number_index(b"123456789019", b"k")
    assert number_index(NUMBER, b"k") != number_index(b"023456789013", b"k")
    assert number_index(NUMBER, b"k") != number_index(NUMBER, b"l")


def test_a_record_without_a_number_has_the_zero_index() -> None:
    """Which no number has."""
    indexes = number_indexes(pa.array(["", NUMBER.decode()]), b"k")
    assert [bytes(value) for value in indexes] == [bytes(16), number_index(NUMBER, b"k")]


def test_a_digest_changes_with_every_column_and_with_the_key() -> None:
    """Nothing of a record can change without its digest, nor can values move between columns."""
    columns = RECORD_COLUMNS[RESIDENT]
    record = {name: f"v{place}" for place, name in enumerate(columns)}
    variants = [record, *({**record, name: "other"} for name in columns)]
    swapped = {**record, columns[2]: record[columns[3]], columns[3]: record[columns[2]]}
    digests = record_digests(pa.Table.from_pylist([*variants, swapped]), columns, b"k" * 32)
    assert len({bytes(digest) for digest in digests}) == len(variants) + 1
    assert bytes(record_digests(pa.Table.from_pylist([record]), columns, b"l" * 32)[0]) != bytes(digests[0])


def test_a_key_never_shows_itself() -> None:
    """Neither in its representation nor in that of what holds it."""
    assert repr(KEY) == "SealingKey(resident-number-1)"
    assert KEY.key.hex() not in repr([KEY])
