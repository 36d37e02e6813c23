"""What Prefect is told before it is imported: where it keeps things, what it says, to whom.

Decides:    that a run without a server of its own keeps its records in JUKI_HOME or on the embedded server, is
            silent on the terminal, calls nobody, and that its temporary server answers to this process only
            and does not outlive a killed run for longer than until the next one.
Leaves:     a Prefect server that is named (PREFECT_API_URL), and that of the site of this home while it is up, to
            whoever runs it: then the run is recorded there.
Invariants: Prefect reads its environment once, so this module imports nothing of it and refuses to come late.
Source:     design 6, ADR-0006.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from config.settings import Settings
from config.stores import is_embedded, prefect_url
from flows.leftover_servers import RUN, end_leftovers, this_run
from juki.errors import ConfigurationError
from juki.home import Home
from juki.reasons import Code
from juki.site import SiteFiles
from juki.wire.site_api import SITE_HEADER

_DATABASE = "PREFECT_API_DATABASE_CONNECTION_URL"
_TLS = "PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS"
ALWAYS = {
    # Calls home unless told otherwise, in three places.
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    # What is printed or stored by default may quote what a task was given.
    "PREFECT_LOGGING_LOG_PRINTS": "false",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
}
HEARTBEAT_SECONDS = 30
_QUIET = {
    # The terminal belongs to the command; what happened is in the stores, as codes.
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_ROOT_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
}
_WITHOUT_SERVER = {
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
    # A cold start on a busy machine takes longer than the 20 seconds of the default.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # Followers of events: nobody reads them in a process that ends with its run.
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED": "false",
}


def prepare(home: Home, settings: Settings) -> None:
    """Set the environment of Prefect for this process and its children; call before anything imports it.

    Raises: RuntimeError when Prefect is already imported, because it would not listen any more.
    """
    if "prefect" in sys.modules:
        raise RuntimeError("prefect is already imported")
    os.environ.update(ALWAYS | _QUIET)
    os.environ["PREFECT_HOME"] = str(home.prefect)
    if "PREFECT_API_URL" not in os.environ:
        os.environ.update(_of_the_site(home, datetime.now(UTC)))
    if "PREFECT_API_URL" not in os.environ:
        end_leftovers(home.prefect)
        os.environ[RUN] = this_run()
        os.environ.update(_WITHOUT_SERVER | _private_server())
        os.environ.update(database_settings(home, settings))


def _of_the_site(home: Home, now: datetime) -> dict[str, str]:
    """Lead to the server of the site while it answers, so that its screens show what was run by hand as well."""
    files = SiteFiles(home)
    note = files.note()
    if note is None or not note.is_serving_at(now):
        return {}
    return {
        "PREFECT_API_URL": f"{note.pages}/api",
        "PREFECT_API_AUTH_STRING": files.credentials(),
        # A run tells the server what becomes of it, which the password alone is not enough for.
        "PREFECT_CLIENT_CUSTOM_HEADERS": json.dumps({SITE_HEADER: files.site_key()}),
        # Else nobody would notice that a run by hand was killed.
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
    }


def database_settings(home: Home, settings: Settings) -> dict[str, str]:
    """Tell where Prefect keeps its records: its own database where one is named or embedded, or a file of the home.

    SQLite answers 503 when runs follow each other closely, so it is only used where there is no better.
    Raises: ConfigurationError(CONFIG_INVALID) for a way of encryption that proves nothing.
    """
    named = settings.own_prefect_url or (prefect_url(home) if is_embedded(settings) else None)
    if named is None:
        return {_DATABASE: f"sqlite+aiosqlite:///{home.prefect / 'prefect.db'}"}
    return _postgresql(named)


def _postgresql(url: str) -> dict[str, str]:
    """Write a URL as libpq takes it in the words of Prefect's driver, which has other ones for encryption."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    mode, authority = options.pop("sslmode", ""), options.pop("sslrootcert", "")
    if mode not in ("", "verify-ca", "verify-full"):
        raise ConfigurationError(Code.CONFIG_INVALID, "prefect_url sslmode")
    said = {_DATABASE: urlunsplit(("postgresql+asyncpg", *parts[1:3], urlencode(options, safe="/"), ""))}
    if mode:
        said |= {f"{_TLS}_ENABLED": "true", f"{_TLS}_CHECK_HOSTNAME": str(mode == "verify-full").lower()}
        said |= {f"{_TLS}_CA_FILE": authority} if authority else {}
    return said


def _private_server() -> dict[str, str]:
    """Lock the temporary server, which listens on a port of this machine, with a password of this process."""
    password = f"juki:{secrets.token_urlsafe(32)}"
    return {"PREFECT_SERVER_API_AUTH_STRING": password, "PREFECT_API_AUTH_STRING": password}
