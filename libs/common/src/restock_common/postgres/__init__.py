"""PostgreSQL through asyncpg: the pool, migrations, and the inbox that `transact` works on."""

from restock_common.postgres.database import OPEN, Connection, Database
from restock_common.postgres.figures import Figures
from restock_common.postgres.inbox import (
    ENTRIES,
    PostgresInbox,
    PostgresWork,
    as_cursor,
    as_entry,
    low_watermark,
)

__all__ = [
    "ENTRIES",
    "OPEN",
    "Connection",
    "Database",
    "Figures",
    "PostgresInbox",
    "PostgresWork",
    "as_cursor",
    "as_entry",
    "low_watermark",
]
