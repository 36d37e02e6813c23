"""What an assertion is bound to: two sets of arguments never have one text."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from juki.cli.acting import target_text

WORDS = st.lists(st.text('a "\\', min_size=1, max_size=4), max_size=4)


@given(WORDS, WORDS)
@settings(max_examples=60)
@example(["a b"], ["a", "b"])
@example(['"a', 'b"'], ["a b"])
@example(['"a b"'], ["a b"])
def test_other_words_have_another_target(some: list[str], others: list[str]) -> None:
    """However a word is cut, quoted or escaped."""
    assert (target_text(some) == target_text(others)) == (some == others)
