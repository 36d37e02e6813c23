"""The gateway: an assertion for an operator whose palm and one-time code both match, and for nobody else.

Decides:    the order of things: form, lock, one more failure counted, palm and code, failures forgotten, signature. A
            process that is killed in between has used a try up, never won one.
Leaves:     roles and permissions to the product, which knows them; here an operator is a 照合ID.
Invariants: palm and code are always both compared and refused with one answer. Five failures in a row lock, until an
            administrator lets go. Captures are kept nowhere; events hold codes and ids only.
Source:     assessment M7; docs/formats/operator-assertion.md.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from simulator.vein import assertions, one_time, templates
from simulator.vein.assertions import Act
from simulator.vein.issuer_keys import IssuerKeys
from simulator.vein.palms import Capture
from simulator.vein.refusals import Refusal, VeinRefusedError
from simulator.vein.register import Record, Register

MOST_FAILURES: Final = 5
CAPTURES_TO_ENROL: Final = 5
FEWEST_CAPTURES: Final = 2
ISSUED: Final = "assertion.issued"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What an operator takes home from the enrolment: the secret of the authenticator, shown once."""

    operator: str
    otp_secret: bytes = field(repr=False)
    setup_address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Presented:
    """What somebody presents at the device: who they say they are, a palm, a one-time code, and where."""

    operator: str
    capture: Capture
    otp: str = field(repr=False)
    terminal: str


@dataclass(frozen=True, slots=True)
class Gateway:
    """A device and its gateway, in a folder of their own."""

    folder: Path
    prefecture_code: str
    gateway_id: str = "vein-gateway-1"

    def create_missing(self) -> Gateway:
        """Make keys and folders where they are absent.

        Raises: VeinRefusedError(FORM) for a gateway or prefecture no assertion may name.
        """
        if not assertions.is_name(self.gateway_id) or not assertions.is_prefecture(self.prefecture_code):
            raise VeinRefusedError(Refusal.FORM)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._register.create_missing()
        self.keys.create_missing()
        return self

    @property
    def keys(self) -> IssuerKeys:
        """The keys that sign; their public parts go to the product."""
        return IssuerKeys(self.folder / "keys", self.gateway_id)

    @property
    def audience(self) -> str:
        """Whom the assertions are for."""
        return assertions.audience_of(self.prefecture_code)

    def enrol(self, operator: str, captures: Sequence[Capture], now: datetime) -> Enrolled:
        """Enrol an operator whose identity was established by other means.

        Raises: VeinRefusedError(FORM | ALREADY_ENROLLED | POOR_CAPTURES | RECORD_DAMAGED).
        """
        _check_operator(operator)
        with self._register.held():
            if self._register.find(operator) is not None:
                raise VeinRefusedError(Refusal.ALREADY_ENROLLED)
            if len(captures) < FEWEST_CAPTURES:
                raise VeinRefusedError(Refusal.POOR_CAPTURES)
            template = templates.enrol(captures)
            if not all(templates.matches(template, capture) for capture in captures):
                raise VeinRefusedError(Refusal.POOR_CAPTURES)
            secret = one_time.new_secret()
            self._register.enrol(operator, Record(template, secret))
        self._note(now, "operator.enrolled", operator)
        return Enrolled(operator, secret, one_time.setup_address(secret, operator, self.gateway_id))

    def revoke(self, operator: str, now: datetime) -> None:
        """Let the template of an operator count for nothing any more: it leaked, or the operator left.

        Raises: VeinRefusedError(FORM | NOT_ENROLLED).
        """
        _check_operator(operator)
        with self._register.held():
            if not self._register.is_enrolled(operator):
                raise VeinRefusedError(Refusal.NOT_ENROLLED)
            self._register.revoke(operator)
        self._note(now, "operator.revoked", operator)

    def unlock(self, operator: str, now: datetime) -> None:
        """Let an operator try again, after the administrator has seen who it is.

        Raises: VeinRefusedError(FORM | NOT_ENROLLED | RECORD_DAMAGED).
        """
        _check_operator(operator)
        with self._register.held():
            record = self._register.find(operator)
            if record is None:
                raise VeinRefusedError(Refusal.NOT_ENROLLED)
            self._register.put(operator, replace(record, failures=0))
        self._note(now, "operator.unlocked", operator)

    def issue(self, presented: Presented, act: Act, now: datetime) -> str:
        """Issue an assertion for one act, or count a failure.

        Raises: VeinRefusedError(FORM | PERSONAL_TARGET | NOT_AUTHENTICATED | LOCKED | RECORD_DAMAGED).
        """
        _check_operator(presented.operator)
        if not assertions.is_name(presented.terminal):
            raise VeinRefusedError(Refusal.FORM)
        assertions.check_act(act)
        try:
            with self._register.held():
                self._authenticate(presented, now)
        except VeinRefusedError as refused:
            self._note(now, refused.refusal.value, presented.operator, terminal=presented.terminal)
            raise
        return self._signed(presented, act, now)

    def _authenticate(self, presented: Presented, now: datetime) -> None:
        record = self._register.find(presented.operator)
        if record is None:
            raise VeinRefusedError(Refusal.NOT_AUTHENTICATED)
        if record.failures >= MOST_FAILURES:
            raise VeinRefusedError(Refusal.LOCKED)
        self._register.put(presented.operator, replace(record, failures=record.failures + 1))
        step = one_time.accepted_step(record.otp_secret, presented.otp, now, record.last_step)
        is_palm = templates.matches(record.template, presented.capture)
        if step is None or not is_palm:
            raise VeinRefusedError(Refusal.NOT_AUTHENTICATED)
        self._register.put(presented.operator, replace(record, failures=0, last_step=step))

    def _signed(self, presented: Presented, act: Act, now: datetime) -> str:
        jti, (kid, key) = assertions.new_jti(), self.keys.signing()
        claims = assertions.claims_of(
            presented.operator, act, presented.terminal,
            issuer=self.gateway_id, audience=self.audience, at=now, jti=jti,
        )  # fmt: skip
        # Noted before it is handed out: there may be an event without an assertion, never the other way round.
        self._note(now, ISSUED, presented.operator, terminal=presented.terminal, jti=jti)
        return assertions.sign(claims, key, kid)

    def _note(self, now: datetime, event: str, operator: str, **more: str) -> None:
        line = json.dumps({"at": now.isoformat(), "event": event, "operator": operator, **more}) + "\n"
        descriptor = os.open(self.folder / "events.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, line.encode("ascii"))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @property
    def _register(self) -> Register:
        return Register(self.folder / "operators", self.folder / "keys" / "device.key")


def _check_operator(operator: str) -> None:
    if not assertions.is_operator(operator):
        raise VeinRefusedError(Refusal.FORM)
