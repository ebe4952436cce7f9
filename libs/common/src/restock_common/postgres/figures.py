"""What PostgreSQL itself tells of a service's database: so nobody has to run an exporter beside it.

The statistics are of the whole database, whichever process has caused them.
"""

from collections.abc import Mapping
from typing import Any
from weakref import WeakSet

from restock_common import telemetry
from restock_common.errors import Transient
from restock_common.postgres.database import Database

_COUNTED = """
    SELECT xact_commit, xact_rollback, blks_hit, blks_read, deadlocks,
        pg_database_size(datid) AS size
    FROM pg_stat_database WHERE datname = current_database()
"""
_BACKENDS = """
    SELECT count(*) FILTER (WHERE state = 'active' AND wait_event_type IS DISTINCT FROM 'Lock')
            AS active,
        count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting,
        count(*) FILTER (WHERE state LIKE 'idle%') AS idle,
        coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 AS oldest_s
    FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_COUNTERS = {
    "xact_commit": telemetry.DATABASE_TRANSACTIONS.labels("committed"),
    "xact_rollback": telemetry.DATABASE_TRANSACTIONS.labels("rolled_back"),
    "blks_hit": telemetry.DATABASE_BLOCKS.labels("cache"),
    "blks_read": telemetry.DATABASE_BLOCKS.labels("outside"),
    "deadlocks": telemetry.DATABASE_DEADLOCKS,
}


class Figures:
    """Turns what databases tell into metrics.

    Args:
        databases: Those that this process has; the first that is open is asked.
    """

    def __init__(self, databases: WeakSet[Database]) -> None:
        self._databases = databases
        self._before: Mapping[str, Any] = {}

    async def look(self) -> None:
        """Ask once; nothing is told where no database is open or none answers."""
        pools = [one.connections() for one in list(self._databases)]
        for state in ("in_use", "idle", "max"):
            telemetry.POOL_CONNECTIONS.labels(state).set(sum(one[state] for one in pools))
        if not pools:
            return
        try:
            async with next(iter(self._databases)).connection() as connection:
                counted = await connection.fetchrow(_COUNTED)
                backends = await connection.fetchrow(_BACKENDS)
        except Transient:
            return  # whoever works with it says so
        if counted is None or backends is None:
            return
        self._count(counted)
        telemetry.DATABASE_SIZE.set(counted["size"])
        telemetry.DATABASE_OLDEST.set(backends["oldest_s"])
        for state in ("active", "waiting", "idle"):
            telemetry.DATABASE_BACKENDS.labels(state).set(backends[state])

    def _count(self, counted: Mapping[str, Any]) -> None:
        """Add what has come since the last look; a statistic that was reset begins anew."""
        for name, counter in _COUNTERS.items():
            counter.inc(max(0, counted[name] - self._before.get(name, counted[name])))
        self._before = counted
