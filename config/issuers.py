"""The registered keys of the vein gateways: whose assertions are believed, and on which days.

Decides:    the form of `issuers.toml`.
Leaves:     what an assertion proves to `juki.assertions`.
Invariants: a key id names one key; an old key may stand beside the new one while gateways change over; without the
            file no operator can act.
Source:     docs/formats/operator-assertion.md, M7, ADR-0036.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from config.municipalities import located
from config.reading import read_toml, validated
from juki.assertions import Issuer, issuer_key
from juki.dates import JAPAN
from juki.errors import ConfigurationError
from juki.home import Home
from juki.reasons import Code

_Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]


class _Key(BaseModel):
    """One key of one gateway; its path is relative to JUKI_HOME unless absolute, both its days (of Japan) count."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    issuer: _Word
    key_id: _Word
    public_key: Annotated[str, Field(min_length=1)]
    """PEM file of the Ed25519 public key."""
    valid_from: date
    valid_to: date | None = None

    def read(self, home: Home) -> Issuer:
        """Read the key.

        Raises: ConfigurationError(CONFIG_INVALID) naming the file that is not what it must be.
        """
        try:
            key = issuer_key(located(home, self.public_key).read_bytes())
        except (OSError, ValueError):
            key = None
        if key is None:
            raise ConfigurationError(Code.CONFIG_INVALID, f"issuers.toml: {self.key_id}")
        begin = datetime.combine(self.valid_from, time.min, JAPAN)
        end = datetime.combine(self.valid_to, time.max, JAPAN) if self.valid_to else None
        return Issuer(self.issuer, self.key_id, key, begin, end)


class _Keys(BaseModel):
    """All of them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    key: list[_Key] = []

    @model_validator(mode="after")
    def _name_each_once(self) -> _Keys:
        ids = [one.key_id for one in self.key]
        if len(set(ids)) < len(ids):
            raise ConfigurationError(Code.CONFIG_SHARED, "key.key_id")
        return self


def load_issuers(home: Home) -> list[Issuer]:
    """Read the registered keys; none when there is no file.

    Raises: ConfigurationError naming what is wrong.
    """
    values = read_toml(home.issuers_file)
    keys = validated(lambda: _Keys(**values), home.issuers_file.name)
    return [one.read(home) for one in keys.key]
