"""Ask a municipality for digests before its records: where they are equal, no record has to be sent.

Decides:    nothing but what is made of the answer: equal is noted as a comparison of the records would be; anything
            else, or none of use, only that a snapshot has to follow.
Leaves:     comparing to `juki.store.digest_comparison`, ending the reconciliation to its caller.
Invariants: asked once in a reconciliation, so that a CS that answers late is not asked for digests over the request
            for its snapshot again and again. What was opened is in the log (M8) however the comparison ended.
Source:     measure M11, ADR-0024.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

from juki.columns import IdentityFile
from juki.differences import DigestOutcome
from juki.errors import ContractError, JukiError, SourceError
from juki.journal import Action, Entry, Outcome
from juki.packages import PackageKind
from juki.reasons import Code
from juki.snapshot_requests import Wants
from juki.snapshots import Answer
from juki.store.digest_comparison import DigestsCompared, compare_digests
from juki.store.reconciliations import Reconciliation
from juki.store.unit import Unit, open_unit
from juki.wire.snapshot_files import SnapshotFiles
from tasks import clock
from tasks.collecting import Collection
from tasks.entries import channel_entry
from tasks.holding import check_comparable, held_channel
from tasks.workshop import Workshop

PartsOf = Callable[[Answer], Iterator[pa.Table]]
"""Opens and parses the parts of a complete answer one by one."""


def confirm_by_digests(shop: Workshop, registered: Reconciliation, parts_of: PartsOf) -> DigestOutcome:
    """Ask for digests, compare, and note what they said.

    Raises: SourceError when the CS can not be reached, PipelineError(RECONCILIATION_BEHIND) when notices are still to
            come, StoreError; nothing is noted then and the next run asks again.
    """
    channel = registered.channel
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        used = unit.reconciliations.used_sequence(channel.municipality_code, Wants.DIGEST)
    collection = Collection(shop, registered, used, Wants.DIGEST)
    answer = collection.collect()
    if not answer.is_complete:
        return _unanswered(shop, registered, _refused(registered, collection.reason(answer)))
    is_begun = False
    try:
        with held_channel(shop, channel):
            # Before any number is opened.
            check_comparable(shop, channel, answer.first.watermark)
            is_begun = True
            compared = compare_answer(shop, registered, answer, parts_of)
            _note(shop, registered, answer, compared)
    except JukiError as error:
        failure = error
    else:
        _make_room(shop, registered)
        return DigestOutcome.EQUAL if compared.is_equal else DigestOutcome.DIFFERENT
    said = _refused(registered, failure.code, is_begun=is_begun)
    if _is_of_no_use(failure):
        return _unanswered(shop, registered, said)
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        unit.journal.append(said, clock.now())
    raise failure


def compare_answer(
    shop: Workshop, registered: Reconciliation, answer: Answer, parts_of: PartsOf
) -> DigestsCompared:
    """Compare the digests of a complete answer with our file as of their watermark; the channel must be held.

    Raises: ContractError when the digests are of no use, StoreError. Numbers may have been opened by then.
    """
    channel, keys = registered.channel, shop.keyring(registered.channel.file)
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        return compare_digests(
            unit, channel.municipality_code, answer.first.watermark, parts_of(answer), shop.sealing_key, keys.index
        )  # fmt: skip


def _note(shop: Workshop, registered: Reconciliation, answer: Answer, compared: DigestsCompared) -> None:
    """Keep what digests said, with its journal entry."""
    channel, is_equal = registered.channel, compared.is_equal
    outcome = DigestOutcome.EQUAL if is_equal else DigestOutcome.DIFFERENT
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        unit.reconciliations.digested(
            registered.reconciliation_id, outcome, answer.last_sequence, compared.numbers_unopened
        )
        if is_equal:
            _note_equal(shop, unit, registered, answer, compared)
        unit.journal.append(_compared(registered, compared), clock.now())


def _note_equal(
    shop: Workshop, unit: Unit, registered: Reconciliation, answer: Answer, compared: DigestsCompared
) -> None:
    """Keep that both are equal, as after a comparison of the records: what differed before is settled by it."""
    at, first, found = clock.now(), answer.first, compared.found
    quarantine = shop.keyring(registered.channel.file).quarantine
    code, number = registered.channel.municipality_code, registered.reconciliation_id
    unit.differences.note(number, code, first.watermark, at, found, quarantine)
    said = {"as_of": first.as_of, "watermark": first.watermark, "parts": first.parts}
    unit.reconciliations.compared(number, said, found, at)


def _is_of_no_use(refusal: JukiError) -> bool:
    """Tell whether the digests are at fault: whatever they are, they must not keep a snapshot from coming."""
    if refusal.code is Code.CHANNEL_BUSY:
        return False
    return isinstance(refusal, SourceError | ContractError) or refusal.code is Code.RECONCILIATION_STALE


def _unanswered(shop: Workshop, registered: Reconciliation, said: Entry) -> DigestOutcome:
    """Note that no digests of use came, with the entry that says why."""
    outcome, channel = DigestOutcome.UNANSWERED, registered.channel
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        unit.reconciliations.digested(registered.reconciliation_id, outcome, None, None)
        unit.journal.append(said, clock.now())
    _make_room(shop, registered)
    return outcome


def _make_room(shop: Workshop, registered: Reconciliation) -> None:
    """Remove the parts with digests: what is still to come needs the room, and a part refused is not of it."""
    files = SnapshotFiles.of(shop.home, registered.channel)
    files.clear([part for part in files.stored() if part.name.kind is PackageKind.SNAPSHOT])


def _compared(registered: Reconciliation, compared: DigestsCompared) -> Entry:
    counts = {
        "theirs": compared.rows_theirs, "ours": compared.rows_ours, "equal": int(compared.is_equal),
        "moved": compared.moved.num_rows, "numbers_opened": compared.numbers_opened,
        "numbers_unopened": compared.numbers_unopened,
    }  # fmt: skip
    code = Code.CIPHER_ALTERED if compared.numbers_unopened else None
    is_accessed = compared.numbers_opened + compared.numbers_unopened > 0
    return channel_entry(
        registered.channel, Action.DIGESTS_COMPARED, code=code, counts=counts, number_accessed=is_accessed
    )


def _refused(registered: Reconciliation, code: Code, *, is_begun: bool = False) -> Entry:
    """Say that there was no comparison to the end; where one was begun, numbers count as opened."""
    is_accessed = is_begun and registered.channel.file is IdentityFile.RESIDENT
    return channel_entry(
        registered.channel, Action.DIGESTS_COMPARED, Outcome.REFUSED, code=code, number_accessed=is_accessed
    )
