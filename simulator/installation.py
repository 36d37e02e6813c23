"""An installation for exercises: initialised, with the simulated municipalities registered.

Decides:    which made-up authority, certificates and periods an exercise uses.
Invariants: only a home this module made is ever emptied; another one is left alone with an error.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from config.places import municipality_name
from config.presentation import template
from config.settings import Period, load_settings
from config.stores import DATABASES, is_embedded
from juki.cli.setup_commands import initialise
from juki.credentials import Credentials
from juki.home import Home
from juki.keys import write_private
from juki.store import embedded
from juki.wire.envelope import fingerprint
from simulator import pki
from simulator.drafts import Desk, Prefecture
from simulator.office import MunicipalOffice
from simulator.sftp_server import Server

PREFECTURE_CODE = "350001"
PERIODS = {
    Period.GAP_DEADLINE: 24, Period.CONTACT_ALERT: 26, Period.SNAPSHOT_DEADLINE: 12, Period.CONFIRMED_ALERT: 24 * 8,
    Period.HOLD: 72, Period.HOLD_AFTER_RECEIPT: 24,
    Period.JLIS_ANSWER_ALERT: 24,
}  # fmt: skip
_MARK = ".exercise"


class NotAnExerciseError(Exception):
    """The home holds an installation that no exercise made."""


def prepare(home: Home, codes: Iterable[str]) -> pki.Pki:
    """Make or empty the installation of an exercise and return its authority and identities.

    Raises: NotAnExerciseError when the home is somebody's real one.
    """
    if home.exists and not (home.root / _MARK).exists():
        raise NotAnExerciseError
    home.create()
    (home.root / _MARK).touch()
    made = pki.build(folder(home) / "pki", codes)
    _take_over(made.prefecture, Credentials(home.keys))
    if not home.settings_file.exists():
        write_private(home.settings_file, template(PERIODS).encode())
    _forget(home)
    for _ in initialise(home, datetime.now(UTC) - timedelta(days=1)):
        pass
    return made


def folder(home: Home) -> Path:
    """Name the folder of the municipal side."""
    return home.root / "exercise"


def kept_file(home: Home) -> Path:
    """Name what is kept of an exercise that has come to its end (`simulator.kept`)."""
    return folder(home) / "kept.json"


def register(home: Home, made: pki.Pki, server: Server) -> None:
    """Write the register of municipalities for a running server."""
    parts = [_registration(office, server) for office in made.offices.values()]
    home.municipalities_file.write_text("\n".join(parts), encoding="utf-8")


def offices(home: Home, made: pki.Pki) -> dict[str, MunicipalOffice]:
    """Open the offices; each knows its neighbour and the authority, for the faults."""
    known = Prefecture(
        PREFECTURE_CODE, made.prefecture.certificate, made.prefecture_as_sender(PREFECTURE_CODE)
    )
    codes = list(made.offices)
    return {
        code: MunicipalOffice(
            Desk(made.offices[code], known, neighbour=made.offices[codes[position - 1]], authority=made.root),
            folder(home) / "cs" / code,
        )
        for position, code in enumerate(codes)
    }


def _registration(office: pki.Office, server: Server) -> str:
    code = office.municipality_code
    return "\n".join(
        [
            "[[municipality]]",
            f'code = "{code}"',
            f'name = "{municipality_name(code)}"',
            f'host = "{server.host}"',
            f"port = {server.port}",
            f'account = "{code}"',
            f'host_key = "{server.host_key}"',
            f'signing_certificates = ["{fingerprint(office.signer.certificate)}"]',
            'roots = ["exercise/pki/root.crt"]',
            f'receipt_certificate = "exercise/pki/{code}-receiver.crt"',
            "",
        ]
    )


def _take_over(prefecture: pki.Identity, credentials: Credentials) -> None:
    """Let the prefecture use the certificate of the exercise's authority for both of its uses."""
    for certificate in (credentials.envelope_certificate, credentials.signing_certificate):
        if not certificate.exists():
            pki.save(prefecture, certificate.with_suffix(""))


def _forget(home: Home) -> None:
    """Drop what an earlier exercise stored; keys, certificates and the server stay."""
    if is_embedded(load_settings(home)):
        with psycopg.connect(embedded.start(home), autocommit=True) as connection:
            for name in DATABASES.values():
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    exchanged = (folder(home) / name for name in ("cs", "recipients"))
    own = (home.spool, home.quarantine, home.holds, home.requests, home.outbox, home.witness, home.quality)
    for left in (*own, *exchanged):
        shutil.rmtree(left, ignore_errors=True)
    for register in (home.recipients_file, home.basis_decisions_file):
        register.unlink(missing_ok=True)
    for past in (home.demo_summary, kept_file(home)):
        past.unlink(missing_ok=True)
    home.create()
