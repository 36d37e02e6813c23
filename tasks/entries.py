"""Journal entries of what a run does with a channel or one of its packages: who and where, said in one place.

Decides:    that a run acts as itself (`run_actor`), and which municipality and file an entry is of.
Leaves:     what was done, and to what end, to the caller; the bytes to `juki.journal`.
"""

from __future__ import annotations

from collections.abc import Mapping

from juki.journal import Action, Entry, Outcome
from juki.order import Channel
from juki.reasons import Code
from juki.store.packages import Package
from tasks.boundary import run_actor


def channel_entry(
    channel: Channel,
    action: Action,
    outcome: Outcome = Outcome.DONE,
    *,
    package: str = "",
    package_id: int | None = None,
    code: Code | None = None,
    counts: Mapping[str, int] | None = None,
    number_accessed: bool = False,
    basis: str = "",
) -> Entry:
    """Write the entry of what a run did for a channel."""
    return Entry(
        action=action, file=channel.file, actor=run_actor(), outcome=outcome,
        municipality_code=channel.municipality_code, package=package, package_id=package_id, code=code,
        counts=counts or {}, number_accessed=number_accessed, basis=basis,
    )  # fmt: skip


def package_entry(
    channel: Channel,
    package: Package,
    action: Action,
    outcome: Outcome = Outcome.DONE,
    *,
    code: Code | None = None,
) -> Entry:
    """Write the entry of what was done with a package."""
    return channel_entry(
        channel, action, outcome, package=package.file_name, package_id=package.package_id, code=code
    )
