"""What is watched of an installation: where everything is, and by which periods it is judged.

Decides:    nothing; `config.overviews` says it from the settings and the registrations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from juki.columns import IdentityFile
from juki.disclosures import AlarmDays
from juki.health import Limits
from juki.home import Home
from juki.oplog.standing import LogPlace
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit


@dataclass(frozen=True, slots=True)
class Watched:
    """One installation, as whoever watches over it needs to know it."""

    home: Home
    urls: Mapping[IdentityFile, str]
    municipalities: Sequence[str]
    """The registered ones, in the order of the registrations."""
    closed: Sequence[str]
    name: Callable[[str], str]
    """Names a municipality."""
    recipients: Sequence[str]
    log_place: Callable[[IdentityFile], LogPlace]
    """Says what is known of the log of a file outside the database."""
    limits: Limits
    jlis_answer_alert: timedelta
    purge_grace: timedelta
    checkpoint_stale: timedelta
    quality_stale: timedelta
    review_acknowledge: timedelta
    disclosure_days: AlarmDays
    refused_files_most: int
    is_lineage_kept: bool

    @contextmanager
    def unit(self, file: IdentityFile, duty: Duty = Duty.READER) -> Iterator[Unit]:
        """Look into one store, with no more rights than the question needs."""
        with open_unit(self.urls[file], file, duty) as unit:
            yield unit
