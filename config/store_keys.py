"""The keys of the stores that are at hand, in the form in which a store compares them with its own.

Decides:    which keys are looked at: those in use, and those a store says it was installed with.
Leaves:     what is compared to `juki.key_checks`, the files to `juki.keys`.
"""

from __future__ import annotations

from collections.abc import Iterable

from juki.columns import IdentityFile
from juki.home import Home
from juki.key_checks import check_value
from juki.keys import FileKeys, Purpose


def keys_at_hand(home: Home, file: IdentityFile, known: Iterable[str] = ()) -> dict[str, bytes]:
    """Compute the check values of the keys a store uses now, and of those it knows, by key id.

    A known key that is not there is left out: what that means is for the comparison to say.
    Raises: ConfigurationError(KEY_MISSING) when a purpose has no key at all, KEY_PERMISSIONS.
    """
    keys = FileKeys(home.keys)
    wanted = {keys.active(file, purpose) for purpose in Purpose} | set(known)
    return {key_id: check_value(key_id, keys.key(key_id)) for key_id in wanted if keys.has(key_id)}
