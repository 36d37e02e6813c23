"""Alembic's entry: run the migrations of one store on the connection it is handed.

The connection and the file come from `juki.store.install`; there is no alembic.ini, so that no URL with a
password is ever written down.
"""

from alembic import context

from juki.columns import IdentityFile
from juki.store.tables import TABLES

_connection = context.config.attributes["connection"]
_file: IdentityFile = context.config.attributes["file"]

context.configure(
    connection=_connection, target_metadata=TABLES[_file].metadata, transaction_per_migration=False
)
with context.begin_transaction():
    context.run_migrations()
