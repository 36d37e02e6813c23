"""Where the two stores are: at the URLs of the settings, or on the embedded server of the home.

Decides:    the names of the databases on the embedded server.
Leaves:     roles and tables to `juki.store.install`.
"""

from __future__ import annotations

from config.settings import Settings
from juki.columns import IdentityFile
from juki.home import Home
from juki.store import embedded

DATABASES = {IdentityFile.RESIDENT: "juki_resident", IdentityFile.FUHYO: "juki_fuhyo"}
PREFECT_DATABASE = "prefect"


def is_embedded(settings: Settings) -> bool:
    """Tell whether the stores are on the embedded server."""
    return all(settings.url(file) is None for file in IdentityFile)


def admin_url(home: Home, settings: Settings, file: IdentityFile) -> str:
    """Return the administrator URL of the store of a file; starts nothing."""
    return settings.url(file) or embedded.admin_url(home, DATABASES[file])


def ensure_servers(home: Home, settings: Settings) -> None:
    """Start the embedded server where the settings name no other."""
    if is_embedded(settings):
        embedded.start(home)


def prefect_url(home: Home) -> str:
    """Return the URL of Prefect's own database on the embedded server, as its own role."""
    return embedded.admin_url(home, PREFECT_DATABASE).replace(f"//{embedded.ADMIN_ROLE}@", "//prefect@")
