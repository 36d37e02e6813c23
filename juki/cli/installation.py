"""The installation a command works on: its home, settings, municipalities and running stores.

Decides:    that a command needs an initialised home and starts the embedded server when it is not running.
Leaves:     creating anything to `juki init`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from config import stores
from config.municipalities import Municipalities, load_municipalities
from config.overviews import limits_of, watched_of
from config.recipients import load_recipients
from config.settings import Period, Settings, home_of, load_settings
from juki.codes import is_municipality_code
from juki.columns import IdentityFile
from juki.errors import ConfigurationError
from juki.health import ChannelHealth, Limits
from juki.home import Home
from juki.overview.channels import channels_of
from juki.overview.jlis import JlisHealth, jlis_health
from juki.overview.watched import Watched
from juki.reasons import Code
from juki.recipients import JLIS_CODE
from juki.shown import explained, iso, shown, shown_briefly
from juki.store.roles import Duty
from juki.store.status import Overview
from juki.store.unit import open_unit

__all__ = [
    "Installation", "OneFile", "OneMunicipality", "checked_municipality", "chosen_files", "explained", "iso",
    "shown", "shown_briefly",
]  # fmt: skip

OneMunicipality = Annotated[
    str, typer.Option("--municipality", metavar="CODE", help="市町村コード（6桁）で絞る")
]
OneFile = Annotated[
    IdentityFile | None,
    typer.Option("--file", help="resident 本人確認情報 / fuhyo 附票本人確認情報 で絞る"),
]


@dataclass(frozen=True, slots=True)
class Installation:
    """One initialised home with its stores running."""

    home: Home
    settings: Settings
    municipalities: Municipalities

    @classmethod
    def open(cls) -> Installation:
        """Open the installation of this process; the embedded server is started if it is not running.

        Raises: ConfigurationError(CONFIG_NOT_INITIALISED) before `juki init`, or naming what is wrong.
        """
        home = home_of()
        if not home.exists:
            raise ConfigurationError(Code.CONFIG_NOT_INITIALISED, "JUKI_HOME")
        settings = load_settings(home)
        municipalities = load_municipalities(home, settings.prefecture_code)
        stores.ensure_servers(home, settings)
        return cls(home, settings, municipalities)

    def store_url(self, file: IdentityFile) -> str:
        """Tell where the store of a file is."""
        return stores.admin_url(self.home, self.settings, file)

    @contextmanager
    def overview(self, file: IdentityFile) -> Iterator[Overview]:
        """Look into the register of one store, as a reader."""
        with open_unit(self.store_url(file), file, Duty.READER) as unit:
            yield Overview(file, unit.connection)

    def limits(self) -> Limits:
        """Return the periods that health is judged by.

        Raises: ConfigurationError(CONFIG_MISSING) naming the one nobody has decided.
        """
        return limits_of(self.settings)

    @property
    def watched(self) -> Watched:
        """Say what is watched of it, and by which periods.

        Raises: ConfigurationError(CONFIG_MISSING) naming a period nobody has decided.
        """
        return watched_of(self.home, self.settings, self.municipalities)

    def health(self, now: datetime, limits: Limits) -> list[ChannelHealth]:
        """Judge every channel, in the order of the registrations, both files of a municipality together."""
        urls = {file: self.store_url(file) for file in IdentityFile}
        return channels_of(urls, self.municipalities.codes, self.municipalities.closed, limits, now)

    def jlis(self, now: datetime) -> list[JlisHealth]:
        """Judge the notices of both files to J-LIS.

        Raises: ConfigurationError(CONFIG_MISSING) when nobody decided how long an answer may take.
        """
        urls = {file: self.store_url(file) for file in IdentityFile}
        alert_after = self.settings.hours(Period.JLIS_ANSWER_ALERT)
        return jlis_health(
            urls, alert_after, now, is_registered=JLIS_CODE in load_recipients(self.home).codes
        )

    def name(self, municipality_code: str) -> str:
        """Name a municipality as it is registered, else as it is published."""
        return self.municipalities.name(municipality_code)


def chosen_files(file: IdentityFile | None) -> Sequence[IdentityFile]:
    """List the files an option asks for: one, or both."""
    return [file] if file else list(IdentityFile)


def checked_municipality(code: str) -> str:
    """Return a municipality code that has the form of one; empty stands for all.

    Raises: ConfigurationError(COMMAND_ARGUMENT).
    """
    if code and not is_municipality_code(code):
        raise ConfigurationError(Code.COMMAND_ARGUMENT, "--municipality")
    return code
