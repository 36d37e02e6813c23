"""The exceptions of the core, grouped by who must act; every one carries a code and no personal value.

An exception means that a package or a run cannot go on. A bad *record* is data: `juki.reasons.Rejection`.
"""

from __future__ import annotations

from juki.reasons import Code


class JukiError(Exception):
    """The package or run cannot go on; `code` says why, `ref` where (package, municipality, setting), never whom.

    `is_transient` is the one mark the one retry condition reads.
    """

    is_transient = False

    def __init__(self, code: Code, ref: str = "", *, is_transient: bool = False) -> None:
        self.code = code
        self.ref = ref
        self.is_transient = is_transient
        super().__init__(f"[{code.value}] {code.message}" + (f"（{ref}）" if ref else ""))


class SourceError(JukiError):
    """What the municipality sent, or the way it came, is not what it must be: the municipality acts."""


class ContractError(JukiError):
    """A package opened well but its content breaks the layout as a whole: the municipality acts."""


class StoreError(JukiError):
    """The database refused or went away: the administrator of the system acts."""


class JournalError(JukiError):
    """The operation log can not be written or does not verify: nothing may go on (no log, no act)."""


class ScannerError(JukiError):
    """The virus scanner can not be relied on: its administrator acts, and the next run goes on by itself."""

    def __init__(self, code: Code, ref: str = "") -> None:
        super().__init__(code, ref, is_transient=True)


class DeniedError(JukiError):
    """The act is not permitted: the operator acts."""


class ConfigurationError(JukiError):
    """The configuration is incomplete or contradicts itself: the administrator acts."""
