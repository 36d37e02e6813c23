"""`R12` and `F12`: one form, read back to the same package."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from juki.columns import IdentityFile
from juki.errors import ConfigurationError
from juki.package_id import PackageId
from juki.reasons import Code


@given(st.sampled_from(IdentityFile), st.integers(1, 10**18 - 1))
def test_what_is_written_is_read_back(file: IdentityFile, number: int) -> None:
    """In either case of the letter."""
    package_id = PackageId(file, number)
    assert PackageId.parse(str(package_id)) == PackageId.parse(str(package_id).lower()) == package_id


@pytest.mark.parametrize(
    "text", ["", "12", "R", "R0", "R01", "X1", "R-1", "R1 ", "R１", "R1;F2", "R" + "9" * 19]
)
def test_other_forms_are_refused(text: str) -> None:
    """A number without its letter could be of either store."""
    with pytest.raises(ConfigurationError) as refused:
        PackageId.parse(text)
    assert refused.value.code is Code.PACKAGE_ID_FORM
    assert refused.value.ref == ""
