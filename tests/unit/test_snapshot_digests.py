"""The digest of a record: what a vendor computes by openssl, the same for every table, another for every change."""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.errors import ContractError
from juki.packages import PackageKind, PackageName
from juki.reasons import Code
from juki.snapshot_digests import check_digests, record_digest_hex

_PAGE = Path(__file__).parents[2] / "docs" / "formats" / "digest.md"
FUHYO = RECORD_COLUMNS[IdentityFile.FUHYO]
NAME = PackageName("352039", IdentityFile.FUHYO, PackageKind.DIGEST, 1)
PERSON = dict(
    zip(
        FUHYO,
        ("24727059608", "山口　花子", "ヤマグチ　ハナコ", "19900405", "2", "352039", "山口県山口市滝町1番1号",
         "0", "0", "0"),
        strict=True,
    )
)  # fmt: skip


def table(*records: dict[str, str]) -> pa.Table:
    """Records of the fuhyo file, columns as they come."""
    return pa.table({name: pa.array([record[name] for record in records], pa.string()) for name in FUHYO})


def test_command_of_the_page_gives_the_digest_we_compute() -> None:
    """A vendor who follows docs/formats/digest.md agrees with us."""
    (command,) = re.findall(r"^    (printf .*)$", _PAGE.read_text("utf-8"), re.MULTILINE)
    assert shlex.split(command)[:1] == ["printf"]
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout
    assert said.split()[0] == record_digest_hex(table(PERSON), FUHYO)[0].as_py()


def test_page_names_the_columns_in_their_order() -> None:
    """The order is part of the definition."""
    page = re.sub(r"\s+", " ", _PAGE.read_text("utf-8"))
    for file, columns in RECORD_COLUMNS.items():
        assert f"`{file.value}`: {', '.join(columns)}" in page


@pytest.mark.parametrize("column", FUHYO)
def test_any_changed_value_gives_another_digest(column: str) -> None:
    """Also one that merely moves a character from one value to the next."""
    digests = record_digest_hex(table(PERSON, PERSON | {column: PERSON[column] + "x"}), FUHYO).to_pylist()
    assert digests[0] != digests[1]
    moved = PERSON | {"sex": "", "birth_date": PERSON["birth_date"] + PERSON["sex"]}
    assert record_digest_hex(table(moved), FUHYO)[0].as_py() != digests[0]


@given(st.lists(st.text("山ア1|,\t", max_size=3), min_size=10, max_size=40))
def test_digest_is_of_the_values_whatever_the_table_looks_like(texts: list[str]) -> None:
    """Chunks, order of columns and position change nothing; the definition is one line of the standard library."""
    rows = [dict(zip(FUHYO, texts[at : at + 10], strict=True)) for at in range(0, len(texts) - 9, 10)]
    expected = [hashlib.sha256("\x1f".join(row[name] for name in FUHYO).encode()).hexdigest() for row in rows]
    whole = table(*rows)
    pieces = pa.concat_tables([whole.slice(at, 1) for at in range(len(rows))]).select(sorted(FUHYO))
    assert record_digest_hex(whole, FUHYO).to_pylist() == expected
    assert record_digest_hex(pieces, FUHYO).to_pylist() == expected


def test_no_records_have_no_digests() -> None:
    """A municipality may have nobody."""
    assert record_digest_hex(table(), FUHYO).to_pylist() == []
    check_digests(NAME, pa.chunked_array([], pa.string()))


@pytest.mark.parametrize(
    "bad", ["", "0" * 63, "0" * 65, "A" * 64, "0" * 63 + "g", "０" * 64, "0" * 64 + "\n"]
)
def test_anything_but_a_digest_refuses_the_part(bad: str) -> None:
    """It would otherwise be a difference of every record."""
    check_digests(NAME, pa.chunked_array([["0" * 64, "f" * 64]]))
    with pytest.raises(ContractError) as caught:
        check_digests(NAME, pa.chunked_array([["0" * 64], [bad]], pa.string()))
    assert (caught.value.code, caught.value.ref) == (Code.SNAPSHOT_DIGEST_FORM, str(NAME))
