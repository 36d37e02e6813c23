"""The registered recipients: who may ask for what, by what they prove themselves, and where their answers go.

Decides:    what a registration consists of, and that two recipients can not share an identity or a folder.
Leaves:     what a recipient may get to `juki.authority`, reading certificates to `config.identities`.
Invariants: one certificate, and one key, belongs to one recipient, and so does one folder, which holds nothing of
            ours; only J-LIS bears its code; without the file nobody is registered, so nothing can leave (法30条の25).
Source:     docs/formats/recipients.md, M5, M13.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Annotated

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from config.municipalities import located
from config.reading import read_toml, validated
from juki.errors import ConfigurationError
from juki.home import Home
from juki.reasons import Code
from juki.recipients import JLIS_CODE, Limits, RecipientKind
from juki.recipients import Recipient as PureRecipient

CodeForm = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,31}$")]
"""The code of a recipient: in folder names, commands and records of provision."""
Words = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^\S(.*\S)?$")]
BasisCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64)]
_FilePath = Annotated[str, Field(min_length=1)]
_Daily = Annotated[int, Field(ge=1, le=10_000_000)]


def _kind(value: object) -> object:
    """Read a kind; strict models take no string for one by themselves."""
    return RecipientKind(value) if isinstance(value, str) else value


class Recipient(BaseModel):
    """One registered recipient; paths are relative to JUKI_HOME unless absolute."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    code: CodeForm
    name: Words
    kind: Annotated[RecipientKind, BeforeValidator(_kind)]
    receiver: Words
    """執行機関 in the words of the law (提供), or the department (移転)."""
    signing_certificates: Annotated[
        list[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]], Field(min_length=1, max_length=2)
    ]
    """SHA-256 fingerprints of the DER certificates it signs requests with; two while one replaces the other."""
    roots: Annotated[list[_FilePath], Field(min_length=1)]
    """PEM files of the authorities its certificates may chain to."""
    revocation_lists: list[_FilePath] = []
    """PEM files of revocation lists; once one is given, the signer's authority must have a current one."""
    encryption_certificate: _FilePath
    """PEM file of the certificate its answers are encrypted to."""
    delivery: _FilePath
    """Folder its sealed answers are put into: a medium or a mediating host takes them from there."""
    arrivals: _FilePath
    """Folder its sealed requests and receipts are found in."""
    bases: list[BasisCode] = []
    """Codes of the legal bases it may name; none means that it gets nothing."""
    daily_lines: _Daily = 10_000
    daily_misses: _Daily = 100
    daily_same_person: _Daily = 5

    @model_validator(mode="after")
    def _is_jlis_or_not(self) -> Recipient:
        if (self.code == JLIS_CODE) != (self.kind is RecipientKind.JLIS):
            raise ValueError("kind")
        return self

    @property
    def pure(self) -> PureRecipient:
        """The recipient as the rules see it."""
        limits = Limits(self.daily_lines, self.daily_misses, self.daily_same_person)
        return PureRecipient(self.code, self.name, self.kind, self.receiver, frozenset(self.bases), limits)


class Recipients(BaseModel):
    """All registered recipients of the prefecture."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    recipient: list[Recipient] = []

    @model_validator(mode="after")
    def _share_no_identity(self) -> Recipients:
        registered = self.recipient
        identities = {
            "code": [one.code for one in registered],
            "signing_certificates": [print_ for one in registered for print_ in one.signing_certificates],
        }
        for key, values in identities.items():
            if any(count > 1 for count in Counter(values).values()):
                raise ConfigurationError(Code.CONFIG_SHARED, f"recipient.{key}")
        return self

    @property
    def codes(self) -> list[str]:
        """List the codes in the order of the file."""
        return [one.code for one in self.recipient]

    def of(self, code: str) -> Recipient:
        """Return the registration of a recipient.

        Raises: ConfigurationError(CONFIG_MISSING) when it is not registered.
        """
        for one in self.recipient:
            if one.code == code:
                return one
        raise ConfigurationError(Code.CONFIG_MISSING, "recipient")


def load_recipients(home: Home) -> Recipients:
    """Read `recipients.toml`; nobody is registered when there is no such file.

    Raises: ConfigurationError naming the keys at fault.
    """
    values = read_toml(home.recipients_file)
    registered = validated(lambda: Recipients(**values), home.recipients_file.name)
    _check_encryption_files(home, registered)
    _check_folders(home, registered)
    return registered


def delivery_of(home: Home, registered: Recipient) -> Path:
    """Name the folder the answers to a recipient are put into."""
    return located(home, registered.delivery)


def arrivals_of(home: Home, registered: Recipient) -> Path:
    """Name the folder the requests and receipts of a recipient are found in."""
    return located(home, registered.arrivals)


def _check_encryption_files(home: Home, registered: Recipients) -> None:
    """Refuse one key for two recipients, in whatever certificates: either could open what is meant for the other."""
    files = [_resolved(home, one.encryption_certificate) for one in registered.recipient]
    keys = list(map(_key_in, files))
    if len(set(keys)) < len(keys):
        raise ConfigurationError(Code.CONFIG_SHARED, "recipient.encryption_certificate")


def _key_in(path: Path) -> bytes | Path:
    """Give the public key of a certificate; its file where it can not be read, which whoever needs it tells."""
    try:
        key = x509.load_pem_x509_certificate(path.read_bytes()).public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (OSError, ValueError, UnsupportedAlgorithm):
        return path


def _check_folders(home: Home, registered: Recipients) -> None:
    """Refuse a folder that lies in another one, or in one of ours: an answer would be found by somebody else."""
    folders = list(_folders(home, registered))
    for key, folder in folders:
        holds_ours = any(own.is_relative_to(folder) for own in (home.root, home.outbox))
        if holds_ours or any(_overlap(folder, own) for own in home.own_folders):
            raise ConfigurationError(Code.CONFIG_INVALID, f"{home.recipients_file.name}: recipient.{key}")
    for (_, one), (key, other) in combinations(folders, 2):
        if _overlap(one, other):
            raise ConfigurationError(Code.CONFIG_SHARED, f"recipient.{key}")


def _folders(home: Home, registered: Recipients) -> Iterator[tuple[str, Path]]:
    for one in registered.recipient:
        yield "delivery", _resolved(home, one.delivery)
        yield "arrivals", _resolved(home, one.arrivals)


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _resolved(home: Home, path: str) -> Path:
    return located(home, path).resolve()
