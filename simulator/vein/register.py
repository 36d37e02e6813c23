"""The device's register of enrolled operators: one sealed file each, changed by one process at a time.

Decides:    what a record holds, how it is sealed (AES-256-GCM under the key of the device, bound to its 照合ID), and
            that an operator has one template in force or none: a revoked one stays so, even when it is put back.
Leaves:     when failures are counted and templates revoked to `simulator.vein.gateway`.
Invariants: files are 0600, replaced whole, on the disk when the call returns. A record of another operator, or an
            altered one, is refused. An old copy of a record in force is not noticed: the folder is the device's own.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from juki.durable import sync_folder
from juki.keys import read_private, write_private
from simulator.vein.refusals import Refusal, VeinRefusedError
from simulator.vein.templates import Template

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Record:
    """What the device knows of an operator: a protected template, a secret, and how often in a row it failed."""

    template: Template
    otp_secret: bytes = field(repr=False)
    failures: int = 0
    last_step: int = 0


@dataclass(frozen=True, slots=True)
class Register:
    """The records in a folder, under the key of the device."""

    folder: Path
    key_file: Path

    def create_missing(self) -> None:
        """Make the folder and the key of the device where they are absent."""
        for folder in (self.folder, self.key_file.parent):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.key_file.exists():
            write_private(self.key_file, secrets.token_bytes(_KEY_BYTES))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let nobody else work with the register meanwhile: tries are counted one after the other."""
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def find(self, operator: str) -> Record | None:
        """Read the record in force of an operator; None where there is none.

        Raises: VeinRefusedError(RECORD_DAMAGED).
        """
        if not self.is_enrolled(operator):
            return None
        record = self._opened(operator)
        return record if record.template.template_id == self._in_force()[operator] else None

    def is_enrolled(self, operator: str) -> bool:
        """Tell whether a template of an operator is in force."""
        return operator in self._in_force()

    def enrol(self, operator: str, record: Record) -> None:
        """Write a new record and put its template into force, in this order."""
        self.put(operator, record)
        self._put_in_force({**self._in_force(), operator: record.template.template_id})

    def put(self, operator: str, record: Record) -> None:
        """Write a record in the place of what was there."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        self._replace(
            self._path(operator), nonce + self._cipher().encrypt(nonce, _written(record), _bound(operator))
        )

    def revoke(self, operator: str) -> None:
        """Let the template of an operator count for nothing any more, and remove what is left of it."""
        self._put_in_force({other: of for other, of in self._in_force().items() if other != operator})
        self._path(operator).unlink(missing_ok=True)
        sync_folder(self.folder)

    def _opened(self, operator: str) -> Record:
        try:
            sealed = self._path(operator).read_bytes()
            content = self._cipher().decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(operator))
            return _read(content)
        except (FileNotFoundError, InvalidTag, ValueError):
            pass
        raise VeinRefusedError(Refusal.RECORD_DAMAGED)

    def _in_force(self) -> dict[str, str]:
        path = self._register_file()
        return dict(json.loads(path.read_text("ascii"))) if path.exists() else {}

    def _put_in_force(self, templates: dict[str, str]) -> None:
        self._replace(self._register_file(), json.dumps(templates, indent=0, sort_keys=True).encode("ascii"))

    def _replace(self, path: Path, content: bytes) -> None:
        aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        write_private(aside, content)
        aside.replace(path)
        sync_folder(path.parent)

    def _cipher(self) -> AESGCM:
        return AESGCM(read_private(self.key_file))

    def _path(self, operator: str) -> Path:
        return self.folder / f"{operator}.sealed"

    def _register_file(self) -> Path:
        # Beside the key, not the records: whoever puts old records back does not put this back with them.
        return self.key_file.with_name("in-force.json")


def _bound(operator: str) -> bytes:
    return b"vein-record/1:" + operator.encode("ascii")


def _written(record: Record) -> bytes:
    template = record.template
    items = {
        "template_id": template.template_id,
        "seed": template.seed.hex(),
        "offset": template.offset.hex(),
        "check": template.check.hex(),
        "otp_secret": record.otp_secret.hex(),
        "failures": record.failures,
        "last_step": record.last_step,
    }
    return json.dumps(items).encode("ascii")


def _read(content: bytes) -> Record:
    items = json.loads(content)
    parts = (bytes.fromhex(items[name]) for name in ("seed", "offset", "check"))
    template = Template(items["template_id"], *parts)
    secret = bytes.fromhex(items["otp_secret"])
    return Record(template, secret, items["failures"], items["last_step"])
