"""The replenisher's state in PostgreSQL."""

from replenisher.store.agenda import PostgresAgenda
from replenisher.store.commands import PostgresCommands
from replenisher.store.sendings import PostgresSendings
from replenisher.store.views import PostgresViews
from replenisher.store.working_set import PostgresStore

__all__ = [
    "PostgresAgenda",
    "PostgresCommands",
    "PostgresSendings",
    "PostgresStore",
    "PostgresViews",
]
