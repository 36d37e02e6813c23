"""The site: the Prefect server of this home with its worker, as far as other processes need to know of it.

Decides:    what is written down while it runs (who watches over it, where it answers), and what its state is by that.
Leaves:     starting and ending it to `flows.serving`.
Invariants: what is written down is believed only while the process that wrote it lives and goes on writing. Passwords
            lie in files of mode 0600 of their own, are made once, and are in no repr.
Source:     design 6, ADR-0034.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from juki.durable import sync_folder
from juki.home import Home
from juki.keys import read_private, write_private
from juki.processes import lives
from juki.reasons import Code

USER = "juki"
_PASSWORD_BYTES = 24
_BEAT_OVERDUE = timedelta(minutes=3)
"""Three beats that stayed away: whoever watches over the site hangs."""
_START_OVERDUE = timedelta(minutes=10)
_LATELY = timedelta(hours=1)


class SiteState(StrEnum):
    """How the site is; the values are what `juki status --json` says."""

    DOWN = "down"
    STARTING = "starting"
    UP = "up"
    TROUBLED = "troubled"
    """Its server, its worker or what watches over them does not answer."""
    BROKEN = "broken"
    """It was started, never stopped, and nobody watches over it."""

    @property
    def japanese(self) -> str:
        """The word on screens."""
        return {
            "down": "止まっています", "starting": "起動しています", "up": "動いています",
            "troubled": "応答しません", "broken": "異常終了しています",
        }[self.value]  # fmt: skip


@dataclass(frozen=True, slots=True)
class SiteNote:
    """What the supervisor writes down of the site."""

    supervisor: str
    """The process that watches over it, by number and beginning."""
    port: int
    since: str
    is_ready: bool = False
    is_answering: bool = False
    restarts: int = 0
    failure: str = ""
    """The code of what kept it from starting."""
    is_working: bool = False
    """Whether its worker was heard of since it was started."""
    beat: str = ""
    """When this was written, at least every minute while somebody watches."""
    restarted: tuple[str, ...] = ()
    """When a part was started again, lately."""
    failing: tuple[str, ...] = ()
    """What its supervisor can not do for a reason nobody foresaw."""

    @property
    def is_owned(self) -> bool:
        """Tell whether its writer lives."""
        return lives(self.supervisor)

    def is_serving_at(self, now: datetime) -> bool:
        """Tell whether its server may be asked."""
        return self.is_owned and self._is_beating_at(now) and self.is_ready and self.is_answering

    def state_at(self, now: datetime) -> SiteState:
        """Judge it by whether its writer lives, writes, and what it wrote."""
        if not self.is_owned:
            return SiteState.BROKEN
        if not self._is_watched_at(now):
            return SiteState.TROUBLED
        if not self.is_ready:
            return SiteState.STARTING
        return SiteState.UP if self.is_answering and self.is_working else SiteState.TROUBLED

    def trouble_at(self, now: datetime) -> Code | None:
        """Say why no schedule may be running; None while all is well or may become so."""
        state = self.state_at(now)
        if state is SiteState.BROKEN:
            return Code.SITE_BROKEN
        if state is SiteState.STARTING:
            return Code.SITE_NOT_STARTED if now - self.since_at > _START_OVERDUE else None
        if state is SiteState.UP:
            return None
        if not self._is_watched_at(now):
            return Code.SITE_UNWATCHED
        return Code.SITE_WORKER_SILENT if self.is_answering else Code.SITE_SILENT

    def restarted_lately(self, now: datetime) -> tuple[str, ...]:
        """List when parts were started again within the hour before an instant."""
        return tuple(one for one in self.restarted if now - datetime.fromisoformat(one) < _LATELY)

    def _is_watched_at(self, now: datetime) -> bool:
        return not self.failing and self._is_beating_at(now)

    def _is_beating_at(self, now: datetime) -> bool:
        # A clock that was set back makes beats of the future; those are believed for as long.
        return bool(self.beat) and abs(now - datetime.fromisoformat(self.beat)) < _BEAT_OVERDUE

    @property
    def since_at(self) -> datetime:
        """The instant it was started."""
        return datetime.fromisoformat(self.since)

    @property
    def pages(self) -> str:
        """The address of the screens."""
        return pages_of(self.port)


MORNING_PAGE = "morning"
"""The key of the page that says how everything stands; its plots have keys that begin with it."""


def morning_page(pages: str) -> str:
    """Name the address of the morning page, from that of the screens."""
    return f"{pages}/artifacts/key/{MORNING_PAGE}"


def pages_of(port: int) -> str:
    """Name the address of the screens: this machine's own, nobody else's."""
    return f"http://127.0.0.1:{port}"


@dataclass(frozen=True, slots=True)
class SiteFiles:
    """The files of the site in a home."""

    home: Home

    @property
    def note_file(self) -> Path:
        """What is written down while it runs."""
        return self.home.prefect / "site.json"

    @property
    def lock_file(self) -> Path:
        """Held by the one supervisor there may be."""
        return self.home.prefect / "site.lock"

    @property
    def password_file(self) -> Path:
        """The password of the screens and the API."""
        return self.home.prefect / "password"

    def note(self) -> SiteNote | None:
        """Read what is written down; None when the site was never started or was stopped."""
        try:
            said = {**json.loads(self.note_file.read_text())}
            lists = {name: tuple(one) for name, one in said.items() if isinstance(one, list)}
            return SiteNote(**said | lists)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            # Half a note of a machine that lost its power: whoever wrote it is no more.
            return SiteNote("", 0, "1970-01-01T00:00:00+00:00")

    def write(self, note: SiteNote) -> None:
        """Replace what is written down."""
        aside = self.note_file.with_suffix(".new")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(note), file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.note_file)
        sync_folder(self.home.prefect)

    def forget(self) -> None:
        """Note that the site was stopped on purpose."""
        self.note_file.unlink(missing_ok=True)

    def state_at(self, now: datetime) -> SiteState:
        """Tell how the site is."""
        note = self.note()
        return SiteState.DOWN if note is None else note.state_at(now)

    def credentials(self) -> str:
        """Return user and password as Prefect wants them, made the first time.

        Raises: ConfigurationError(KEY_PERMISSIONS).
        """
        return f"{USER}:{_secret(self.password_file, secrets.token_urlsafe(_PASSWORD_BYTES))}"

    def encryption_key(self) -> str:
        """Return the key by which the server encrypts what is typed into its blocks, made the first time.

        Raises: ConfigurationError(KEY_PERMISSIONS).
        """
        made = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        return _secret(self.home.prefect / "encryption-key", made)

    def site_key(self) -> str:
        """Return the key by which the site's own processes prove themselves to its server, beside the password.

        Raises: ConfigurationError(KEY_PERMISSIONS).
        """
        return _secret(self.home.prefect / "site-key", secrets.token_urlsafe(_PASSWORD_BYTES))


def _secret(path: Path, made: str) -> str:
    with contextlib.suppress(FileExistsError):
        if not path.exists():
            write_private(path, made.encode() + b"\n")
    return read_private(path).decode().strip()
