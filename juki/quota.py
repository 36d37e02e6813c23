"""How much of one channel may lie on our disk, and which files of an outbox are therefore fetched now.

Decides:    the order of fetching, what has room, and the code under which the rest stays in the outbox.
Leaves:     measuring what lies here to `juki.wire.package_files`, fetching to the tasks.
Invariants: nothing is refused or lost for want of room: a file that is not fetched stays at the CS. The package
            a channel waits for is always let in, or a spool full of what waits behind it would never empty.
            What was kept as evidence is never removed to make room: with quarantine full, nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from juki.reasons import Code

BLOCK_BYTES = 4096
"""What the smallest file costs: many tiny files fill a disk as well as few large ones."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What may lie in the spool and in quarantine for one channel, in bytes."""

    spool_bytes: int
    quarantine_bytes: int


@dataclass(frozen=True, slots=True)
class Offer:
    """One new file of an outbox, as far as room for it is concerned.

    `sequence` is None for a file that takes no place in the order: it goes to quarantine at once.
    `replaces_bytes` is the size of the waiting file it would push into quarantine; `is_fetched` is False for
    one that is refused by its listing alone and takes no room.
    """

    position: int
    sequence: int | None
    size: int
    replaces_bytes: int = 0
    is_fetched: bool = True


@dataclass(frozen=True, slots=True)
class Admission:
    """Which offers are taken now, by position in the order of fetching; how many stay, and why."""

    taken: tuple[int, ...]
    deferred: int = 0
    code: Code | None = None


def cost_bytes(size: int) -> int:
    """Tell what a file takes from the disk: whole blocks."""
    return -(-size // BLOCK_BYTES) * BLOCK_BYTES or BLOCK_BYTES


def admit(offers: Sequence[Offer], expected: int, held: Quota, quota: Quota) -> Admission:
    """Take offers as long as there is room, the one the channel waits for first, those without a place last.

    Shape: `expected` is the sequence that would be applied next; `held` what lies in both places already.
    """
    ordered = sorted(offers, key=lambda one: _rank(one, expected))
    room = _Room(held.spool_bytes, held.quarantine_bytes, quota, expected)
    taken = tuple(one.position for one in takewhile(room.takes, ordered))
    return Admission(taken, len(ordered) - len(taken), room.code)


def held_bytes(sizes: Iterable[int]) -> int:
    """Add up what files take from the disk."""
    return sum(map(cost_bytes, sizes))


def _rank(offer: Offer, expected: int) -> tuple[int, int]:
    if offer.sequence is None:
        return 2, offer.position
    return (0, 0) if offer.sequence == expected else (1, offer.sequence)


@dataclass(slots=True)
class _Room:
    """What is left while offers are taken one by one; `code` says why one was not."""

    spool: int
    quarantine: int
    quota: Quota
    expected: int
    code: Code | None = None

    def takes(self, offer: Offer) -> bool:
        """Take an offer, or say why it stays."""
        if not offer.is_fetched:
            return True
        kept = cost_bytes(offer.replaces_bytes) if offer.replaces_bytes else 0
        arriving = cost_bytes(offer.size)
        if offer.sequence is None:
            kept, arriving = arriving, 0
        if self.quarantine >= self.quota.quarantine_bytes or (
            kept and self.quarantine + kept > self.quota.quarantine_bytes
        ):
            self.code = Code.CHANNEL_QUARANTINE_QUOTA
        elif self.spool + arriving > self.quota.spool_bytes and arriving and offer.sequence != self.expected:
            self.code = Code.CHANNEL_SPOOL_QUOTA
        else:
            self.spool, self.quarantine = self.spool + arriving, self.quarantine + kept
        return self.code is None
