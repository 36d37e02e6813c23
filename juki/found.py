"""What a comparison of one file with one municipality's snapshot has found.

Decides:    the shape in which it is handed from the comparison to what keeps and repairs it.
Leaves:     finding to `juki.store.comparison`, keeping to `juki.store.differences`.
Invariants: of what differs only the names of columns are kept; the municipality's records, from which repairs are
            made, lie beside and are stored sealed or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.differences import DifferenceKind

FOUND_SCHEMA = pa.schema(
    [
        ("resident_code", pa.string()),
        ("kind", pa.string()),
        ("columns", pa.list_(pa.string())),
        ("held_by", pa.string()),
        ("package_id", pa.int64()),
    ]
)
"""One row per person and kind (values of `juki.differences.DifferenceKind`), sorted by code.

`columns`: the names of `juki.columns.RECORD_COLUMNS` that differ, empty but for `differs`. `held_by`: the
municipality whose current record the person is, null unless it is another than the one compared. `package_id`: the
package of the version of ours that was compared, null where there is none.
"""


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """The outcome of one comparison.

    Shape: `differences` as FOUND_SCHEMA; `records` in RECORD_COLUMNS, all text: the municipality's record of each
           person with a `missing` or `differs`, one each, sorted by code; `rows_ours` without those who have moved;
           `root_digest` 32 bytes over everything the municipality sent in canonical order.
    """

    differences: pa.Table
    records: pa.Table
    rows_theirs: int
    rows_ours: int
    root_digest: bytes

    @property
    def is_equal(self) -> bool:
        """Tell whether both sides say the same of the same people.

        Somebody whom another municipality has entered since is in neither: only their deletion has not come yet.
        """
        return self.count(DifferenceKind.MOVED) == len(self.differences)

    def count(self, kind: DifferenceKind) -> int:
        """Count the differences of one kind."""
        return int(pc.sum(pc.equal(self.differences.column("kind"), kind.value)).as_py() or 0)


def no_records(file: IdentityFile) -> pa.Table:
    """Give an empty table of records: the shape of `Found.records`."""
    return pa.schema([(name, pa.string()) for name in RECORD_COLUMNS[file]]).empty_table()
