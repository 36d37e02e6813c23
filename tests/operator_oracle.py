"""Who may use which command, written a second time by hand: the table the matrix of the product is compared with.

It reads nothing of `juki.operator_matrix`. A cell is changed here only with the sentence it rests on.

Source: measures M7 to M10 and M12; the roles and rules of issue 6, part 1 (viewer, clerk, reconciler, provider,
        auditor, administrator) and part 2 ("viewer and up", copying, disclosure); ADR-0022 (who approves repairs),
        ADR-0034 (the site), ADR-0036 (the register), ADR-0037 (disclosure), ADR-0038 (copies), the duties of
        docs/handbook (README, operators, review, scanner, people).
"""

from __future__ import annotations

VIEWER, CLERK, RECONCILER, PROVIDER, AUDITOR, ADMINISTRATOR = (
    "viewer", "clerk", "reconciler", "provider", "auditor", "administrator",
)  # fmt: skip
ROLES = (VIEWER, CLERK, RECONCILER, PROVIDER, AUDITOR, ADMINISTRATOR)

# x: alone. 2: with a second administrator. 3: with a second administrator, or an auditor. -: not at all.
#    vie cle rec pro aud adm
_CELLS = """
# An intake is by the contents of sealed packages: whoever works with them may begin one.
intake                    -   x   x   -   -   x
# Receiving and its clerks; to put aside what a municipality sent is no clerk's decision.
package retry             -   x   -   -   -   x
package close             -   x   -   -   -   x
rejection retry           -   x   -   -   -   x
package release           -   -   x   -   -   x
# docs/handbook/scanner.md: an infection is closed by an administrator.
scanner close             -   -   -   -   -   x
# ADR-0022: repairs are the reconcilers'; who sees to it that it was another one is not a matter of the role.
reconcile                 -   -   x   -   -   x
difference propose        -   -   x   -   -   x
difference approve        -   -   x   -   -   x
difference accept         -   -   x   -   -   x
quality accept            -   -   x   -   -   x
forward                   -   -   x   -   -   x
jlis resend               -   -   x   -   -   x
jlis close                -   -   x   -   -   x
# M13: an administrator of the system gives nobody's data to anybody.
request enter             -   -   -   x   -   -
provide                   -   -   -   x   -   -
provision rerun           -   -   -   x   -   -
provision resend          -   -   -   x   -   -
provision receipt         -   -   -   x   -   -
provision hand-over       -   -   -   x   -   -
# M12, M10: erasing and the register of media.
purge                     -   -   -   x   -   x
medium register           -   -   -   x   -   x
medium hand-out           -   -   -   x   -   x
medium return             -   -   -   x   -   x
medium retire             -   -   -   x   -   x
# Issue 6: viewer and up; an auditor sees who looked, not whom they look at.
person find               x   x   x   x   -   x
person show               x   x   x   x   -   x
# ADR-0037: the counter is the provider's.
disclosure receive        -   -   -   x   -   x
disclosure correction     -   -   -   x   -   x
disclosure extend         -   -   -   x   -   x
disclosure close          -   -   -   x   -   x
disclose                  -   -   -   x   -   x
# M8: who is watched does not look into what watches.
log search                -   -   -   -   x   -
log export                -   -   -   -   x   -
review run                -   -   -   -   x   -
review acknowledge        -   -   -   -   x   -
review show               -   -   -   -   x   x
log rotate-key            -   -   -   -   -   2
# M9: only administrators copy, and never one alone.
export                    -   -   -   -   -   2
backup                    -   -   -   -   -   2
# ADR-0036: the register takes two; stopping somebody can not wait; of two administrators one may be stopped.
operator register         -   -   -   -   -   2
operator change           -   -   -   -   -   2
operator remove           -   -   -   -   -   2
operator unlock           -   -   -   -   -   3
operator lock             -   -   -   -   x   x
"""
_OPEN = """
init
stop
up
down
doctor
status
config show
package list
package show
rejection list
difference list
difference show
basis list
basis show
recipient list
recipient show
request list
provision list
provision show
hold list
medium list
jlis list
jlis show
disclosure list
disclosure show
log verify
log checkpoint
log keys
review list
operator list
operator target
operator matrix
scanner show
quality
quality show
"""
"""States, counts, codes and keys of the machine: nothing of a person is shown, nothing of the files is changed."""


def _rows() -> dict[str, tuple[str, ...]]:
    found = dict[str, tuple[str, ...]]()
    for line in filter(lambda one: one and not one.startswith("#"), _CELLS.splitlines()):
        *words, _, _, _, _, _, _ = line.split()
        assert " ".join(words) not in found, line
        found[" ".join(words)] = tuple(line.split()[-len(ROLES) :])
    return found


CELLS = _rows()
"""By the words of a command, the cell of each role."""
OPEN = frozenset(_OPEN.strip().splitlines())
"""The commands that ask nobody who he is."""
SYSTEM = frozenset(
    (
        "intake",
        "reconcile",
        "provide",
        "purge",
        "forward",
        "log checkpoint",
        "review run",
        "quality",
        "status",
    )
)
"""What the clock does, as nobody in particular: what deployments.yaml schedules, and what looks."""


def roles_of(command: str) -> frozenset[str]:
    """Tell whom a command is open to, of those who have to prove themselves."""
    return frozenset(role for role, cell in zip(ROLES, CELLS[command], strict=True) if cell != "-")


def seconds_of(command: str) -> frozenset[str]:
    """Tell whose agreement a command needs; nobody's where one is enough."""
    cells = set(CELLS[command])
    if "3" in cells:
        return frozenset({ADMINISTRATOR, AUDITOR})
    return frozenset({ADMINISTRATOR}) if "2" in cells else frozenset()
