"""Every rule on one record: what a notice or a snapshot row must look like before anyone looks at the person.

Decides:    whether a record keeps the contract (domain.md sections 3 and 4, spec/packages.md section 3).
Leaves:     the record against the current state of the person to `juki.decisions`, running to `validations`.
Invariants: pure and vectorised: columns in, one mask per rule out; nothing is repaired, no value leaves.

`view` how records are reached · `events` what happened · `identifiers` numbers and codes · `characters`,
`persons` names and persons · `places` where they live · `catalogue` the list.
"""

from __future__ import annotations

from juki.rules.catalogue import RULES, Rule, rules_of
from juki.rules.view import CheckDigitPolicy, RecordContext, Records

__all__ = ["RULES", "CheckDigitPolicy", "RecordContext", "Records", "Rule", "rules_of"]
