"""Enter a request from paper: hold it to the form, seal it to ourselves, register it.

Leaves:     reading it privately to `juki.cli.private_input`.
Invariants: a request lies nowhere in clear. Who entered it is in the operation log.
Source:     docs/formats/request.md section 4, assessment M8.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from config.identities import recipient_keys, signing_identity
from juki.cli.acting import acting
from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.errors import ConfigurationError, JukiError
from juki.operators import checked_operator_id
from juki.provide.opening import sealed_to_ourselves
from juki.provide.registering import Desk, Registered, register
from juki.reasons import Code
from juki.requests import check_binding, parse_request


def entered_by(by: str) -> str:
    """Tell who enters: the operator who was let, else who is named.

    Raises: ConfigurationError(COMMAND_ARGUMENT) for an id of another form, or another than the operator's own.
    """
    own = acting().operator_id
    if own and by not in ("", own):
        raise ConfigurationError(Code.COMMAND_ARGUMENT, "--by")
    return own or checked_operator_id(by, "--by")


def desk_of(installation: Installation, operator: str) -> Desk:
    """Say where requests are taken in, by an operator at this terminal."""
    urls = {file: installation.store_url(file) for file in IdentityFile}
    who = acting()
    return Desk(
        installation.home, urls, who if who.operator_id else replace(who, actor=f"operator:{operator}")
    )


def enter_request(installation: Installation, document: bytes, operator: str, at: datetime) -> Registered:
    """Enter one request.

    Raises: what `juki.requests` raises; JukiError(REQUEST_NUMBER_REUSED) when its number was used for another.
    """
    request = parse_request(document)
    check_binding(request.name, request, request.recipient, installation.settings.prefecture_code)
    identity, own = signing_identity(installation.home), recipient_keys(installation.home)[0].certificate
    sealed = sealed_to_ourselves(document, identity, own)
    done = register(desk_of(installation, operator), request, sealed, at, operator)
    if done.is_refused and done.code is not None:
        raise JukiError(done.code, str(request.name))
    return done
