"""Two stores, each worked for itself: one that is down keeps nothing of the other from its end.

Decides:    that the first failure of a store is the one that is told.
Leaves:     what is done to the purge and to the erasing of records.
Invariants: a code and a file, nothing else; what is no failure of ours passes.
Source:     ADR-0028, ADR-0043.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from juki.columns import IdentityFile
from juki.errors import JukiError
from juki.reasons import Code


@dataclass(slots=True)
class Apart:
    """The stores of one run that could not be worked to the end, and why."""

    failures: dict[IdentityFile, Code] = field(default_factory=dict)

    @contextmanager
    def alone(self, file: IdentityFile) -> Iterator[None]:
        """Work one store for itself: that it is down is said at the end, and keeps nothing of the other."""
        try:
            yield
        except JukiError as error:
            failure = error.code
        else:
            return
        self.failures.setdefault(file, failure)


def hindered(stopped: Code | None, stores: Mapping[IdentityFile, Code]) -> Code | None:
    """Say what kept a run from its end: a clock that was not believed, else the first store that failed."""
    return stopped or next(iter(stores.values()), None)
