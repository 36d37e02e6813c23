"""A request of a recipient for data of people (提供・移転の要求): its name, its one JSON document, what must agree.

Decides:    the form of `juki-request/1` and of its file name; that name, content and sender name the same recipient.
Leaves:     the people sought to `juki.people_sought`, who may get what to `juki.authority`, envelopes to `juki.wire`.
Invariants: strict as a manifest: every key required but one, no other allowed, none twice at any level, types exact,
            everything bounded, nothing repaired. No error carries a byte of the document.
Source:     docs/formats/request.md (with its JSON Schema), assessment M13, ADR-0026.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from juki.columns import IdentityFile
from juki.errors import ContractError, SourceError
from juki.manifest_line import MUNICIPALITY, instant_of
from juki.people_sought import People, people_of
from juki.reasons import Code
from juki.strict_json import read_json

FORMAT = "juki-request/1"
MAX_REQUEST_BYTES = 64 * 1024 * 1024
MAX_REQUEST_NO = 99_999_999
"""The number has 8 digits in the file name."""
MAX_FIELDS = 30
"""More than any file has; the names themselves are judged by `juki.authority`."""

REQUIRED_KEYS = frozenset(
    {
        "format", "recipient", "prefecture", "request_no", "file", "basis", "purpose", "fields", "with_number",
        "created_at", "people",
    }
)  # fmt: skip
OPTIONAL_KEYS = frozenset({"consent_document"})
_RECIPIENT = re.compile(r"[a-z][a-z0-9_]{1,31}")
_BASIS = re.compile(r"(?=.{1,64}\Z)[a-z][a-z0-9]*(-[a-z0-9]+)*")
_FILE = re.compile("resident|fuhyo")
_CONSENT = re.compile(r"[A-Za-z0-9-]{1,40}")
_FIELD = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,64}")
_PURPOSE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,200}")
_LIKE_AN_IDENTIFIER = re.compile(r"\d([\s\-‐-―－ー・.]?\d){10}")
"""Eleven digits or more, however grouped: a number of a person has no place in the register of provisions."""
_NAME = re.compile(rf"({_RECIPIENT.pattern})-(resident|fuhyo)-request-([0-9]{{8}})\.p7m")


@dataclass(frozen=True, slots=True, order=True)
class RequestName:
    """The name of a request's file, `kyoiku-resident-request-00000003.p7m`; requests count by recipient and file."""

    recipient: str
    file: IdentityFile
    request_no: int

    def __str__(self) -> str:
        return f"{self.recipient}-{self.file}-request-{self.request_no:08d}.p7m"

    @classmethod
    def parse(cls, text: str) -> RequestName:
        """Read a file name; SourceError(REQUEST_FORM) unless it is exactly of the form."""
        match = _NAME.fullmatch(text)
        if match is None or not 1 <= int(match[3]) <= MAX_REQUEST_NO:
            raise SourceError(Code.REQUEST_FORM)
        return cls(match[1], IdentityFile(match[2]), int(match[3]))


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """One request as it was made; `fields` are the names as given, which need not be names of ours."""

    recipient: str
    prefecture: str
    request_no: int
    file: IdentityFile
    basis: str
    purpose: str
    consent_document: str | None
    fields: tuple[str, ...]
    with_number: bool
    created_at: datetime
    people: People
    sha256: bytes
    """SHA-256 of the document: two requests of one number are the same when it is."""

    @property
    def name(self) -> RequestName:
        """The name of its file."""
        return RequestName(self.recipient, self.file, self.request_no)

    def __repr__(self) -> str:
        """Name the request, never show whom it is about."""
        return f"Request({self.name})"


def request_names(recipient: str) -> re.Pattern[str]:
    """Give the form of the names of the requests of one recipient, as they lie in its folder."""
    return re.compile(rf"{re.escape(recipient)}-(resident|fuhyo)-request-(?!0{{8}})[0-9]{{8}}\.p7m")


def parse_request(document: bytes | memoryview) -> Request:
    """Read a request, not yet knowing whose it should be.

    Raises: ContractError(REQUEST_TOO_MANY_LINES) beyond 100,000 people, ContractError(REQUEST_FORM) for anything else
            that is not exactly the format.
    """
    content = bytes(document)
    values = _Values(_object(content) or _refuse())
    request = Request(
        recipient=values.text("recipient", _RECIPIENT),
        prefecture=values.text("prefecture", MUNICIPALITY),
        request_no=values.request_no(),
        file=IdentityFile(values.text("file", _FILE)),
        basis=values.text("basis", _BASIS),
        purpose=values.text("purpose", _PURPOSE),
        consent_document=values.text("consent_document", _CONSENT)
        if values.has("consent_document")
        else None,
        fields=values.texts("fields", _FIELD),
        with_number=values.flag("with_number"),
        created_at=values.instant("created_at"),
        people=people_of(values.given["people"]),
        sha256=hashlib.sha256(content).digest(),
    )
    says_something = request.purpose.strip() == request.purpose
    if not says_something or _LIKE_AN_IDENTIFIER.search(f"{request.purpose} {request.basis}"):
        _refuse()
    # Asked for nothing, the answer would still say who is in the file.
    if not request.fields and not request.with_number:
        _refuse()
    return request


def check_binding(name: RequestName, request: Request, recipient: str, prefecture: str) -> None:
    """Refuse unless name, content and sender agree and the request is for us (REQUEST_BINDING).

    The certificate is bound by `juki.wire.envelope.open_envelope`, given the sender of the folder.
    """
    if request.name != name or name.recipient != recipient or request.prefecture != prefecture:
        raise SourceError(Code.REQUEST_BINDING, str(name))


class _Values:
    """The values of one document, each taken by the form it must have."""

    def __init__(self, given: Mapping[str, object]) -> None:
        self.given = given
        if not REQUIRED_KEYS <= given.keys() <= REQUIRED_KEYS | OPTIONAL_KEYS or given["format"] != FORMAT:
            _refuse()

    def has(self, key: str) -> bool:
        return key in self.given

    def text(self, key: str, form: re.Pattern[str]) -> str:
        return _text(self.given[key], form)

    def texts(self, key: str, form: re.Pattern[str]) -> tuple[str, ...]:
        value = self.given[key]
        if not isinstance(value, list) or len(value) > MAX_FIELDS:
            _refuse()
        return tuple(_text(one, form) for one in value)

    def request_no(self) -> int:
        value = self.given["request_no"]
        # bool is an int to isinstance, and `true` is not a number.
        if type(value) is not int or not 1 <= value <= MAX_REQUEST_NO:
            _refuse()
        return value

    def flag(self, key: str) -> bool:
        value = self.given[key]
        if not isinstance(value, bool):
            _refuse()
        return value

    def instant(self, key: str) -> datetime:
        value = self.given[key]
        return (instant_of(value) if isinstance(value, str) else None) or _refuse()


def _text(value: object, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or form.fullmatch(value) is None:
        _refuse()
    return value


def _object(content: bytes) -> dict[str, object] | None:
    """Read the one JSON object of a document: UTF-8 without BOM, no key twice, integers only."""
    if len(content) > MAX_REQUEST_BYTES or not content.startswith(b"{"):
        return None
    try:
        value = read_json(content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _refuse() -> NoReturn:
    raise ContractError(Code.REQUEST_FORM)
