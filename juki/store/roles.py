"""Roles by duty and their least privileges, as data (design 3).

Decides:    what each duty may do with each table of each of the two databases.
Leaves:     creating tables to the migrations; who may log in with a role to the administrator of the server.
Invariants: nobody but the owner updates or deletes `journal`, and a trigger stops the owner too; only the
            purger deletes; the reader and the auditor read no people, the purger nothing of them but keys and terms;
            roles of one file have no right on the other; only the bridge may call the function that turns codes into
            numbers, and it reads no people itself. No duty may write a file of the server or run a program there.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from juki.columns import IdentityFile
from juki.store.tables import SUPERSEDED_COLUMNS, TABLES


class Duty(StrEnum):
    """What a connection is for; each duty is a role of its own in each database."""

    INTAKE = "intake"
    READER = "reader"
    BRIDGE = "bridge"
    PROVIDER = "provider"
    PURGER = "purger"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


def role_name(file: IdentityFile, duty: Duty) -> str:
    """Name the database role of a duty; the two stores never share a role."""
    return f"juki_{file.value}_{duty.value}"


_COMMON_TABLES = set(TABLES[IdentityFile.RESIDENT].metadata.tables) & set(
    TABLES[IdentityFile.FUHYO].metadata.tables
)
_KEEP = ("SELECT", "INSERT", "UPDATE")
_ADD = ("SELECT", "INSERT")
_SEE = ("SELECT",)

_GRANTS: dict[Duty, dict[str, tuple[str, ...]]] = {
    Duty.INTAKE: {
        "current": _KEEP, "channel": _KEEP, "package": _KEEP, "former_code": _KEEP,
        "history": _ADD, "rejection": _ADD, "quarantine": _ADD, "outbox": _ADD, "journal": _ADD,
        "store_key": _SEE, "reconciliation": _KEEP, "difference": _KEEP, "jlis_message": _ADD,
        "checkpoint": _ADD,
    },
    Duty.READER: {
        "channel": _SEE, "package": _SEE, "rejection": _SEE, "outbox": _SEE,
        "reconciliation": _SEE, "provision": _SEE, "hold": _SEE, "medium": _SEE,
    },
    Duty.BRIDGE: {"journal": _ADD},
    Duty.PROVIDER: {
        "current": _SEE, "history": _SEE, "former_code": _SEE, "outbox": (*_SEE, "UPDATE"), "journal": _ADD,
        "store_key": _SEE, "jlis_package": _KEEP, "jlis_message": _ADD,
        "provision": _KEEP, "provided": _ADD, "hold": _KEEP, "medium": _KEEP,
    },
    Duty.PURGER: {
        "current": ("DELETE",), "history": ("DELETE",), "former_code": (*_SEE, "DELETE"),
        "quarantine": ("DELETE",), "difference": ("DELETE",), "journal": _ADD,
        "provision": (*_SEE, "UPDATE"), "hold": (*_SEE, "UPDATE"), "provided": ("DELETE",),
    },
    # Whoever looks into the log is in the log.
    Duty.AUDITOR: {
        "journal": _ADD, "checkpoint": _SEE, "channel": _SEE, "package": _SEE, "rejection": _SEE,
        "reconciliation": _SEE, "provision": _SEE, "hold": _SEE, "medium": _SEE,
    },
    Duty.ADMINISTRATOR: dict.fromkeys(_COMMON_TABLES - {"journal", "used_assertion"}, _SEE)
    | {
        "journal": _ADD, "package": _KEEP, "channel": _KEEP,
        "reconciliation": (*_SEE, "UPDATE"), "difference": (*_SEE, "UPDATE"),
        "jlis_package": (*_SEE, "UPDATE"), "jlis_message": (*_SEE, "UPDATE"),
    },
}  # fmt: skip

# What only one of the two stores has: the bridge stands between them, and has no table of people on either side.
_GRANTS_OF_ONE_STORE: dict[IdentityFile, dict[Duty, dict[str, tuple[str, ...]]]] = {
    IdentityFile.RESIDENT: {
        Duty.PROVIDER: {"crossing": _KEEP, "disclosure": _KEEP},
        Duty.AUDITOR: {"operator": _SEE},
        Duty.ADMINISTRATOR: {"crossing": _SEE, "operator": _KEEP, "disclosure": _SEE},
    },
    IdentityFile.FUHYO: {
        Duty.BRIDGE: {"held_number": _ADD, "provision": _SEE},
        Duty.PURGER: {"held_number": ("DELETE",)},
    },
}  # fmt: skip

FUNCTIONS: dict[IdentityFile, dict[str, Duty]] = {
    IdentityFile.RESIDENT: {"bridge_numbers(bigint, text[])": Duty.BRIDGE},
    IdentityFile.FUHYO: {},
}
"""The functions that act with more rights than their caller has, and the one duty that may call each."""

_NOT_FOR_READERS = frozenset({"resident_code", "record_sealed", "sealed", "kept"})
_TERMS = (
    "resident_code", "previous_resident_code", "kind", "sender_code", "notice_no", "repair_no", "package_id",
    "received_on", "expires_on",
)  # fmt: skip
"""What a version is erased by: who and when, never what it says (M9, ADR-0038)."""


def grants(file: IdentityFile) -> Iterator[tuple[str, str, str]]:
    """List (role, privileges, table) of one database; a privilege may name its columns."""
    for duty, tables in (*_GRANTS.items(), *_GRANTS_OF_ONE_STORE[file].items()):
        for table, privileges in tables.items():
            yield role_name(file, duty), ", ".join(privileges), table
    # Whoever may write into the log notes there what an operator proved, and that it is used up.
    for duty, tables in _GRANTS.items():
        if "journal" in tables:
            yield role_name(file, duty), ", ".join(_ADD), "used_assertion"
    reader = role_name(file, Duty.READER)
    purger = role_name(file, Duty.PURGER)
    yield purger, f"SELECT ({', '.join(_TERMS)})", "current"
    yield purger, f"SELECT ({', '.join([*_TERMS, *SUPERSEDED_COLUMNS])})", "history"
    # With a version goes what names its person by code, and its package is told that it went.
    yield purger, "SELECT (resident_code)", "provided"
    yield purger, "SELECT (resident_code, settled_at)", "difference"
    yield purger, "SELECT (package_id, line, settled_at)", "quarantine"
    if (lent := TABLES[file].held_number) is not None:
        yield purger, "SELECT (provision_id, line)", lent.name
    if (crossing := TABLES[file].crossing) is not None:
        # A digest of few codes tells them to whoever tries all there are.
        seen = ", ".join(column.name for column in crossing.columns if column.name != "codes_digest")
        yield role_name(file, Duty.AUDITOR), f"SELECT ({seen})", crossing.name
    yield purger, "SELECT (package_id, erased)", "package"
    yield purger, "UPDATE (erased)", "package"
    named = [column.name for column in TABLES[file].difference.columns if column.name not in _NOT_FOR_READERS]
    yield reader, f"SELECT ({', '.join(named)})", "difference"
    if (register := TABLES[file].operator) is not None:
        # Who may act is asked by readers; what the people are called is not.
        asked = ", ".join(column.name for column in register.columns if column.name != "name")
        yield reader, f"SELECT ({asked})", register.name
    if (requests := TABLES[file].disclosure) is not None:
        # A screen shows the days of a request, never whom it is of.
        days = ", ".join(column.name for column in requests.columns if not column.name.startswith("subject"))
        yield reader, f"SELECT ({days})", requests.name
    for kept in (TABLES[file].jlis_package, TABLES[file].jlis_message):
        told = ", ".join(column.name for column in kept.columns if column.name not in _NOT_FOR_READERS)
        yield reader, f"SELECT ({told})", kept.name
        yield role_name(file, Duty.AUDITOR), f"SELECT ({told})", kept.name
    # What was found and refused is never changed; that it is dealt with is noted beside it.
    yield role_name(file, Duty.INTAKE), "UPDATE (settled_at)", "rejection"
    yield role_name(file, Duty.INTAKE), "UPDATE (settled_at)", "quarantine"
    # What was signed stands; that it was written to one more witness is noted beside it.
    yield role_name(file, Duty.INTAKE), "UPDATE (written_to)", "checkpoint"
