"""The system account the embedded PostgreSQL runs under: ours, or another when we are root.

Decides:    which account that is, and with what it may reach a data folder below closed folders.
Invariants: no account is created, and no folder that exists is opened to anyone. PostgreSQL refuses to run as
            root, so root lends it an existing unprivileged account; only where the home lies below a folder
            closed to that account is it given CAP_DAC_OVERRIDE, and then nothing else.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from juki.errors import StoreError
from juki.reasons import Code

_CANDIDATES = ("juki", "postgres", "nobody")
"""Accounts root may lend, the first that exists: one made for us, that of a PostgreSQL package, anyone's."""
_PASS_CLOSED_FOLDERS = (
    *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
    # Without it access(2) ignores the capability, and initdb does not find the programs beside it.
    "--securebits=+no_setuid_fixup",
)


@dataclass(frozen=True, slots=True)
class Account:
    """One account: who runs the server and owns its files. `is_lent` when root lends it."""

    uid: int
    gid: int
    is_lent: bool

    def owns(self, path: Path) -> bool:
        """Tell whether a file or folder belongs to this account."""
        return path.stat().st_uid == self.uid

    def own(self, path: Path) -> None:
        """Give a file or folder that we just created to this account."""
        if self.is_lent:
            os.chown(path, self.uid, self.gid)

    def write(self, path: Path, text: str) -> None:
        """Replace a file of this account, readable by it only."""
        aside = path.with_name(path.name + ".new")
        aside.unlink(missing_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        self.own(aside)
        aside.replace(path)

    def run(self, command: Sequence[str | Path], folder: Path, *, timeout_seconds: float) -> None:
        """Run a program that works in `folder` as this account, to its end, discarding what it prints.

        Raises: what `subprocess.run` raises when the program can not be started, fails or takes too long.
        """
        subprocess.run(  # noqa: S603 - programs of our own wheel, no shell
            [*self._lending(command[0], folder), *command],
            cwd="/",
            check=True,
            timeout=timeout_seconds,
            # The server inherits these; a pipe would keep us waiting for as long as it runs.
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            umask=0o077,
        )

    def _lending(self, program: str | Path, folder: Path) -> list[str]:
        """Name the prefix that turns root into this account, with the capability only where it is needed."""
        if not self.is_lent:
            return []
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise StoreError(Code.STORE_EMBEDDED, "setpriv")
        become = [setpriv, f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        # Try it rather than reason about modes: access lists and mount options count as well.
        reach = ["/bin/sh", "-c", 'cd "$1" && exec "$2" --version', "sh", str(folder), str(program)]
        tried = subprocess.run([*become, *reach], cwd="/", check=False, capture_output=True)  # noqa: S603
        return become if tried.returncode == 0 else [*become, *_PASS_CLOSED_FOLDERS]


def server_account(data: Path) -> Account:
    """Choose the account for a data folder: its owner if it exists, else ours or, as root, a lent one."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), is_lent=False)
    if data.is_dir():
        owner = data.stat()
        return Account(owner.st_uid, owner.st_gid, is_lent=True)
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, is_lent=True)
    raise StoreError(Code.STORE_EMBEDDED, "account")
