"""What a person may do with refused records: let the next intake judge them again.

Decides:    when that is allowed.
Leaves:     the judging to `tasks.judging_again`; why records were refused to `juki rejection list`.
Invariants: the order to judge and its journal entry commit together; asked twice, the second time changes nothing.
"""

from __future__ import annotations

from datetime import datetime

from juki.acts.packages import Done, acting_on, entry_of, seen
from juki.acts.site import Site
from juki.errors import JukiError
from juki.journal import Action
from juki.order import PackageState
from juki.package_id import PackageId
from juki.reasons import Code


def retry_records(site: Site, package_id: PackageId, at: datetime) -> Done:
    """Ask that the refused records of an applied package be judged again by the next intake.

    Raises: JukiError(PACKAGE_NOT_FOUND), JukiError(PACKAGE_NOTHING_OPEN).
    """
    with acting_on(site, package_id) as unit:
        package = seen(unit, package_id)
        if package.judge_again_at is not None:
            return Done(package, has_changed=False)
        if package.state is not PackageState.APPLIED or not package.counts.get("rejected"):
            raise JukiError(Code.PACKAGE_NOTHING_OPEN, str(package_id))
        unit.packages.ask_to_judge_again(package_id.number, at)
        unit.journal.append(entry_of(site, package, Action.RECORDS_RETRIED, None), at)
        return Done(seen(unit, package_id), has_changed=True)
