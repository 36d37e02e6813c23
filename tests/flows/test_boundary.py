"""Only codes come out of a task: whatever is raised inside, Prefect sees no value and no trace of one."""

from __future__ import annotations

import pickle
import traceback

import pytest

from juki.errors import SourceError
from juki.reasons import Code
from tasks.boundary import ONCE, UNIT_OF_WORK, WHOLE, PipelineError, sealed

SECRET = "目印　花子"


@sealed
def failing(error: Exception) -> None:
    """Fail while handling another failure, as careless code does."""
    name = SECRET
    try:
        raise KeyError(name)
    except KeyError:
        raise error from None


def raised(error: Exception) -> PipelineError:
    """Catch what comes out."""
    with pytest.raises(PipelineError) as out:
        failing(error)
    return out.value


@pytest.mark.parametrize(
    "error", [ValueError(SECRET), KeyError(SECRET), UnicodeEncodeError("x", SECRET, 0, 1, SECRET)]
)
def test_an_unexpected_error_becomes_a_code_and_a_type(error: Exception) -> None:
    """Its text may hold values, so only the name of its type is told."""
    told = raised(error)
    assert (told.code, told.ref) == (Code.RUN_UNEXPECTED, type(error).__name__)
    assert SECRET not in "".join(traceback.format_exception(told))
    assert (told.__cause__, told.__context__) == (None, None)


def test_our_own_error_keeps_its_code_reference_and_whether_to_try_again() -> None:
    """The retry condition reads the mark."""
    told = raised(SourceError(Code.CHANNEL_UNREACHABLE, "352039", is_transient=True))
    assert (told.code, told.ref, told.is_transient) == (Code.CHANNEL_UNREACHABLE, "352039", True)
    assert str(told).startswith("[channel.unreachable] ")


def test_an_error_survives_pickling_and_holds_nothing_else() -> None:
    """Prefect pickles exceptions to its result storage whatever the settings say."""
    packed = pickle.dumps(raised(ValueError(SECRET)))
    again = pickle.loads(packed)
    assert (again.code, again.ref) == (Code.RUN_UNEXPECTED, "ValueError")
    assert SECRET.encode() not in packed


def test_nothing_is_persisted_cached_or_printed() -> None:
    """One policy for every task and flow."""
    for policy in (UNIT_OF_WORK, ONCE, WHOLE):
        assert policy["persist_result"] is False
        assert policy["log_prints"] is False
