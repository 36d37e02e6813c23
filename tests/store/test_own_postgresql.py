"""A PostgreSQL of the distribution in place of the embedded one: TLS only, owners that are no superusers.

What docs/production.md says of it, done. Skipped where the distribution's PostgreSQL is not installed.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from juki.columns import IdentityFile
from juki.doctor import judge_store
from juki.errors import StoreError
from juki.store.accounts import server_account
from juki.store.examination import examine
from juki.store.install import install
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tests.loopback_certificate import write_loopback_certificate

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
pytestmark = pytest.mark.skipif(not PROGRAMS, reason="no PostgreSQL of the distribution")

ACCESS = "local all postgres trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
OWNERS = """
CREATE ROLE juki_{file}_owner LOGIN CREATEROLE PASSWORD 'word-{file}';
CREATE DATABASE juki_{file} OWNER juki_{file}_owner;
"""


@dataclass(frozen=True, slots=True)
class OwnServer:
    """A server of the administrator's."""

    port: int
    folder: Path
    authority: Path

    def url(self, file: IdentityFile, mode: str = "verify-full") -> str:
        """The URL of the store of a file, as its owner."""
        who = f"juki_{file.value}_owner:word-{file.value}@127.0.0.1:{self.port}/juki_{file.value}"
        return f"postgresql://{who}?sslmode={mode}&sslrootcert={self.authority}"


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    """The newest version there is, reached over TLS alone."""
    folder, programs = Path(tempfile.mkdtemp(prefix="juki-own-")), PROGRAMS[-1].parent
    data, account = folder / "data", server_account(folder / "none")
    account.own(folder)
    run = (programs / "initdb", "-U", "postgres", "--auth=trust", "--no-locale", "-E", "UTF8", "-D", data)
    account.run(run, folder, timeout_seconds=120)
    authority = _configure(folder, data)
    for path in (data / "server.key", data / "server.crt"):
        account.own(path)
    account.run(
        (programs / "pg_ctl", "start", "-w", "-D", data, "-l", folder / "log"), folder, timeout_seconds=120
    )
    made = OwnServer(_port(data), folder, authority)
    with psycopg.connect(f"postgresql://postgres@/postgres?host={folder}&port={made.port}") as connection:
        connection.autocommit = True
        for statement in (OWNERS.format(file=file.value) for file in IdentityFile):
            for part in filter(None, map(str.strip, statement.split(";"))):
                connection.execute(part)  # type: ignore[arg-type]
    yield made
    account.run((programs / "pg_ctl", "stop", "-w", "-m", "fast", "-D", data), folder, timeout_seconds=120)
    shutil.rmtree(folder)


def _configure(folder: Path, data: Path) -> Path:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"ssl": "on", "port": port, "listen_addresses": "'127.0.0.1'", "fsync": "off",
                "unix_socket_directories": f"'{folder}'"}  # fmt: skip
    with (data / "postgresql.conf").open("a") as file:
        file.write("".join(f"{name} = {value}\n" for name, value in settings.items()))
    (data / "pg_hba.conf").write_text(ACCESS)
    shown, _ = write_loopback_certificate(data, "server")
    authority = Path(shutil.copy(shown, folder / "root.pem"))
    authority.chmod(0o644)
    return authority


def _port(data: Path) -> int:
    lines = (data / "postgresql.conf").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("port = ")).split(" = ")[1])


@pytest.mark.parametrize("file", list(IdentityFile))
def test_owner_that_is_no_superuser_installs_and_every_duty_works_over_tls(
    server: OwnServer, file: IdentityFile
) -> None:
    """Installed twice, since an upgrade is; each duty acts in its own role, on an encrypted line."""
    for _ in range(2):
        install(server.url(file), file)
    for duty in Duty:
        with open_unit(server.url(file), file, duty) as unit:
            said = unit.cursor.execute(
                "SELECT current_user, rolsuper FROM pg_roles WHERE rolname = session_user"
            ).fetchone()
            assert unit.cursor.connection.pgconn.ssl_in_use
        assert said == (f"juki_{file.value}_{duty.value}", False)


def test_doctor_finds_such_a_store_in_order(server: OwnServer) -> None:
    """Its owner may ask who may do what, and every right is as decided; the folder of the data may stay unknown."""
    for file in IdentityFile:
        install(server.url(file), file)
        with examine(server.url(file), file) as found:
            assert {one.code for one in judge_store(file.value, found.fitness())} == {None}
            assert found.data_folder() is None


def test_owner_of_one_store_can_not_read_the_other(server: OwnServer) -> None:
    """Two servers in the words of the assessment: the login of one opens nothing of the other (M6)."""
    for file in IdentityFile:
        install(server.url(file), file)
    url = server.url(IdentityFile.FUHYO).replace("/juki_fuhyo?", "/juki_resident?")
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT count(*) FROM current")


def test_line_that_is_not_encrypted_or_not_proven_is_refused(server: OwnServer) -> None:
    """By the server's rules, and by the client's where somebody else's certificate is shown."""
    with pytest.raises(StoreError):
        install(server.url(IdentityFile.RESIDENT, "disable"), IdentityFile.RESIDENT)
    other, _ = write_loopback_certificate(Path(tempfile.mkdtemp()), "other")
    stranger = server.url(IdentityFile.RESIDENT).replace(str(server.authority), str(other))
    with pytest.raises(StoreError):
        install(stranger, IdentityFile.RESIDENT)
