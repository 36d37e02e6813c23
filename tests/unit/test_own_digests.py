"""Our digest of a record: that of the municipality, or none where our record is not what its index and code say."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from juki.code_order import between, is_ascending, is_repeated
from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.errors import ConfigurationError
from juki.numbers import SealingKey, bound_to, number_index, seal
from juki.own_digests import OwnDigests, are_alike
from juki.reasons import Code
from juki.snapshot_digests import record_digest_hex
from tests.notice_tables import INDEX_KEY, notice

RESIDENT = IdentityFile.RESIDENT
COLUMNS = RECORD_COLUMNS[RESIDENT]
KEYS = {
    key.key_id: key
    for key in (SealingKey("resident-number-1", b"k" * 32), SealingKey("resident-number-2", b"n" * 32))
}
NUMBER, OTHER = "123456789018", "023456789013"


def key_of(key_id: str) -> SealingKey:
    """Two generations of one key."""
    if key_id not in KEYS:
        raise ConfigurationError(Code.KEY_MISSING, key_id)
    return KEYS[key_id]


def sealed(number: str, code: str = "A", *, key: str = "resident-number-1", **bound: Any) -> str:
    """Seal a number for a person."""
    where = {"file": RESIDENT, "column": "individual_number"} | bound
    binding = bound_to(where["file"], where["column"], [code.encode()], key)
    return seal([number.encode()], binding, KEYS[key])[0].hex()


def ours(
    number: str = NUMBER, ciphertext: str | None = None, index: str | None = None, **said: str
) -> pa.Table:
    """One row of ours: its index, its ciphertext, and its other cells."""
    found = number_index(number.encode(), INDEX_KEY).hex() if number else ""
    cells = notice(**said) | {"individual_number": found if index is None else index}
    cells["number_sealed"] = (sealed(number) if number else "") if ciphertext is None else ciphertext
    return pa.table({name: pa.array([cells.get(name, "")]) for name in (*COLUMNS, "number_sealed")})


def theirs(number: str = NUMBER, **said: str) -> str:
    """The digest a municipality computes of the same record."""
    row = notice(**said) | {"individual_number": number}
    table = pa.table({name: pa.array([row.get(name, "")]) for name in COLUMNS})
    digest: str = record_digest_hex(table, COLUMNS)[0].as_py()
    return digest


def digest(table: pa.Table) -> tuple[str | None, int, int]:
    """Our digest of one row, and how many numbers were opened and not."""
    own = OwnDigests(RESIDENT, INDEX_KEY, key_of)
    (made,) = own.digests(table).to_pylist()
    return made, own.opened, own.unopened


@pytest.mark.parametrize("number", [NUMBER, OTHER])
@pytest.mark.parametrize("key", sorted(KEYS))
def test_digest_of_ours_is_that_of_the_municipality(number: str, key: str) -> None:
    """From the opened number, whichever generation of the key it is under."""
    assert digest(ours(number, sealed(number, key=key))) == (theirs(number), 1, 0)


def test_person_without_a_number_needs_none_opened() -> None:
    """Absent here and there."""
    assert digest(ours("")) == (theirs(""), 0, 0)


@pytest.mark.parametrize(
    "ciphertext",
    [
        sealed(NUMBER, "B"), sealed(NUMBER, column="previous_individual_number"),
        sealed(NUMBER, file=IdentityFile.FUHYO), sealed(OTHER), sealed(NUMBER)[:-2], sealed(NUMBER) + "00",
        sealed(NUMBER).replace(b"resident-number-1".hex(), b"resident-number-2".hex()),
        sealed(NUMBER).replace(b"resident-number-1".hex(), b"resident-number-9".hex()),
        sealed(NUMBER[:11]), sealed(NUMBER + "0"), sealed("12345678901x"),
        "", "01", "0111", "02" + sealed(NUMBER)[2:],
        sealed(NUMBER)[: 2 * (2 + 17)], sealed(NUMBER)[: 2 * (2 + 17 + 3)],
    ],
    ids=["of another person", "of another column", "of another file", "another number", "cut", "longer",
         "says another key", "says no key of ours", "11 digits", "13 digits", "no digits",
         "nothing", "no key id",
         "half a key id", "another algorithm", "no nonce", "half a nonce"],
)  # fmt: skip
def test_ciphertext_that_is_not_the_persons_number_equals_no_digest(ciphertext: str) -> None:
    """Whatever theirs is: neither with the number nor without, and it is counted."""
    assert digest(ours(NUMBER, ciphertext)) == (None, 0, 1)


def test_ciphertext_without_an_index_is_no_absent_number() -> None:
    """It does not open, and there is nothing it could be found by: all the same it is there, and is not theirs."""
    assert digest(ours(NUMBER, sealed(NUMBER, "B"), index="")) == (None, 0, 1)
    assert digest(ours("", "00")) == (None, 0, 1)


def test_number_the_index_does_not_find_equals_no_digest() -> None:
    """The ciphertext is good, and whoever looks the number up finds somebody else, or nobody."""
    other = number_index(OTHER.encode(), INDEX_KEY).hex()
    for index in (other, "?", ""):
        assert digest(ours(NUMBER, index=index)) == (None, 0, 1)


@pytest.mark.parametrize(
    "column", [name for name in COLUMNS if name not in ("individual_number", "resident_code")]
)
def test_separator_in_a_cell_equals_no_digest(column: str) -> None:
    """The line would have the bytes of another record, its cells cut elsewhere."""
    assert digest(ours(**{column: "a\x1fb"}))[0] is None
    assert digest(ours(**{column: "ab"}))[0] == theirs(**{column: "ab"})


def test_records_cut_elsewhere_have_the_same_line_and_are_told_apart() -> None:
    """Without the rule above these two would be equal: name and kana of theirs, both in the name of ours."""
    record = {"name": "山口", "name_kana": "ヤマ", "former_name": "", "former_name_kana": "", "alias": ""}
    cut = {"name": "山口\x1fヤマ", "name_kana": "", "former_name": "", "former_name_kana": ""}
    line = "\x1f".join((ours(**record).to_pylist()[0] | record)[name] for name in list(record))
    assert "\x1f".join((*cut.values(),)) == line
    assert digest(ours(**record))[0] == theirs(**record)
    assert digest(ours(**cut))[0] is None


def test_fuhyo_record_has_no_number_to_open() -> None:
    """Its columns are others, and nothing is sealed in them."""
    columns = RECORD_COLUMNS[IdentityFile.FUHYO]
    table = pa.table({name: pa.array([notice().get(name, "")]) for name in columns})
    own = OwnDigests(IdentityFile.FUHYO, INDEX_KEY, key_of)
    assert own.digests(table).to_pylist() == record_digest_hex(table, columns).to_pylist()
    assert (own.opened, own.unopened) == (0, 0)


def codes(text: str) -> pa.Array:
    """One code a letter."""
    return pa.array(list(text), pa.string())


@pytest.mark.parametrize(
    ("text", "after", "ascends", "repeats"),
    [("ABC", None, True, False), ("ABB", None, True, True), ("BA", None, False, False), ("", None, True, False),
     ("BC", "A", True, False), ("BC", "B", True, True), ("BC", "C", False, False), ("", "A", True, False)],
)  # fmt: skip
def test_order_holds_from_part_to_part(text: str, after: str | None, ascends: bool, repeats: bool) -> None:
    """Said again at the end of one part and the beginning of the next is said twice; going back is out of order."""
    assert is_ascending(codes(text), after) is ascends
    assert is_repeated(codes(text), after) is repeats


@pytest.mark.parametrize(
    ("theirs_", "expected"),
    [("AaBb", True), ("Aa", True), ("", True), ("AaBx", False), ("AaCc", False), ("Dd", False)],
)
def test_everybody_of_theirs_needs_an_equal_digest_of_ours(theirs_: str, expected: bool) -> None:
    """One of another digest, one we do not have, and one that has none here: each is enough to differ."""
    said = codes(theirs_[0::2]), codes(theirs_[1::2])
    assert are_alike(*said, codes("ABD"), pa.array(["a", "b", None])) is expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(None, None, "ABC"), ("A", None, "BC"), (None, "B", "AB"), ("A", "B", "B"), ("B", "B", "")],
)
def test_range_is_without_its_beginning_and_with_its_end(
    low: str | None, high: str | None, expected: str
) -> None:
    """So that neighbouring ranges have everybody once."""
    assert codes("ABC").filter(between(codes("ABC"), low, high)).to_pylist() == list(expected)
