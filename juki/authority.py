"""Who may get what of whom: one pure decision on one request, by data.

Decides:    whether a request is granted as it stands, or refused with one code and the article.
Leaves:     the bases to `juki.bases`, reading a request to its format, finding people to the store, and to the
            lookup that of a grant with `abroad_only` only the records of 国外転出者 are seen.
Invariants: all or nothing: a request that asks for one field too many gets none. What is granted is never more
            than was asked and never more than the basis opens. A grant has no place for 住民票コード. Time is an
            argument, a civil date in Japan. Whatever is not permitted is refused (法30条の25).
Source:     法30条の15, 30条の25, 30条の44の6, 30条の44の13; 番号法9条①②; ADR-0025.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

# The names of the whole subject can be had from here (`as`: explicitly exported).
from juki.bases import Coverage as Coverage
from juki.bases import Decided as Decided
from juki.bases import LegalBases as LegalBases
from juki.bases import LegalBasis as LegalBasis
from juki.bases import NumberUse as NumberUse
from juki.columns import IdentityFile
from juki.fields import GRANTABLE as GRANTABLE
from juki.fields import Field as Field
from juki.fields import fields_named
from juki.reasons import Code
from juki.recipients import Limits as Limits
from juki.recipients import Recipient as Recipient
from juki.recipients import RecipientKind as RecipientKind

NUMBER_COLUMN = "individual_number"
OTHER_BODIES = "都道府県知事以外の執行機関"
"""The receiver of 別表第六 一 and 六: every 執行機関 of the prefecture but the governor."""
FORBIDDEN: dict[IdentityFile, str] = {
    IdentityFile.RESIDENT: "法30条の25①",
    IdentityFile.FUHYO: "法30条の44の13において準用する30条の25①",
}
"""The article that forbids whatever no basis opens."""
CODE_EXCLUDED: dict[IdentityFile, str] = {
    IdentityFile.RESIDENT: "法30条の15①（住民票コードを除く。）",
    IdentityFile.FUHYO: "法30条の44の6①（住民票コードを除く。）",
}
"""The words that take 住民票コード out of everything that is used or provided."""

_CONSENT_DOCUMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")
_FEWEST_DIGITS_OF_A_PERSON = 11


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, without the people it is about.

    `consent_document` is the number of the paper by which the person consented, in the recipient's files.
    """

    recipient: str
    basis: str
    file: IdentityFile
    fields: tuple[Field, ...]
    with_number: bool = False
    consent_document: str | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """What leaves, and why: exactly these fields, by this article of this version of the table.

    With `abroad_only` only people who have moved abroad may be looked for, and with `with_number` besides, the
    number comes over the bridge (法30条の44の6③).
    """

    file: IdentityFile
    fields: tuple[Field, ...]
    with_number: bool
    basis: str
    version: str
    article: str
    abroad_only: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the answer: the fields in the order asked, the number after them."""
        return (*(field.value for field in self.fields), *((NUMBER_COLUMN,) if self.with_number else ()))


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing leaves: one code, and the article it rests on."""

    code: Code
    article: str


def decide(
    asked: Asked, basis: LegalBasis | None, recipient: Recipient | None, as_of: date
) -> Granted | Refused:
    """Grant a request as it stands, or refuse it.

    Shape:   `basis` and `recipient` are those registered under the codes of the request; None when there is none.
    Units:   as_of is the civil date in Japan on which the answer is given.
    Returns: the first refusal in the order recipient, basis, permission, kind, time, file, consent, fields, number.
    """
    forbidden = FORBIDDEN[asked.file]
    if recipient is None or recipient.code != asked.recipient:
        return Refused(Code.PROVISION_RECIPIENT_UNKNOWN, forbidden)
    if basis is None or basis.code != asked.basis:
        return Refused(Code.PROVISION_BASIS_UNKNOWN, forbidden)
    covered = basis.covering(asked.file)
    fault = unusable(basis, recipient, as_of)
    if fault is not None:
        return Refused(fault, covered.article if covered else forbidden)
    if covered is None:
        return Refused(Code.PROVISION_FILE_NOT_COVERED, forbidden)
    if basis.needs_consent and not names_consent(asked.consent_document):
        return Refused(Code.PROVISION_CONSENT_MISSING, covered.article)
    if not covered.fields.issuperset(asked.fields):
        return Refused(Code.PROVISION_FIELD_BEYOND_BASIS, covered.article)
    if asked.with_number and not basis.may_use_number(asked.file, as_of):
        return Refused(Code.PROVISION_NUMBER_NOT_ALLOWED, covered.number_article)
    return Granted(
        asked.file, asked.fields, asked.with_number, basis.code, basis.version, covered.article,
        covered.abroad_only,
    )  # fmt: skip


def unusable(basis: LegalBasis, recipient: Recipient, as_of: date) -> Code | None:
    """Say why a recipient can not use a basis on a day at all, whatever it asks for; None when it can."""
    return _not_for(basis, recipient) or out_of_term(basis, as_of)


def out_of_term(basis: LegalBasis, as_of: date) -> Code | None:
    """Say why a basis does not hold on a day; what was withdrawn says so also after it expired."""
    if basis.valid_from is not None and as_of < basis.valid_from:
        return Code.PROVISION_BASIS_NOT_YET
    if basis.withdrawn_from is not None and basis.withdrawn_from <= as_of:
        return Code.PROVISION_BASIS_WITHDRAWN
    if basis.valid_to is not None and basis.valid_to < as_of:
        return Code.PROVISION_BASIS_EXPIRED
    return None


def fields_asked(names: Sequence[str], file: IdentityFile) -> tuple[Field, ...] | Refused:
    """Read the names of fields as a request gives them; 住民票コード is refused before anything is decided."""
    fields = fields_named(names)
    if isinstance(fields, Code):
        excluded = fields is Code.PROVISION_CODE_NOT_GIVEN
        return Refused(fields, (CODE_EXCLUDED if excluded else FORBIDDEN)[file])
    return fields


def names_consent(document: str | None) -> bool:
    """Tell whether this can be the number of a document: short, plain, and no number of a person."""
    if document is None or _CONSENT_DOCUMENT.fullmatch(document) is None:
        return False
    return sum(letter.isdigit() for letter in document) < _FEWEST_DIGITS_OF_A_PERSON


def _not_for(basis: LegalBasis, recipient: Recipient) -> Code | None:
    """Say why a basis is not this recipient's, if so."""
    if basis.code not in recipient.bases:
        return Code.PROVISION_BASIS_NOT_PERMITTED
    if basis.kind is not recipient.kind:
        return Code.PROVISION_RECIPIENT_KIND
    if basis.kind is RecipientKind.PROVIDE and basis.receiver not in (recipient.receiver, OTHER_BODIES):
        return Code.PROVISION_RECEIVER_DIFFERS
    return None
