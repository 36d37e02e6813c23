"""Bring one database to the present version: migrations, roles and rights.

Decides:    the order (one installer at a time, tables before rights) and that a repeat changes nothing.
Leaves:     the tables to the migrations, the rights to `juki.store.roles`, starting a server to others.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from juki.columns import IdentityFile
from juki.store.engine import open_engine, sealed_errors
from juki.store.roles import FUNCTIONS, Duty, grants, role_name

MIGRATIONS = Path(__file__).with_name("migrations")
_INSTALL_LOCK = 0x6A756B69
"""One advisory lock for every installer of a database ("juki")."""
_SCHEMA_OWNER_ONLY = "REVOKE CREATE ON SCHEMA public FROM PUBLIC"

_LET_IN = """DO $$ BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        GRANT {name} TO CURRENT_USER;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $$"""
"""An owner that is no superuser must be a member of a duty to act in it; else whoever made the roles let it in."""


def install(admin_url: str, file: IdentityFile) -> None:
    """Create or upgrade the tables and roles of one store; safe to repeat and to run twice at once.

    `admin_url` is the database of this file, with a role that may create tables and roles.
    Raises: StoreError with the state of the database error, never its text.
    """
    with sealed_errors(), open_engine(admin_url).begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _INSTALL_LOCK})
        command.upgrade(migration_config(connection, file), "head")
        _create_roles(connection, file)
        _grant(connection, file)


def uninstall(engine: Engine, file: IdentityFile) -> None:
    """Take the tables down again, for tests of the migrations; roles stay, other databases may use them."""
    with engine.begin() as connection:
        command.downgrade(migration_config(connection, file), "base")


def migration_config(connection: Connection, file: IdentityFile) -> Config:
    """Configure Alembic in memory for one open connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    config.attributes["file"] = file
    return config


def _create_roles(connection: Connection, file: IdentityFile) -> None:
    """Create the roles that are absent; roles belong to the server, so another database may race us."""
    for duty in Duty:
        name = role_name(file, duty)
        connection.execute(
            text(
                f"""DO $$ BEGIN
                    CREATE ROLE {name} NOLOGIN NOINHERIT;
                EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
                END $$"""
            )
        )
        connection.execute(text(_LET_IN.format(name=name)))


def _grant(connection: Connection, file: IdentityFile) -> None:
    """Give each duty exactly its rights: everything is taken away first, so that old rights do not linger."""
    roles = ", ".join(role_name(file, duty) for duty in Duty)
    connection.execute(text(_SCHEMA_OWNER_ONLY))
    connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {roles}"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {roles}"))
    for role, privileges, table in grants(file):
        connection.execute(text(f"GRANT {privileges} ON {table} TO {role}"))
    connection.execute(text(f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC, {roles}"))
    for function, duty in FUNCTIONS[file].items():
        connection.execute(text(f"GRANT EXECUTE ON FUNCTION {function} TO {role_name(file, duty)}"))
