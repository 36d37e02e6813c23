"""整合処理 of one channel: ask, collect, compare, repair, compare again, report.

Decides:    nothing of its own: what is found is of `juki.store.comparison`, what may be repaired of
            `juki.differences`, what a repair does of the logical checks.
Invariants: each step is one transaction with its journal entry, and the register says how far the reconciliation
            has come, so that whoever is killed anywhere goes on from there. The channel is held while its file is
            compared and repaired, not while a snapshot is awaited.
Source:     measure M11; 法30条の6, 30条の41.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
from prefect import task

from config.settings import Period
from juki.differences import Mode, ReconciliationState
from juki.errors import ContractError, SourceError
from juki.found import Found
from juki.journal import Action, Entry, Outcome
from juki.order import Channel
from juki.reasons import Code
from juki.snapshots import Answer, ArrivedPart
from juki.store.comparison import compare
from juki.store.reconciliations import Reconciliation
from juki.store.unit import Unit, channel_lock, open_unit, reconciliation_lock
from juki.wire.snapshot_files import SnapshotFiles
from tasks import clock
from tasks.boundary import ONCE, PipelineError, run_actor, sealed
from tasks.collecting import Collection
from tasks.repairing import Repaired, repair
from tasks.reporting import deliver_reports, report_of
from tasks.snapshots import open_part, parse_part
from tasks.workshop import Keyring, Workshop
