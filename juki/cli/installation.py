"""The installation a command works on: its home, settings, municipalities and running stores.

Decides:    that a command needs an initialised home and starts the embedded server when it is not running.
Leaves:     creating anything to `juki init`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import typer

from config import stores
from config.municipalities import Municipalities, load_municipalities
from config.places import municipality_name
from config.settings import Period, Settings, home_of, load_settings
from juki.codes import is_municipality_code
from juki.columns import IdentityFile
from juki.dates import JAPAN
from juki.errors import ConfigurationError
from juki.health import ChannelHealth, Limits, judge
from juki.home import Home
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.status import Overview
from juki.store.unit import open_unit

_NEAR = timedelta(days=183)

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
        return Limits(
            gap_deadline=self.settings.hours(Period.GAP_DEADLINE),
            contact_alert=self.settings.hours(Period.CONTACT_ALERT),
            confirmed_alert=self.settings.hours(Period.CONFIRMED_ALERT),
        )

    def health(self, now: datetime, limits: Limits) -> list[ChannelHealth]:
        """Judge every channel, in the order of the registrations, both files of a municipality together."""
        judged, registered = [], self.municipalities
        for file in IdentityFile:
            with self.overview(file) as overview:
                facts = overview.channels(registered.codes, registered.closed)
            judged += [judge(one, limits, now) for one in facts]
        places = {code: place for place, code in enumerate(registered.codes)}
        return sorted(judged, key=lambda one: _place(one, places))

    def name(self, municipality_code: str) -> str:
        """Name a municipality as it is registered, else as it is published."""
        names = {one.code: one.name for one in self.municipalities.municipality}
        return names.get(municipality_code) or municipality_name(municipality_code)


def _place(one: ChannelHealth, places: dict[str, int]) -> tuple[int, str, int]:
    code = one.facts.channel.municipality_code
    return places.get(code, len(places)), code, list(IdentityFile).index(one.facts.channel.file)


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


def shown(at: datetime | None) -> str:
    """Write an instant as people in Japan read it, to the minute; a dash where there is none."""
    return at.astimezone(JAPAN).strftime("%Y-%m-%d %H:%M") if at else "-"


def shown_briefly(at: datetime | None, now: datetime) -> str:
    """Write an instant for a crowded table: without the year within half a year of now, else its day alone."""
    if at is None:
        return "-"
    is_near = abs(now - at) < _NEAR
    return at.astimezone(JAPAN).strftime("%m-%d %H:%M" if is_near else "%Y-%m-%d")


def iso(at: datetime | None) -> str | None:
    """Write an instant for programs, in Japanese time with its offset."""
    return at.astimezone(JAPAN).isoformat() if at else None


def explained(code: Code) -> dict[str, str]:
    """Write a code for programs: with its severity, sentence and next step."""
    return {
        "code": code.value, "severity": code.severity.value,
        "message": code.message, "next_step": code.next_step,
    }  # fmt: skip
