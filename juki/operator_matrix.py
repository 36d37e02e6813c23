"""Which command which operator may use (操作者ID × 操作): the one table of it.

Decides:    for every command of `juki`, the roles it is open to, and whether a second administrator has to agree.
Leaves:     who has which role to the register, enforcing it to `juki.cli.acting` and to `tasks.authorising`.
Invariants: every command is in the table (a test walks them all); what is in no table may be used by nobody; an act
            that copies, or changes the register of operators, needs two administrators.
Source:     assessment M7, M9, M10, ADR-0036.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from juki.operators import Role


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a command; with `roles` empty it shows and changes nothing of people and needs no operator.

    `needs_second`: an administrator other than who acts agrees to the very same act.
    """

    roles: frozenset[Role] = frozenset()
    needs_second: bool = False
    seconds: frozenset[Role] = frozenset({Role.ADMINISTRATOR})
    """Whose agreement counts as the second."""

    @property
    def is_open(self) -> bool:
        """Tell whether whoever may use the machine may use it: states, counts, codes and keys of the machine."""
        return not self.roles


_V, _C, _R, _P, _U, _A = (
    Role.VIEWER, Role.CLERK, Role.RECONCILER, Role.PROVIDER, Role.AUDITOR, Role.ADMINISTRATOR,
)  # fmt: skip


def _each(commands: Iterable[str], access: Access) -> dict[str, Access]:
    return dict.fromkeys(commands, access)


def _for(*roles: Role) -> Access:
    return Access(frozenset(roles))


_TWO = Access(frozenset({_A}), needs_second=True)

MATRIX: Mapping[str, Access] = {
    # States, counts and codes; nothing of a person is shown, nothing of the files is changed.
    **_each(("init", "stop", "up", "down", "config show", "status"), Access()),
    "doctor": Access(),
    **_each(
        ("package list", "package show", "rejection list", "difference list", "difference show"), Access()
    ),
    **_each(("basis list", "basis show", "recipient list", "recipient show"), Access()),
    **_each(("request list", "provision list", "provision show", "hold list", "medium list"), Access()),
    **_each(
        ("jlis list", "jlis show", "log verify", "log checkpoint", "log keys", "operator list"), Access()
    ),
    **_each(("operator target", "operator matrix", "scanner show"), Access()),
    **_each(("quality", "quality show"), Access()),
    # Receiving from municipalities.
    "intake": _for(_C, _R, _A),
    **_each(("package retry", "package close", "rejection retry"), _for(_C, _A)),
    "package release": _for(_R, _A),
    "scanner close": _for(_A),
    # Reconciliation.
    **_each(("reconcile", "difference propose", "difference approve", "difference accept"), _for(_R, _A)),
    # Only who may approve repairs may let stand what a check of the tables found.
    "quality accept": _for(_R, _A),
    # Providing, holding, handing over.
    **_each(("request enter", "provide", "provision rerun", "provision resend"), _for(_P)),
    **_each(("provision receipt", "provision hand-over"), _for(_P)),
    "purge": _for(_P, _A),
    **_each(("medium register", "medium hand-out", "medium return", "medium retire"), _for(_P, _A)),
    **_each(("forward", "jlis resend", "jlis close"), _for(_R, _A)),
    # Looking at people; auditors see who looked, not whom they look at.
    **_each(("person find", "person show"), _for(_V, _C, _R, _P, _A)),
    # Telling people what is held of them: the register shows days and decisions, the document everything.
    **_each(("disclosure list", "disclosure show"), Access()),
    **_each(("disclosure receive", "disclosure correction", "disclosure extend"), _for(_P, _A)),
    **_each(("disclosure close", "disclose"), _for(_P, _A)),
    # The operation log.
    **_each(("log search", "log export"), _for(_U)),
    "log rotate-key": _TWO,
    "review list": Access(),
    "review show": _for(_U, _A),
    **_each(("review run", "review acknowledge"), _for(_U)),
    # Copies of what is kept (M9).
    **_each(("export", "backup"), _TWO),
    # The register of operators.
    **_each(("operator register", "operator change", "operator remove"), _TWO),
    # One of two administrators locked would leave nobody to unlock him: an auditor may be the second.
    "operator unlock": Access(frozenset({_A}), needs_second=True, seconds=frozenset({_A, _U})),
    "operator lock": _for(_A, _U),
}
"""By the words of the command."""

SYSTEM: frozenset[str] = frozenset(
    {
        *("intake", "reconcile", "provide", "purge", "forward"),
        *("log checkpoint", "review run", "quality", "status"),
    }
)
"""What a scheduled run may do, as nobody in particular; anything else by the clock is refused.

Reconciling by the clock repairs what needs nobody's approval, within the bound (ADR-0022)."""


IN_BOTH_STORES: frozenset[str] = frozenset({"difference propose", "difference approve", "difference accept"})
"""What may change both stores at once, which have no transaction in common: it is begun in the resident store.

Otherwise one that found something in the second store only could be used again for the first."""


def access_of(command: str) -> Access:
    """Find a command in the table.

    Raises: KeyError for what is in no table.
    """
    return MATRIX[command]
