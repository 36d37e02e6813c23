"""The second factor: time-based one-time passwords, each good for one use.

Decides:    six digits every thirty seconds, one step of skew either way, and that a step once used, and every earlier
            one, is used up.
Leaves:     counting the tries to `simulator.vein.gateway`.
Source:     RFC 6238 (5.2: a code is accepted once), RFC 4226; the defaults every authenticator app knows.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from cryptography.hazmat.primitives.twofactor.totp import TOTP

DIGITS: Final = 6
STEP_SECONDS: Final = 30
_SKEW_STEPS: Final = 1
_SECRET_BYTES: Final = 20


def new_secret() -> bytes:
    """Draw the secret of one operator's authenticator."""
    return secrets.token_bytes(_SECRET_BYTES)


def code_at(secret: bytes, at: datetime) -> str:
    """Show what the authenticator shows at an instant."""
    return _code(secret, step_at(at))


def step_at(at: datetime) -> int:
    """Number the steps of thirty seconds since 1970."""
    return int(at.timestamp()) // STEP_SECONDS


def accepted_step(secret: bytes, code: str, at: datetime, last_step: int) -> int | None:
    """Give the step a code is of, or None for a code that is wrong, too old, too early or used up."""
    now = step_at(at)
    steps = (step for step in range(now - _SKEW_STEPS, now + _SKEW_STEPS + 1) if step > last_step)
    offered = code.encode("utf-8")
    return next((step for step in steps if hmac.compare_digest(_code(secret, step).encode(), offered)), None)


def setup_address(secret: bytes, operator: str, issuer: str) -> str:
    """Write the otpauth address an authenticator app is set up with."""
    return TOTP(secret, DIGITS, SHA1(), STEP_SECONDS).get_provisioning_uri(operator, issuer)


def _code(secret: bytes, step: int) -> str:
    return HOTP(secret, DIGITS, SHA1()).generate(step).decode("ascii")
