"""The tables of both databases, declared once.

Decides:    names, types, keys and checks of every table; what differs between the two files.
Leaves:     creating them to the migrations (a test says both agree), rights to `juki.store.roles`.
Invariants: an absent text is NULL, never empty; names and addresses are stored byte for byte; a person has at
            most one row in `current`; a number has at most one standing holder; every version names the notice
            (sender, number, package) that made it and, in `history`, the one that superseded it; only a
            deletion in `current` has an end of keeping.
Source:     design 3, 施行令30条の6 and 30条の12の4, ADR-0003, ADR-0012.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.type_api import TypeEngine

from juki.columns import NOTICE_COLUMNS, IdentityFile
from juki.differences import DifferenceKind, DifferenceState, DigestOutcome, Mode, ReconciliationState
from juki.jlis import JlisState, MessageKind, MessageState
from juki.order import PackageKind, PackageState
from juki.store.checks import one_of
from juki.store.disclosure_tables import disclosure_table
from juki.store.operator_tables import operator_table, used_assertion_table
from juki.store.provision_tables import declared_here

_NAMING = {
    "pk": "%(table_name)s_pkey",
    "ck": "%(table_name)s_%(constraint_name)s",
    "uq": "%(table_name)s_%(column_0_name)s_key",
    "ix": "%(table_name)s_%(column_0_name)s_idx",
}

_REQUIRED = frozenset(
    {"notified_at", "kind", "reason", "resident_code", "birth_date", "is_foreign", "is_abroad"}
) | {
    "name_gaiji",
    "address_gaiji",
}
_TYPES: dict[str, TypeEngine[Any]] = {
    "notified_at": DateTime(timezone=True),
    "event_date": Date(),
    "is_foreign": Boolean(),
    "is_abroad": Boolean(),
    "name_gaiji": SmallInteger(),
    "address_gaiji": SmallInteger(),
}
REVIEWS_ONLY = "action IN ('review.done', 'review.acknowledged')"
"""Which entries of the log are about reviews; the same words in its index and in what reads them."""
INFECTIONS_ONLY = (
    "action = 'infection.closed'"
    " OR (outcome = 'refused' AND entry::jsonb ->> 'code' = 'package.infected')"
)  # fmt: skip
"""Which entries of the log are about infected files; likewise."""
_SEALED = ("individual_number", "previous_individual_number")
"""Never stored as they are: the number is sealed and indexed, the previous number is that of the version before."""


def version_columns(file: IdentityFile) -> tuple[str, ...]:
    """Name the columns a version of a person has in `current` and `history`, in the order of the tables."""
    carried = tuple(name for name in NOTICE_COLUMNS[file] if name not in (*_SEALED, "notice_no"))
    number = ("number_sealed", "number_index") if file is IdentityFile.RESIDENT else ()
    return (
        *carried,
        *number,
        "search_key",
        "record_digest",
        "sender_code",
        "notice_no",
        "repair_no",
        "package_id",
        "received_on",
    )


SUPERSEDED_COLUMNS = (
    "superseded_on",
    "superseded_by_sender_code",
    "superseded_by_notice_no",
    "superseded_by_package_id",
)


def _version(file: IdentityFile) -> list[Column[Any]]:
    columns: list[Column[Any]] = []
    for name in version_columns(file):
        if name in NOTICE_COLUMNS[file] and name != "notice_no":
            columns.append(Column(name, _TYPES.get(name, Text()), nullable=name not in _REQUIRED))
    if file is IdentityFile.RESIDENT:
        columns += [Column("number_sealed", LargeBinary()), Column("number_index", LargeBinary())]
    return [
        *columns,
        Column("search_key", Text()),
        Column("record_digest", LargeBinary(), nullable=False),
        Column("sender_code", Text(), nullable=False),
        Column("notice_no", BigInteger(), nullable=False),
        # 0 for a notice; a repair stands behind the notice as of which the municipality said it (ADR-0022).
        Column("repair_no", BigInteger(), nullable=False, server_default="0"),
        Column("package_id", BigInteger(), nullable=False),
        Column("received_on", Date(), nullable=False),
    ]


def _number_pair() -> list[CheckConstraint]:
    return [CheckConstraint("(number_sealed IS NULL) = (number_index IS NULL)", name="number_pair")]


def _current(file: IdentityFile, metadata: MetaData) -> Table:
    table = Table(
        "current",
        metadata,
        *_version(file),
        Column("expires_on", Date()),
        PrimaryKeyConstraint("resident_code"),
        CheckConstraint("(kind = 'deletion') = (expires_on IS NOT NULL)", name="only_deletion_expires"),
        *(_number_pair() if file is IdentityFile.RESIDENT else []),
    )
    Index("current_package_id_idx", table.c.package_id, postgresql_using="brin")
    # One municipality's people in order of code: what a reconciliation reads.
    Index("current_sender_code_idx", table.c.sender_code, table.c.resident_code)
    # What may be erased is asked every few minutes, and only deletions have a clock.
    Index("current_expires_on_idx", table.c.expires_on, postgresql_where=text("kind = 'deletion'"))
    # Whoever may be looked for by reading and birth date: of the fuhyo file only those who have moved abroad.
    sought = "kind <> 'deletion'" + (" AND is_abroad" if file is IdentityFile.FUHYO else "")
    Index("current_search_idx", table.c.search_key, table.c.birth_date, postgresql_where=text(sought))
    if file is IdentityFile.RESIDENT:
        standing, erased = text("kind <> 'deletion'"), text("kind = 'deletion'")
        Index("current_number_standing_key", table.c.number_index, unique=True, postgresql_where=standing)
        Index("current_number_erased_idx", table.c.number_index, postgresql_where=erased)
    return table


def _history(file: IdentityFile, metadata: MetaData) -> Table:
    table = Table(
        "history",
        metadata,
        *_version(file),
        Column("superseded_on", Date(), nullable=False),
        Column("superseded_by_sender_code", Text(), nullable=False),
        Column("superseded_by_notice_no", BigInteger(), nullable=False),
        Column("superseded_by_package_id", BigInteger(), nullable=False),
        Column("expires_on", Date(), nullable=False),
        # False where the notice arrived late: the version was history from the start and stood at no time.
        Column("was_newest", Boolean(), nullable=False, server_default=text("true")),
        PrimaryKeyConstraint("sender_code", "notice_no", "repair_no"),
        *(_number_pair() if file is IdentityFile.RESIDENT else []),
    )
    Index("history_resident_code_idx", table.c.resident_code)
    Index("history_expires_on_idx", table.c.expires_on, postgresql_using="brin")
    Index("history_package_id_idx", table.c.package_id, postgresql_using="brin")
    # What a municipality said is read as of one of its notices: what only others superseded, what came later.
    Index(
        "history_overtaken_idx",
        table.c.sender_code,
        postgresql_where=text("superseded_by_sender_code <> sender_code"),
    )
    Index("history_superseded_by_package_id_idx", table.c.superseded_by_package_id, postgresql_using="brin")
    if file is IdentityFile.RESIDENT:
        Index(
            "history_number_index_idx",
            table.c.number_index,
            postgresql_where=text("number_index IS NOT NULL"),
        )
    return table


def _former_code(metadata: MetaData) -> Table:
    """A code that was replaced and the newest code of that person."""
    return Table(
        "former_code",
        metadata,
        Column("resident_code", Text(), primary_key=True),
        Column("new_code", Text(), nullable=False, index=True),
        Column("sender_code", Text(), nullable=False),
        Column("notice_no", BigInteger(), nullable=False),
        Column("package_id", BigInteger(), nullable=False),
    )


def _channel(metadata: MetaData) -> Table:
    """How far each municipality's channel has come; the row is locked while a package is applied."""
    return Table(
        "channel",
        metadata,
        Column("municipality_code", Text(), primary_key=True),
        Column("last_sequence", Integer(), nullable=False, server_default="0"),
        Column("last_notice_no", BigInteger(), nullable=False, server_default="0"),
        Column("last_received_at", DateTime(timezone=True)),
        Column("last_attempt_at", DateTime(timezone=True)),
        Column("last_contact_at", DateTime(timezone=True)),
        Column("last_failure_code", Text()),
        Column("gap_since", DateTime(timezone=True)),
        Column("unknown_files", Integer(), nullable=False, server_default="0"),
        Column("deferred_files", Integer(), nullable=False, server_default="0"),
        Column("deferred_code", Text()),
    )


def _package(metadata: MetaData) -> Table:
    """One file that was fetched, or one repair we made; a sequence of either kind is applied at most once."""
    table = Table(
        "package",
        metadata,
        Column("package_id", BigInteger(), Identity(always=True), primary_key=True),
        Column("municipality_code", Text(), nullable=False),
        Column("sequence", Integer(), nullable=False),
        Column("file_name", Text(), nullable=False),
        Column("file_bytes", BigInteger(), nullable=False),
        Column("file_sha256", LargeBinary(), nullable=False),
        Column("remote_modified_at", DateTime(timezone=True), nullable=False),
        Column("state", Text(), nullable=False),
        Column("code", Text()),
        Column("received_at", DateTime(timezone=True), nullable=False),
        Column("settled_at", DateTime(timezone=True)),
        Column("content_sha256", LargeBinary()),
        Column("created_at", DateTime(timezone=True)),
        Column("first_notice_no", BigInteger()),
        Column("last_notice_no", BigInteger()),
        Column("records", Integer()),
        Column("accepted", Integer()),
        Column("alerted", Integer()),
        Column("rejected", Integer()),
        Column("repeated", Integer()),
        Column("receipt", LargeBinary()),
        Column("receipt_sent_at", DateTime(timezone=True)),
        Column("closed_at", DateTime(timezone=True)),
        Column("judge_again_at", DateTime(timezone=True)),
        Column("kind", Text(), nullable=False, server_default="notice"),
        # How many of its versions were erased when their 150 years were over: as many are missing lawfully.
        Column("erased", Integer(), nullable=False, server_default="0"),
        CheckConstraint(one_of("kind", PackageKind), name="kind"),
        CheckConstraint(one_of("state", PackageState), name="state"),
    )
    key = (table.c.municipality_code, table.c.sequence)
    Index("package_applied_key", *key, table.c.kind, unique=True, postgresql_where=text("state = 'applied'"))
    Index("package_received_key", *key, unique=True, postgresql_where=text("state = 'received'"))
    Index("package_channel_idx", *key)
    return table


def _rejection(metadata: MetaData) -> Table:
    """One finding on one record: where and why, never what."""
    return Table(
        "rejection",
        metadata,
        Column("package_id", BigInteger(), primary_key=True),
        Column("line", Integer(), primary_key=True),
        Column("code", Text(), primary_key=True),
        Column("column_name", Text(), primary_key=True),
        Column("severity", Text(), nullable=False),
        Column("notice_no", BigInteger()),
        Column("settled_at", DateTime(timezone=True)),
        CheckConstraint("severity IN ('error', 'alert')", name="severity"),
    )


def _quarantine(metadata: MetaData) -> Table:
    """A refused record, sealed under a key of its own, so that nothing notified is lost."""
    return Table(
        "quarantine",
        metadata,
        Column("package_id", BigInteger(), primary_key=True),
        Column("line", Integer(), primary_key=True),
        Column("record_sealed", LargeBinary(), nullable=False),
        Column("settled_at", DateTime(timezone=True)),
    )


def _outbox(metadata: MetaData) -> Table:
    """A package whose changes J-LIS has to be told of (法30条の7, 30条の42); the rows are read when it is sent.

    `notice_nos` names the notices where it is not all that the package changed when it was applied: those that
    were judged again later. `first_update_no` to `last_update_no` are the numbers its updates were told under, in the
    order of notice and repair; `told_notice_no` and `told_repair_no` the last of them so far, `lost` how many were
    not found when the rest was told. `sent_at` is set when all were put into packages (ADR-0027).
    """
    table = Table(
        "outbox",
        metadata,
        Column("outbox_no", BigInteger(), Identity(always=True), primary_key=True),
        Column("package_id", BigInteger(), nullable=False),
        Column("notice_nos", ARRAY(BigInteger())),
        Column("changes", Integer(), nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("sent_at", DateTime(timezone=True)),
        Column("first_update_no", BigInteger()),
        Column("last_update_no", BigInteger()),
        Column("told_notice_no", BigInteger()),
        Column("told_repair_no", BigInteger()),
        Column("lost", Integer(), nullable=False, server_default="0"),
    )
    Index("outbox_unsent_idx", table.c.outbox_no, postgresql_where=text("sent_at IS NULL"))
    Index("outbox_package_id_idx", table.c.package_id)
    Index("outbox_update_no_idx", table.c.first_update_no)
    return table


def _jlis_package(metadata: MetaData) -> Table:
    """One package of updates for J-LIS: numbered without gaps, its sealed bytes kept until it is acknowledged."""
    return Table(
        "jlis_package",
        metadata,
        Column("sequence", Integer(), primary_key=True, autoincrement=False),
        Column("first_update_no", BigInteger(), nullable=False, unique=True),
        Column("last_update_no", BigInteger(), nullable=False),
        Column("records", Integer(), nullable=False),
        Column("unopened", Integer(), nullable=False, server_default="0"),
        Column("content_sha256", LargeBinary(), nullable=False),
        Column("file_sha256", LargeBinary(), nullable=False),
        Column("sealed", LargeBinary()),
        Column("state", Text(), nullable=False),
        Column("code", Text()),
        Column("their_code", Text()),
        Column("attempts", Integer(), nullable=False, server_default="0"),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("delivered_at", DateTime(timezone=True)),
        Column("last_delivered_at", DateTime(timezone=True)),
        Column("answered_at", DateTime(timezone=True)),
        CheckConstraint(one_of("state", JlisState), name="state"),
        CheckConstraint("sequence > 0", name="counts_from_one"),
        CheckConstraint("last_update_no - first_update_no + 1 = records", name="numbers"),
        CheckConstraint("(state = 'acknowledged') = (sealed IS NULL)", name="sealed"),
    )


def _jlis_message(metadata: MetaData) -> Table:
    """One file that came as J-LIS's: an acknowledgement or a report; what is refused is kept as it came."""
    table = Table(
        "jlis_message",
        metadata,
        Column("message_id", BigInteger(), Identity(always=True), primary_key=True),
        Column("kind", Text(), nullable=False),
        Column("sequence", Integer(), nullable=False),
        Column("file_name", Text(), nullable=False),
        Column("file_bytes", BigInteger(), nullable=False),
        Column("modified_at", DateTime(timezone=True), nullable=False),
        Column("file_sha256", LargeBinary(), nullable=False),
        Column("content_sha256", LargeBinary()),
        Column("state", Text(), nullable=False),
        Column("code", Text()),
        Column("records", Integer()),
        Column("kept", LargeBinary()),
        Column("received_at", DateTime(timezone=True), nullable=False),
        Column("seen_at", DateTime(timezone=True)),
        CheckConstraint(one_of("kind", MessageKind), name="kind"),
        CheckConstraint(one_of("state", MessageState), name="state"),
    )
    taken = text("state = 'taken'")
    Index("jlis_message_content_key", table.c.content_sha256, unique=True, postgresql_where=taken)
    report = text("state = 'taken' AND kind = 'report'")
    Index("jlis_message_report_key", table.c.sequence, unique=True, postgresql_where=report)
    Index("jlis_message_file_idx", table.c.file_name)
    return table


def said_in_entry(name: str) -> str:
    """Write in SQL what an entry says under a name.

    An entry is one line of canonical JSON. Where none of its texts has an escape, a name between quotes with a colon
    and a quote behind it stands at its own value only, and cutting that out takes 1 µs. To read an entry as JSON
    takes 9, and every column would read it again: 100,000 entries took 10 s.
    """
    cut = f"""split_part(split_part(entry, '"{name}":"', 2), '"', 1)"""
    is_plain = """starts_with(entry, '{"action":"') AND strpos(entry, chr(92)) = 0"""
    return f"CASE WHEN {is_plain} THEN {cut} ELSE entry::jsonb ->> '{name}' END"


def _journal(metadata: MetaData) -> Table:
    """The operation log: canonical entries, their leaf hashes, and the frontier of the tree after each.

    What is searched by is computed from the entry, so it can not say anything else than what was hashed.
    """

    def said(name: str) -> Column[Any]:
        return Column(name, Text(), Computed(said_in_entry(name), persisted=True))

    whom = f"nullif({said_in_entry('subject_index')}, '')"
    table = Table(
        "journal",
        metadata,
        Column("entry_no", BigInteger(), primary_key=True, autoincrement=False),
        Column("entry", Text(), nullable=False),
        Column("leaf_hash", LargeBinary(), nullable=False),
        Column("frontier", LargeBinary(), nullable=False),
        said("recorded_at"),
        said("action"),
        said("actor"),
        said("municipality_code"),
        said("outcome"),
        Column("subject_index", Text(), Computed(whom, persisted=True)),
        CheckConstraint("entry_no > 0", name="counts_from_one"),
    )
    # What the trigger of the bridge looks for before a crossing commits.
    crossed = text("action = 'bridge.crossed'")
    Index(
        "journal_crossed_idx", text("(entry::jsonb ->> 'provision')"), postgresql_where=crossed, _table=table
    )
    # Whose data was given or seen, and how often somebody has looked within the hour.
    about_somebody = table.c.subject_index.is_not(None)
    Index("journal_subject_index_idx", table.c.subject_index, postgresql_where=about_somebody)
    looking = text("action IN ('person.searched', 'person.viewed')")
    Index("journal_looking_idx", table.c.actor, table.c.recorded_at, postgresql_where=looking)
    # The log is the register of its reviews: a handful among millions.
    Index("journal_review_idx", table.c.entry_no, postgresql_where=text(REVIEWS_ONLY))
    # And of infected files, which every look at the status asks for.
    Index("journal_infection_idx", table.c.entry_no, postgresql_where=text(INFECTIONS_ONLY))
    # Whether an alarm was raised today, asked while everybody else waits for the end of the log.
    alarms = text("action = 'alarm.raised'")
    Index("journal_alarm_idx", table.c.recorded_at, postgresql_where=alarms)
    return table


def _checkpoint(metadata: MetaData) -> Table:
    """Declare what was signed of the operation log, as it was signed, and the witnesses it was written to."""
    return Table(
        "checkpoint",
        metadata,
        Column("tree_size", BigInteger(), primary_key=True, autoincrement=False),
        Column("root_hash", LargeBinary(), nullable=False),
        Column("note", Text(), nullable=False),
        Column("signed_at", DateTime(timezone=True), nullable=False),
        Column("written_to", ARRAY(Text()), nullable=False),
        CheckConstraint("tree_size > 0", name="of_something"),
    )


def _store_key(metadata: MetaData) -> Table:
    """The keys a store was installed with: their ids and a keyed check value, from which no key can be got."""
    return Table(
        "store_key",
        metadata,
        Column("key_id", Text(), primary_key=True),
        Column("check_value", LargeBinary(), nullable=False),
        Column("registered_at", DateTime(timezone=True), nullable=False),
    )


def _reconciliation(metadata: MetaData) -> Table:
    """One comparison of a file with what a municipality holds, from the request for its snapshot to the report."""
    table = Table(
        "reconciliation",
        metadata,
        Column("reconciliation_id", BigInteger(), Identity(always=True), primary_key=True),
        Column("municipality_code", Text(), nullable=False),
        Column("mode", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("code", Text()),
        Column("requested_at", DateTime(timezone=True), nullable=False),
        Column("deadline_at", DateTime(timezone=True), nullable=False),
        Column("as_of", DateTime(timezone=True)),
        Column("watermark", BigInteger()),
        Column("parts", Integer()),
        Column("last_sequence", Integer()),
        # Digests come before a snapshot, and count their packages by themselves (ADR-0024).
        Column("digests", Text()),
        Column("digest_sequence", Integer()),
        Column("numbers_unopened", Integer()),
        Column("compared_at", DateTime(timezone=True)),
        Column("rows_theirs", BigInteger()),
        Column("rows_ours", BigInteger()),
        Column("root_digest", LargeBinary()),
        Column("is_equal", Boolean()),
        *(Column(f"{kind.value}_found", Integer()) for kind in DifferenceKind),
        Column("column_counts", JSONB()),
        # Of their records that differ from ours, how many break a rule of the contract, by its code.
        Column("broken_counts", JSONB()),
        Column("repaired", Integer()),
        Column("beyond_bound", Integer()),
        Column("approved_at", DateTime(timezone=True)),
        Column("approved_by", Text()),
        Column("started_by", Text()),
        Column("report", LargeBinary()),
        Column("report_no", Integer()),
        Column("report_sent_at", DateTime(timezone=True)),
        Column("finished_at", DateTime(timezone=True)),
        CheckConstraint(one_of("mode", Mode), name="mode"),
        CheckConstraint(one_of("state", ReconciliationState), name="state"),
        CheckConstraint("(state IN ('finished', 'failed')) = (finished_at IS NOT NULL)", name="finished"),
        CheckConstraint(one_of("digests", DigestOutcome), name="digests"),
    )
    open_ones = text("finished_at IS NULL")
    Index("reconciliation_open_key", table.c.municipality_code, unique=True, postgresql_where=open_ones)
    Index("reconciliation_channel_idx", table.c.municipality_code, table.c.reconciliation_id)
    return table


def _difference(metadata: MetaData) -> Table:
    """A person of whom the file and a municipality say different things: which columns, never what.

    `columns` names the columns that differ; `held_by` the municipality whose current record it is, where that is
    another; `record_sealed` is the municipality's record under the quarantine key, from which a repair is made;
    `package_id` names the package of our version, where there is one; `code` why its repair was refused.
    """
    table = Table(
        "difference",
        metadata,
        Column("difference_id", BigInteger(), Identity(always=True), primary_key=True),
        Column("municipality_code", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("resident_code", Text(), nullable=False),
        Column("columns", ARRAY(Text()), nullable=False),
        Column("held_by", Text()),
        Column("state", Text(), nullable=False),
        Column("code", Text()),
        Column("reason", Text()),
        Column("watermark", BigInteger(), nullable=False),
        Column("first_seen_at", DateTime(timezone=True), nullable=False),
        Column("last_seen_at", DateTime(timezone=True), nullable=False),
        Column("first_reconciliation_id", BigInteger(), nullable=False),
        Column("last_reconciliation_id", BigInteger(), nullable=False),
        Column("package_id", BigInteger()),
        Column("record_sealed", LargeBinary()),
        Column("approved_at", DateTime(timezone=True)),
        Column("approved_by", Text()),
        Column("proposed_by", Text()),
        Column("repair_package_id", BigInteger()),
        Column("entry_no", BigInteger()),
        Column("settled_at", DateTime(timezone=True)),
        Column("settled_by", Text()),
        # Of a difference J-LIS reported: the number of the last report that named it (法30条の8, 30条の43).
        Column("jlis_report_no", Integer()),
        CheckConstraint(one_of("kind", DifferenceKind), name="kind"),
        CheckConstraint(one_of("state", DifferenceState), name="state"),
        CheckConstraint("(state = 'settled') = (settled_at IS NOT NULL)", name="settled"),
    )
    open_ones = text("settled_at IS NULL")
    key = (table.c.municipality_code, table.c.resident_code, table.c.kind)
    Index("difference_open_key", *key, unique=True, postgresql_where=open_ones)
    Index("difference_channel_idx", table.c.municipality_code, table.c.difference_id)
    return table


@dataclass(frozen=True, slots=True)
class StoreTables:
    """The tables of one of the two databases."""

    file: IdentityFile
    metadata: MetaData
    current: Table
    history: Table
    former_code: Table
    channel: Table
    package: Table
    rejection: Table
    quarantine: Table
    outbox: Table
    journal: Table
    checkpoint: Table
    used_assertion: Table
    store_key: Table
    reconciliation: Table
    difference: Table
    jlis_package: Table
    jlis_message: Table
    provision: Table
    provided: Table
    hold: Table
    medium: Table
    held_number: Table | None
    """In the fuhyo store only: numbers are lent out with fuhyo data."""
    crossing: Table | None
    """In the resident store only: what the bridge may fetch from it."""
    operator: Table | None
    """In the resident store only: there is one register of operators."""
    disclosure: Table | None
    """In the resident store only: a person asks once, of both files."""


def _declare(file: IdentityFile) -> StoreTables:
    metadata = MetaData(naming_convention=_NAMING)
    return StoreTables(
        file=file,
        metadata=metadata,
        current=_current(file, metadata),
        history=_history(file, metadata),
        former_code=_former_code(metadata),
        channel=_channel(metadata),
        package=_package(metadata),
        rejection=_rejection(metadata),
        quarantine=_quarantine(metadata),
        outbox=_outbox(metadata),
        journal=_journal(metadata),
        checkpoint=_checkpoint(metadata),
        used_assertion=used_assertion_table(metadata),
        store_key=_store_key(metadata),
        reconciliation=_reconciliation(metadata),
        difference=_difference(metadata),
        jlis_package=_jlis_package(metadata),
        jlis_message=_jlis_message(metadata),
        operator=operator_table(metadata) if file is IdentityFile.RESIDENT else None,
        disclosure=disclosure_table(metadata) if file is IdentityFile.RESIDENT else None,
        **declared_here(metadata, is_fuhyo=file is IdentityFile.FUHYO),
    )


TABLES: dict[IdentityFile, StoreTables] = {file: _declare(file) for file in IdentityFile}
"""The tables of each file; the two databases share nothing but their shape."""
