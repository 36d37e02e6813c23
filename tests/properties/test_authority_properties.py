"""Laws of the decision that hold whatever the data says: over any basis, any recipient, any day."""

from __future__ import annotations

from dataclasses import astuple, replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from juki.authority import (
    Asked,
    Coverage,
    Decided,
    Field,
    Granted,
    LegalBases,
    LegalBasis,
    Limits,
    NumberUse,
    Recipient,
    RecipientKind,
    Refused,
    decide,
    fields_asked,
)
from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.reasons import Scope

# Narrow alphabets, so that codes, days and words meet often.
CODES = st.sampled_from(["a-1", "a-2"])
WORDS = st.sampled_from(["教育委員会", "監査委員", "都道府県知事以外の執行機関"])
DAYS = st.integers(0, 6).map(lambda days: date(2026, 11, 20) + timedelta(days=days))
FIELDS = st.frozensets(st.sampled_from(Field))


@st.composite
def _bases(draw: st.DrawFn) -> LegalBasis:
    files = draw(st.lists(st.sampled_from(IdentityFile), unique=True, max_size=2))
    coverage = tuple(
        Coverage(file, f"article {file}", draw(FIELDS), draw(st.sampled_from(NumberUse)), "9", draw(st.booleans()))
        for file in files
    )  # fmt: skip
    basis = LegalBasis(
        draw(CODES), "title", draw(st.sampled_from(RecipientKind)), draw(WORDS), "work", coverage,
        draw(st.booleans()), draw(st.none() | DAYS), draw(st.none() | DAYS), version="v",
    )  # fmt: skip
    decided = Decided("decided", draw(DAYS), "ground", "who", date(2026, 1, 1))
    if draw(st.booleans()):
        basis = basis.with_number_decided(draw(st.sampled_from(NumberUse)), decided)
    return basis.withdrawn(decided) if draw(st.booleans()) else basis


@st.composite
def _cases(draw: st.DrawFn) -> tuple[LegalBasis, Recipient, Asked, date]:
    """A basis, somebody and a question that mostly fit together: a grant has to come about to be judged."""

    def mostly(fitting: object, others: st.SearchStrategy[object]) -> object:
        return draw(others) if draw(st.integers(0, 9)) == 0 else fitting

    basis = draw(_bases())
    opened = basis.files or tuple(IdentityFile)
    file = mostly(opened[0], st.sampled_from(IdentityFile))
    covered = basis.covering(opened[0])
    names = sorted(covered.fields) if covered and covered.fields else list(Field)
    fields = mostly(tuple(names[:3]), st.lists(st.sampled_from(Field), unique=True, max_size=3).map(tuple))
    to = Recipient(
        "x", "name", mostly(basis.kind, st.sampled_from(RecipientKind)), mostly(basis.receiver, WORDS),
        frozenset({mostly(basis.code, CODES)}), Limits(1, 1, 1),
    )  # type: ignore[arg-type]  # fmt: skip
    paper = mostly("R8-7", st.sampled_from([None, "24727059608"]))
    asked = Asked(
        mostly("x", st.just("y")), mostly(basis.code, CODES), file, fields, draw(st.booleans()), paper
    )  # type: ignore[arg-type]
    return basis, to, asked, draw(DAYS)


def test_a_good_part_of_the_cases_is_granted() -> None:
    """Laws about grants would hold for nothing if hardly anything were granted."""
    answers = list[bool]()

    @settings(derandomize=True, max_examples=200, deadline=None, database=None)
    @given(_cases())
    def count(case: tuple[LegalBasis, Recipient, Asked, date]) -> None:
        basis, to, asked, day = case
        answers.append(isinstance(decide(asked, basis, to, day), Granted))

    count()
    assert 0.05 < sum(answers) / len(answers) < 0.95


@given(_cases())
def test_nothing_is_granted_that_was_not_asked_opened_and_permitted(
    case: tuple[LegalBasis, Recipient, Asked, date],
) -> None:
    """Whatever stands in the data: a grant is within question, basis, register and term, or it is none."""
    basis, to, asked, day = case
    answer = decide(asked, basis, to, day)
    if isinstance(answer, Refused):
        assert answer.code.scope is Scope.REQUEST and answer.article
        return
    covered = basis.covering(asked.file)
    assert covered is not None
    assert set(answer.fields) <= set(asked.fields) & covered.fields
    assert (answer.with_number, answer.abroad_only) == (asked.with_number, covered.abroad_only)
    assert not answer.with_number or covered.number is NumberUse.ALLOWED
    assert not answer.with_number or (basis.number_from or day) <= day
    assert asked.basis == basis.code == answer.basis and basis.code in to.bases and asked.recipient == to.code
    assert basis.kind is to.kind
    assert (basis.valid_from or day) <= day <= (basis.valid_to or day)
    assert basis.withdrawn_from is None or day < basis.withdrawn_from
    assert not basis.needs_consent or asked.consent_document == "R8-7"


@given(_cases())
def test_asking_for_less_is_never_refused_where_more_was_granted(
    case: tuple[LegalBasis, Recipient, Asked, date],
) -> None:
    """A refusal can always be cured by asking for less, if by anything."""
    basis, to, asked, day = case
    if isinstance(decide(asked, basis, to, day), Granted):
        for less in (replace(asked, with_number=False), replace(asked, fields=asked.fields[1:])):
            assert isinstance(decide(less, basis, to, day), Granted)


@given(_cases())
def test_no_representation_of_an_answer_holds_a_resident_code(
    case: tuple[LegalBasis, Recipient, Asked, date],
) -> None:
    """Neither as a column nor as a word, nor does a paper's number leave with the answer."""
    basis, to, asked, day = case
    answer = decide(asked, basis, to, day)
    columns = answer.columns if isinstance(answer, Granted) else ()
    assert "resident_code" not in columns
    for text in (repr(answer), str(astuple(answer))):
        assert "resident_code" not in text and "24727059608" not in text and "R8-7" not in text


ANY_NAMES = st.lists(
    st.sampled_from([name for names in RECORD_COLUMNS.values() for name in names] + ["住民票コード", "x"]),
    max_size=4,
)


@given(ANY_NAMES, st.sampled_from(IdentityFile))
def test_names_are_read_whole_or_not_at_all(names: list[str], file: IdentityFile) -> None:
    """What was read is what was written, and it never is the code or the number."""
    answer = fields_asked(names, file)
    if not isinstance(answer, Refused):
        assert [field.value for field in answer] == names
        assert not {"resident_code", "individual_number", "is_foreign"} & set(names)


@given(st.lists(_bases(), min_size=1, max_size=3), st.data())
def test_the_version_word_follows_every_attribute(bases: list[LegalBasis], data: st.DataObject) -> None:
    """Equal tables have equal words, and a table changed anywhere has another."""
    table = LegalBases.of_table("1", bases)
    assert LegalBases.of_table("1", list(table.bases)) == table
    place = data.draw(st.integers(0, len(bases) - 1))
    other = data.draw(_bases())
    changed = [*bases[:place], other, *bases[place + 1 :]]
    assert (LegalBases.of_table("1", changed).version == table.version) == (other == bases[place])
