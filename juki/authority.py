"""Who may get what: the names of this subject in one place.

Leaves:     recipients to `juki.recipients`.
"""

from __future__ import annotations

from juki.recipients import Limits, Recipient, RecipientKind

__all__ = ["Limits", "Recipient", "RecipientKind"]
