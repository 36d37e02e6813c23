"""The gate of an installation, as its settings and its registered gateways make it."""

from __future__ import annotations

from config.issuers import load_issuers
from config.settings import Settings
from config.stores import admin_url
from juki.assertions import audience_of
from juki.columns import IdentityFile
from juki.gate import Gate
from juki.home import Home
from juki.operators import Acting


def gate_of(home: Home, settings: Settings, bystander: Acting, *, is_overlooked: bool = False) -> Gate:
    """Open the gate; `bystander` is who stands before it as far as the machine knows.

    `is_overlooked`: what is presented before it is kept where others read it.

    Raises: ConfigurationError naming what is wrong with the registered keys.
    """
    return Gate(
        urls={file: admin_url(home, settings, file) for file in IdentityFile},
        issuers=load_issuers(home),
        audience=audience_of(settings.prefecture_code),
        most_failures=settings.operator_failures_most,
        bystander=bystander,
        is_overlooked=is_overlooked,
    )
