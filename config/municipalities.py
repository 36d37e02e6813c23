"""The registered municipalities: where each municipal CS is, and by what it proves that it is itself.

Decides:    what a registration consists of, and that two municipalities can not share an identity (M2).
Leaves:     connecting to `juki.wire.sftp`, verifying to `juki.wire`.
Invariants: one certificate belongs to one municipality, one account on one host as well; codes exist in the
            published list and lie in this prefecture; no fingerprint or host key is ever accepted "for now".
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from config.places import PREFECTURE_DIGITS, known_municipality_codes, municipality_name
from config.reading import parse_toml, read_text, validated
from juki.codes import is_municipality_code
from juki.errors import ConfigurationError
from juki.home import Home
from juki.reasons import Code

_HOST_KEY = re.compile(r"(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/]+={0,2}")


def _known_code(code: str) -> str:
    if code not in known_municipality_codes():
        raise ValueError("code")
    return code


def _code_form(code: str) -> str:
    """Take any well-formed code: that of a municipality that is no more leaves the published list."""
    if not is_municipality_code(code):
        raise ValueError("code")
    return code


def _host_key(line: str) -> str:
    if _HOST_KEY.fullmatch(line) is None:
        raise ValueError("host key")
    return line


class Municipality(BaseModel):
    """One registered municipality; paths are relative to JUKI_HOME unless absolute."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    code: Annotated[str, AfterValidator(_known_code)]
    name: Annotated[str, Field(min_length=1)]
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 22
    account: Annotated[str, Field(min_length=1)]
    host_key: Annotated[str, AfterValidator(_host_key)]
    """Public host key as one OpenSSH line without host name and comment."""
    signing_certificates: Annotated[
        list[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]], Field(min_length=1, max_length=2)
    ]
    """SHA-256 fingerprints of the DER certificates it signs with; two while one replaces the other."""
    roots: Annotated[list[str], Field(min_length=1)]
    """PEM files of the authorities its certificates may chain to."""
    revocation_lists: list[str] = []
    """PEM files of revocation lists; once one is given, the signer's authority must have a current one."""
    receipt_certificate: str
    """PEM file of the certificate receipts are encrypted to."""
    answers_digests: bool = False
    """Whether its CS answers requests for digests (docs/formats/digest.md): asked before its records are."""


class Municipalities(BaseModel):
    """All registered municipalities of the prefecture."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    municipality: list[Municipality] = []
    closed: list[Annotated[str, AfterValidator(_code_form)]] = []
    """Codes of municipalities that are no more (廃置分合): what they sent stays, nobody is to be reached there."""

    @model_validator(mode="after")
    def _share_no_identity(self) -> Municipalities:
        registered = self.municipality
        identities = {
            "code": [one.code for one in registered],
            "signing_certificates": [print_ for one in registered for print_ in one.signing_certificates],
            "account": [f"{one.account}@{one.host}:{one.port}" for one in registered],
        }
        for key, values in identities.items():
            if any(count > 1 for count in Counter(values).values()):
                raise ConfigurationError(Code.CONFIG_SHARED, key)
        if set(self.codes) & set(self.closed):
            raise ConfigurationError(Code.CONFIG_INVALID, "closed")
        return self

    @property
    def codes(self) -> list[str]:
        """List the codes in the order of the file."""
        return [one.code for one in self.municipality]

    def of(self, code: str) -> Municipality:
        """Return the registration of a municipality.

        Raises: ConfigurationError(CONFIG_MISSING) when it is not registered.
        """
        for one in self.municipality:
            if one.code == code:
                return one
        raise ConfigurationError(Code.CONFIG_MISSING, "municipality")

    def name(self, code: str) -> str:
        """Name a municipality as it is registered, else as it is published."""
        return next((one.name for one in self.municipality if one.code == code), "") or municipality_name(
            code
        )


def load_municipalities(home: Home, prefecture_code: str) -> Municipalities:
    """Read `municipalities.toml`; none registered when there is no such file.

    Raises: ConfigurationError naming the keys at fault.
    """
    name = home.municipalities_file.name
    registered = _registered(read_text(home.municipalities_file), name)
    if any(code[:PREFECTURE_DIGITS] != prefecture_code[:PREFECTURE_DIGITS] for code in registered.codes):
        raise ConfigurationError(Code.CONFIG_INVALID, f"{name}: municipality.code")
    return registered


@lru_cache(maxsize=2)
def _registered(text: str, name: str) -> Municipalities:
    """Read the register out of its text: every step of every channel asks, and seldom was it edited."""
    values = parse_toml(text, name)
    return validated(lambda: Municipalities(**values), name)


def located(home: Home, path: str) -> Path:
    """Resolve a path of a registration, which is relative to JUKI_HOME."""
    return home.root / path
