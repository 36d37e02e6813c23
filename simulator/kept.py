"""What is kept of a demonstration, so that its municipalities can go on living when its process has ended.

Decides:    what has to be known to go on: how the world was made, which days it lived, where every office's numbers
            stand, and at which port with which key its CS was.
Invariants: the world itself is not kept: it follows from what is (`simulator.world`). What is kept is the owner's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date

import asyncssh

from juki.home import Home
from juki.keys import write_private
from simulator import installation
from simulator.office import MunicipalOffice
from simulator.world import World

Numbers = Mapping[str, Mapping[str, Mapping[str, int]]]
"""By municipality and file: `simulator.office.MunicipalOffice.numbers`."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A prefecture that can go on."""

    people: int
    seed: int
    start: str
    pace: float
    lived: tuple[str, ...]
    """Every day that was lived, in order."""
    port: int
    numbers: Numbers

    def world(self) -> World:
        """Make the world again and let it live the same days: it is the same world."""
        start = date.fromisoformat(self.start)
        world = World.create(self.people, self.seed, start, is_spiced=True, pace=self.pace)
        for _ in world.initial_notices():
            pass
        for day in self.lived:
            world.live(date.fromisoformat(day))
        return world

    def after(self, day: date, offices: Mapping[str, MunicipalOffice]) -> Kept:
        """Tell what is to be kept when one more day was lived."""
        return replace(self, lived=(*self.lived, day.isoformat()), numbers=numbers_of(offices))


def numbers_of(offices: Mapping[str, MunicipalOffice]) -> Numbers:
    """Read where the numbers of all offices stand."""
    return {code: office.numbers() for code, office in offices.items()}


def keep(home: Home, kept: Kept) -> None:
    """Write it down in the folder of the municipal side."""
    file = installation.kept_file(home)
    file.unlink(missing_ok=True)
    write_private(file, json.dumps(asdict(kept)).encode())


def kept_of(home: Home) -> Kept | None:
    """Read it; None where no demonstration has come to its end."""
    try:
        said = json.loads(installation.kept_file(home).read_text())
    except FileNotFoundError:
        return None
    return Kept(**said | {"lived": tuple(said["lived"])})


def host_key(home: Home, *, is_new: bool = False) -> asyncssh.SSHKey:
    """Read the host key of the CS of an exercise, or make another one."""
    file = installation.folder(home) / "cs_host.key"
    if is_new or not file.exists():
        key = asyncssh.generate_private_key("ssh-ed25519")
        file.unlink(missing_ok=True)
        write_private(file, key.export_private_key())
    return asyncssh.read_private_key(file)
