"""What can go wrong between a municipality and us, each with the code by which it must be seen.

Decides:    the faults, the codes they must lead to, and how the bytes and records of each are made.
Leaves:     when a fault happens and how it is healed to `simulator.office`.
Invariants: pure: material in, material out. Every fault is visible by a code or, where nothing may change, is
            said to be harmless.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

import pyarrow as pa

from juki.columns import IdentityFile
from juki.packages import PackageName
from juki.reasons import Code
from simulator import pki
from simulator.drafts import Desk, Draft
from simulator.sealing import seal


class Fault(StrEnum):
    """A fault on demand; the value is its name on the command line."""

    GAP = "gap"
    LATE = "late"
    REORDER = "reorder"
    DUPLICATE = "duplicate"
    RESEALED = "resealed"
    REPLAYED = "replayed"
    OTHER_CONTENT = "other-content"
    WRONG_SENDER = "wrong-sender"
    WRONG_OUTBOX = "wrong-outbox"
    TAMPERED = "tampered"
    TRUNCATED = "truncated"
    WRONG_RECIPIENT = "wrong-recipient"
    EXPIRED_CERTIFICATE = "expired-certificate"
    UNKNOWN_AUTHORITY = "unknown-authority"
    WRONG_NUMBER = "wrong-number"
    WRONG_COUNT = "wrong-count"
    WRONG_DIGEST = "wrong-digest"
    EXTRA_COLUMN = "extra-column"
    MISSING_COLUMN = "missing-column"
    BAD_VALUES = "bad-values"


class Effect(StrEnum):
    """What a fault does to the package it befalls."""

    WITHHELD = "withheld"
    """It does not arrive until it is released."""
    ADDED = "added"
    """It arrives as it should, and something else with it."""
    BROKEN = "broken"
    """What arrives in its place must be refused; the good one follows when the office heals."""
    RECORDS = "records"
    """It arrives, and some of its records must be rejected."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must come of a fault: its effect, and the code to be seen (None: nothing is to be seen)."""

    effect: Effect
    code: Code | None


EXPECTED: dict[Fault, Expectation] = {
    Fault.GAP: Expectation(Effect.WITHHELD, Code.CHANNEL_GAP),
    Fault.LATE: Expectation(Effect.WITHHELD, Code.CHANNEL_GAP),
    Fault.REORDER: Expectation(Effect.ADDED, None),
    Fault.DUPLICATE: Expectation(Effect.ADDED, Code.PACKAGE_REPEATED),
    Fault.RESEALED: Expectation(Effect.ADDED, Code.PACKAGE_REPEATED),
    Fault.REPLAYED: Expectation(Effect.ADDED, Code.PACKAGE_REPEATED),
    Fault.OTHER_CONTENT: Expectation(Effect.ADDED, Code.PACKAGE_CONTENT_DIFFERS),
    Fault.WRONG_SENDER: Expectation(Effect.BROKEN, Code.PACKAGE_SIGNER_UNREGISTERED),
    Fault.WRONG_OUTBOX: Expectation(Effect.ADDED, Code.PACKAGE_BINDING),
    Fault.TAMPERED: Expectation(Effect.BROKEN, Code.PACKAGE_ALTERED),
    Fault.TRUNCATED: Expectation(Effect.BROKEN, Code.PACKAGE_ENVELOPE),
    Fault.WRONG_RECIPIENT: Expectation(Effect.BROKEN, Code.PACKAGE_RECIPIENT),
    Fault.EXPIRED_CERTIFICATE: Expectation(Effect.BROKEN, Code.PACKAGE_CERTIFICATE_EXPIRED),
    Fault.UNKNOWN_AUTHORITY: Expectation(Effect.BROKEN, Code.PACKAGE_CERTIFICATE_CHAIN),
    Fault.WRONG_NUMBER: Expectation(Effect.BROKEN, Code.PACKAGE_BINDING),
    Fault.WRONG_COUNT: Expectation(Effect.BROKEN, Code.PACKAGE_COUNT),
    Fault.WRONG_DIGEST: Expectation(Effect.BROKEN, Code.PACKAGE_DIGEST),
    Fault.EXTRA_COLUMN: Expectation(Effect.BROKEN, Code.PACKAGE_COLUMNS),
    Fault.MISSING_COLUMN: Expectation(Effect.BROKEN, Code.PACKAGE_COLUMNS),
    Fault.BAD_VALUES: Expectation(Effect.RECORDS, None),
}


@dataclass(frozen=True, slots=True)
class Mutation:
    """A wrong value in one column and the code it must lead to; `{}` stands for the value before."""

    column: str
    form: str
    code: Code

    def of(self, value: str) -> str:
        """Spoil a value."""
        return self.form.replace("{}", value)


_COMMON = (
    Mutation("resident_code", "", Code.RESIDENT_CODE_MISSING),
    Mutation("resident_code", "{}0", Code.RESIDENT_CODE_FORM),
    Mutation("resident_code", "１２３４５６７８９０１", Code.RESIDENT_CODE_FORM),
    Mutation("name", "{}\uac00", Code.TEXT_HANGUL),
    Mutation("name", "{}\ue000", Code.TEXT_PRIVATE_USE),
    Mutation("name", "{}\u0007", Code.TEXT_CONTROL),
    Mutation("name_gaiji", "1", Code.GAIJI_COUNT),
    Mutation("name_kana", "やまぐち", Code.KANA_CHARACTER),
    Mutation("birth_date", "", Code.BIRTH_DATE_MISSING),
    Mutation("birth_date", "1990-1-1", Code.BIRTH_DATE_FORM),
    Mutation("sex", "3", Code.SEX_UNKNOWN),
    Mutation("kind", "removal", Code.KIND_UNKNOWN),
    Mutation("event_date", "2026-02-30", Code.EVENT_DATE_UNREAL),
    Mutation("name_gaiji", "-1", Code.GAIJI_FORM),
)

MUTATIONS: dict[IdentityFile, tuple[Mutation, ...]] = {
    IdentityFile.RESIDENT: (
        Mutation("individual_number", "123456789012", Code.INDIVIDUAL_NUMBER_CHECK_DIGIT),
        Mutation("individual_number", "１２３４５６７８９０１８", Code.INDIVIDUAL_NUMBER_FORM),
        Mutation("individual_number", "000000000000", Code.INDIVIDUAL_NUMBER_ZERO),
        Mutation("reason", "引越し", Code.REASON_UNKNOWN),
        Mutation("address", "", Code.ADDRESS_MISSING),
        Mutation("municipality_code", "131016", Code.MUNICIPALITY_NOT_SENDER),
        Mutation("is_foreign", "yes", Code.FLAG_FORM),
        *_COMMON,
    ),
    IdentityFile.FUHYO: (Mutation("is_abroad", "yes", Code.FLAG_FORM), *_COMMON),
}
"""Wrong values of every sort, by file."""


def mutated(table: pa.Table, row: int, mutation: Mutation) -> pa.Table:
    """Spoil one value of one record."""
    values = table.column(mutation.column).to_pylist()
    values[row] = mutation.of(values[row])
    position = table.column_names.index(mutation.column)
    return table.set_column(position, mutation.column, pa.array(values, pa.string()))


def with_extra_column(table: pa.Table) -> pa.Table:
    """Add 続柄, which the law does not let a municipality notify."""
    return table.append_column("relationship", pa.array(["世帯主"] * table.num_rows, pa.string()))


def without_column(table: pa.Table) -> pa.Table:
    """Leave the birth date out."""
    return table.drop_columns(["birth_date"])


def with_other_content(table: pa.Table) -> pa.Table:
    """Change one value lawfully, so that only the comparison with what was applied can tell."""
    return mutated(table, 0, Mutation("name", "{}太", Code.PACKAGE_CONTENT_DIFFERS))


def tampered(sealed: bytes) -> bytes:
    """Turn one bit of the encrypted content, which ends before the 16 bytes of the tag and their header."""
    position = len(sealed) - 40
    return sealed[:position] + bytes([sealed[position] ^ 1]) + sealed[position + 1 :]


def truncated(sealed: bytes) -> bytes:
    """Lose the second half, as when a disk fills up."""
    return sealed[: len(sealed) // 2]


def with_bad_values(draft: Draft) -> Draft:
    """Spoil the last records of a package, one wrong value each."""
    table = draft.table
    for back, mutation in enumerate(MUTATIONS[draft.name.file][: table.num_rows], start=1):
        table = mutated(table, table.num_rows - back, mutation)
    return replace(draft, table=table)


def again(earlier: Draft, sealed: bytes, fault: Fault, desk: Desk) -> bytes:
    """Make an earlier package once more: the same bytes, sealed afresh, or with other content."""
    if fault is Fault.RESEALED:
        return desk.seal(earlier.content())
    if fault is Fault.OTHER_CONTENT:
        return desk.seal(replace(earlier, table=with_other_content(earlier.table)).content())
    return sealed


def foreign(draft: Draft, desk: Desk) -> tuple[PackageName, bytes]:
    """Make a package of the neighbour's, genuine but for the place it is found in."""
    assert desk.neighbour
    name = replace(draft.name, municipality_code=desk.neighbour.municipality_code)
    return name, desk.seal(replace(draft, name=name).content(), desk.neighbour.signer)


def broken(draft: Draft, fault: Fault, desk: Desk) -> bytes:
    """Make what arrives in the place of a good package."""
    if fault is Fault.TAMPERED:
        return tampered(desk.seal(draft.content()))
    if fault is Fault.TRUNCATED:
        return truncated(desk.seal(draft.content()))
    if fault is Fault.WRONG_RECIPIENT:
        return seal(draft.content(), desk.office.signer, desk.office.receiver.certificate, desk.sealer)
    if fault is Fault.EXTRA_COLUMN:
        return desk.seal(replace(draft, table=with_extra_column(draft.table)).content())
    if fault is Fault.MISSING_COLUMN:
        return desk.seal(replace(draft, table=without_column(draft.table)).content())
    return desk.seal(draft.content(**_wrong_words(draft, fault)), _wrong_signer(draft, fault, desk))


def _wrong_signer(draft: Draft, fault: Fault, desk: Desk) -> pki.Identity:
    """Sign as another municipality, with an expired certificate, or with one nobody vouches for."""
    own = desk.office.signer
    if fault is Fault.WRONG_SENDER:
        assert desk.neighbour
        return desk.neighbour.signer
    if fault is Fault.EXPIRED_CERTIFICATE:
        assert desk.authority
        return pki.expired(desk.authority, own, draft.created_at - timedelta(days=1))
    if fault is Fault.UNKNOWN_AUTHORITY:
        return pki.issue(pki.make_root(), desk.office.municipality_code, own.key)
    return own


def _wrong_words(draft: Draft, fault: Fault) -> dict[str, object]:
    """Let the manifest say something that is not so."""
    if fault is Fault.WRONG_NUMBER:
        return {"sequence": draft.name.sequence + 1}
    if fault is Fault.WRONG_DIGEST:
        return {"sha256": "0" * 64}
    if fault is Fault.WRONG_COUNT:
        last = int(draft.table.column("notice_no")[-1].as_py())
        return {"records": draft.table.num_rows + 1, "last_notice_no": last + 1}
    return {}
