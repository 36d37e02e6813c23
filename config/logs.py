"""The operation logs of this installation, with their keys and witnesses: what signing and verifying ask for.

Decides:    that the log of a store is named after the prefecture, and that both logs are signed with the same key.
"""

from __future__ import annotations

from config.settings import Settings
from juki.checkpoints import origin_of
from juki.columns import IdentityFile
from juki.home import Home
from juki.log_keys import LogKeys
from juki.oplog.standing import LogPlace
from juki.witnesses import Witness


def log_keys(home: Home, settings: Settings) -> LogKeys:
    """Give the keys that sign both logs."""
    return LogKeys(home.keys, [origin_of(settings.prefecture_code, file) for file in IdentityFile])


def log_place(home: Home, settings: Settings, file: IdentityFile) -> LogPlace:
    """Say what is known of the log of a file outside the database.

    Raises: ConfigurationError(KEY_MISSING) when a public key can not be read.
    """
    origin = origin_of(settings.prefecture_code, file)
    keys = [key for key in log_keys(home, settings).verifiers() if key.name == origin]
    return LogPlace(file, origin, keys, [Witness(root, origin) for root in settings.witnesses(home)])
