"""What a database says of itself, for `juki doctor`: its clock, its version, its schema, and who may do what in it.

Decides:    the statements, and how the rights that are there are compared with those of `juki.store.roles`.
Leaves:     what is wrong to `juki.doctor`.
Invariants: nothing is changed (the transaction is read-only), and no row of a table of ours is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from juki.columns import IdentityFile
from juki.doctor import Fitness
from juki.store.engine import open_engine, sealed_errors
from juki.store.install import MIGRATIONS
from juki.store.roles import FUNCTIONS, Duty, grants, role_name

_RIGHTS = """
    SELECT COALESCE(r.rolname, 'PUBLIC'), a.privilege_type, a.object
    FROM (
        SELECT e.grantee, e.privilege_type, c.relname::text AS object
        FROM pg_class c, aclexplode(c.relacl) e
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
        UNION ALL
        SELECT e.grantee, e.privilege_type, c.relname || '.' || t.attname
        FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid, aclexplode(t.attacl) e
        WHERE c.relnamespace = 'public'::regnamespace AND NOT t.attisdropped
        UNION ALL
        SELECT e.grantee, e.privilege_type, replace(p.oid::regprocedure::text, ' ', '')
        FROM pg_proc p, aclexplode(COALESCE(p.proacl, acldefault('f', p.proowner))) e
        WHERE p.pronamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    ) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE a.grantee = 0 OR r.rolname = ANY(:names)
"""
"""What the roles of duties of both files, and everybody, may do with tables, columns and functions."""
_ROLES = """
    SELECT rolname, rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
        AS is_mighty
    FROM pg_roles WHERE rolname = ANY(:names)
"""
_DATA = "SELECT setting FROM pg_settings WHERE name = 'data_directory'"


@dataclass(frozen=True, slots=True)
class Examination:
    """One database, seen through one open read-only transaction as its owner."""

    file: IdentityFile
    connection: Connection

    def clock(self) -> datetime:
        """Read its clock."""
        read: datetime = self.connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return read

    def fitness(self) -> Fitness:
        """Read what it is, and hold its rights to what they should be."""
        wanted, there = set(_wanted(self.file)), self._rights()
        return Fitness(
            server_major=int(self.connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000,
            revision=MigrationContext.configure(self.connection).get_current_revision() or "",
            newest_revision=newest_revision(),
            missing=sorted({*(wanted - there), *self._absent()}),
            surplus=sorted({*(there - wanted), *self._mighty()}),
        )

    def data_folder(self) -> Path | None:
        """Name the folder of its data on its machine; None when the owner may not ask."""
        found = self.connection.execute(text(_DATA)).scalar_one_or_none()
        return Path(found) if found else None

    def _rights(self) -> set[str]:
        # By name, for the owner may be called alike and holds everything.
        names = [role_name(file, duty) for file in IdentityFile for duty in Duty]
        return {" ".join(row) for row in self.connection.execute(text(_RIGHTS), {"names": names})}

    def _roles(self) -> dict[str, bool]:
        """Read which roles of duties there are, and whether each is more than a role to be put on."""
        names = [role_name(self.file, duty) for duty in Duty]
        found = self.connection.execute(text(_ROLES), {"names": names})
        return {row.rolname: row.is_mighty for row in found}

    def _absent(self) -> list[str]:
        there = self._roles()
        return [f"{name} ROLE" for duty in Duty if (name := role_name(self.file, duty)) not in there]

    def _mighty(self) -> list[str]:
        return [f"{name} LOGIN" for name, is_mighty in self._roles().items() if is_mighty]


@contextmanager
def examine(admin_url: str, file: IdentityFile) -> Iterator[Examination]:
    """Open a database to be looked at.

    Raises: StoreError with the state of the database error, never its text.
    """
    with sealed_errors(), open_engine(admin_url).begin() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        yield Examination(file, connection)


@lru_cache(maxsize=1)
def newest_revision() -> str:
    """Name the newest migration of this program, which is the same for both stores."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head() or ""


def _wanted(file: IdentityFile) -> Iterator[str]:
    """Write the rights there should be as the database lists them."""
    for role, privileges, table in grants(file):
        verb, _, columns = privileges.partition(" (")
        if columns:
            yield from (f"{role} {verb} {table}.{one}" for one in columns.rstrip(")").split(", "))
        else:
            yield from (f"{role} {one} {table}" for one in privileges.split(", "))
    for function, duty in FUNCTIONS[file].items():
        yield f"{role_name(file, duty)} EXECUTE {function.replace(' ', '')}"
