"""The layout of JUKI_HOME: the one folder in which this system keeps files.

Decides:    what lies where, and who may look in: the owner only (folders 0700, files 0600).
Leaves:     what is inside each folder to the module that writes it.
Invariants: nothing outside JUKI_HOME is ever created, the short socket folder of `juki.store.embedded` apart.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

DEFAULT_HOME = ".juki"
PRIVATE_UMASK = 0o077
_CLOSED, _PASSABLE = 0o700, 0o711


@dataclass(frozen=True, slots=True)
class Home:
    """One JUKI_HOME; `root` is absolute, with symbolic links resolved."""

    root: Path

    @classmethod
    def at(cls, path: Path | str) -> Home:
        """Name the home at a path, which need not exist yet."""
        return cls(Path(path).expanduser().resolve())

    @property
    def settings_file(self) -> Path:
        """The settings (`juki.toml`)."""
        return self.root / "juki.toml"

    @property
    def municipalities_file(self) -> Path:
        """The registered municipalities."""
        return self.root / "municipalities.toml"

    @property
    def recipients_file(self) -> Path:
        """The registered recipients of provision and transfer."""
        return self.root / "recipients.toml"

    @property
    def issuers_file(self) -> Path:
        """The keys of the vein gateways whose assertions are believed."""
        return self.root / "issuers.toml"

    @property
    def ordinance_bases_file(self) -> Path:
        """The work this prefecture's ordinances name (法30条の15①二, ②二)."""
        return self.root / "ordinance_bases.toml"

    @property
    def basis_decisions_file(self) -> Path:
        """What this prefecture decided on legal bases: use of 個人番号 (番号法9条), withdrawals."""
        return self.root / "basis_decisions.toml"

    @property
    def keys(self) -> Path:
        """Keys of the stores, of the envelope and of the SFTP client."""
        return self.root / "keys"

    @property
    def postgres(self) -> Path:
        """The embedded PostgreSQL: data, socket and log."""
        return self.root / "postgres"

    @property
    def spool(self) -> Path:
        """Packages fetched and not yet settled, and parts of files on their way."""
        return self.root / "spool"

    @property
    def quarantine(self) -> Path:
        """Packages that were refused, as they came."""
        return self.root / "quarantine"

    @property
    def outbox(self) -> Path:
        """Sealed packages on their way out."""
        return self.root / "outbox"

    @property
    def provisions(self) -> Path:
        """Sealed provisions, kept under the key of their hold until it ends."""
        return self.outbox / "provisions"

    @property
    def requests(self) -> Path:
        """Requests of recipients, sealed as they came, by the provision that answers each."""
        return self.root / "requests"

    @property
    def holds(self) -> Path:
        """The keys of the holds, one a provision. Never part of a backup: a copy of a key would outlive its hold."""
        return self.root / "holds"

    @property
    def prefect(self) -> Path:
        """Prefect's own home; no personal value may reach it."""
        return self.root / "prefect"

    @property
    def notifications(self) -> Path:
        """Alarms as they were told, and letters still to be posted; made when the first is told."""
        return self.root / "notifications"

    @property
    def logs(self) -> Path:
        """Logs of codes and counts."""
        return self.root / "logs"

    @property
    def witness(self) -> Path:
        """Checkpoints of the operation logs, where no folder outside is named for them; made by `juki init` alone."""
        return self.root / "witness"

    @property
    def quality(self) -> Path:
        """Reports of the quality check and their pages; counts and codes. Made by its first run."""
        return self.root / "quality"

    @property
    def lineage(self) -> Path:
        """Events of runs in the form of OpenLineage; codes and counts. Made by the first run."""
        return self.root / "lineage"

    @property
    def demo_summary(self) -> Path:
        """What the demo found, by chapter."""
        return self.root / "demo-summary.json"

    @property
    def own_folders(self) -> tuple[Path, ...]:
        """The folders only this system writes into; what others fetch lies elsewhere or below the outbox."""
        return (
            self.keys, self.holds, self.provisions, self.requests, self.postgres, self.spool, self.quarantine,
            self.prefect, self.logs, self.witness, self.quality,
            self.prefect, self.logs, self.witness, self.notifications, self.lineage,
        )  # fmt: skip

    @property
    def exists(self) -> bool:
        """Tell whether this home was created before."""
        return self.keys.is_dir()

    def create(self) -> bool:
        """Create the folders that are absent and close them to others; say whether any was created.

        Run by root, the home itself may be passed through (0711) but not listed, for the embedded PostgreSQL
        refuses to run as root and must reach its own folder below.
        """
        mode = _PASSABLE if os.geteuid() == 0 else _CLOSED
        created = _ensure_folder(self.root, mode)
        folders = (
            self.keys, self.holds, self.spool, self.quarantine, self.outbox, self.provisions, self.requests,
            self.prefect, self.logs,
        )  # fmt: skip
        for folder in folders:
            created |= _ensure_folder(folder, _CLOSED)
        return created


def close_to_others() -> None:
    """Give whatever this process creates from now on to its owner only (umask 077)."""
    os.umask(PRIVATE_UMASK)


def _ensure_folder(folder: Path, mode: int) -> bool:
    is_new = not folder.is_dir()
    if is_new:
        folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o777 != mode:
        folder.chmod(mode)
    return is_new
