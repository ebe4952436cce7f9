"""The spool in PostgreSQL: what was accepted while Kafka was away, drained by one at a time."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from order_ingest.handlers.outlet import Spooled
from restock_common.postgres import Connection, Database
from restock_common.transact import Outgoing, Partition

_DRAINER_LOCK = 7_265_737_417  # any constant: one drainer at a time in a database
_DOUBT_ENDS_S = 10
"""A replica that has not said for so long that it doubts has gone, and its connections with it."""
_DRAIN_ROWS = 5_000
_DRAIN_BYTES = 8_388_608
_PREFETCH_ROWS = 100


class PostgresDraining:
    """The head of the spool, in a transaction that holds the drainer's lock."""

    def __init__(
        self, connection: Connection, replica: str, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        self._connection = connection
        self._replica = replica
        self._sequences = [row["sequence"] for row in rows]
        self.entries = [_record(row) for row in rows]

    async def remove(self) -> None:
        """Delete the records, when the transaction commits."""
        await self._connection.execute(
            "DELETE FROM spool WHERE sequence = ANY($1)", self._sequences
        )

    async def doubt(self, partitions: Collection[Partition]) -> None:
        """Note where something may still arrive from here, before another can drain."""
        await _doubt(self._connection, self._replica, partitions)


class PostgresSpool:
    """Writes to and reads from the tables `spool` and `spool_doubts`.

    Args:
        database: The service's own.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._replica = str(uuid4())

    async def is_empty(self) -> bool:
        """Return whether nothing is spooled, by any replica."""
        async with self._database.connection() as connection:
            return not await connection.fetchval("SELECT EXISTS (SELECT FROM spool)")

    async def look(self) -> Spooled:
        """Return what lies there."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT count(*) AS rows, min(sequence) AS first, coalesce(extract("
                "epoch FROM now() - min(spooled_at)), 0)::float8 AS oldest_s FROM spool"
            )
        assert row is not None, "an aggregate has one row"
        return Spooled(row["rows"], row["first"], row["oldest_s"])

    async def add(self, entries: Sequence[Outgoing], doubted: Collection[Partition]) -> None:
        """Append records in their order; what is doubted is committed with them."""
        async with self._database.transaction() as connection:
            await connection.execute(
                "INSERT INTO spool (topic, partition, key, headers, body)"
                " SELECT topic, partition, key, headers, body FROM unnest($1::text[], $2::int[],"
                " $3::bytea[], $4::text[], $5::bytea[]) WITH ORDINALITY"
                " AS new (topic, partition, key, headers, body, place) ORDER BY place",
                [entry.topic for entry in entries],
                [entry.partition for entry in entries],
                [entry.key for entry in entries],
                [_headers_text(entry) for entry in entries],
                [entry.body for entry in entries],
            )
            await _doubt(connection, self._replica, doubted)

    async def doubt(self, partitions: Collection[Partition]) -> None:
        """Say again where something may still arrive from here; nowhere else, from now on."""
        async with self._database.transaction() as connection:
            await connection.execute(
                "DELETE FROM spool_doubts WHERE replica = $1"
                " OR seen_at < now() - make_interval(secs => $2)",
                self._replica,
                _DOUBT_ENDS_S,
            )
            await _doubt(connection, self._replica, partitions)

    @asynccontextmanager
    async def drain(self) -> AsyncIterator[PostgresDraining | None]:
        """Hold the drainer's lock and yield the first records; None where another holds it.

        What another replica doubts is left to it. The lock ends with the transaction, so also with
        the connection of a process that was killed.
        """
        async with self._database.transaction() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _DRAINER_LOCK):
                yield None
                return
            rows: list[Mapping[str, Any]] = []
            size = 0
            async for row in connection.cursor(
                "SELECT * FROM spool WHERE (topic, partition) NOT IN ("
                "SELECT topic, partition FROM spool_doubts WHERE replica <> $1"
                " AND seen_at > now() - make_interval(secs => $2)) ORDER BY sequence LIMIT $3",
                self._replica,
                _DOUBT_ENDS_S,
                _DRAIN_ROWS,
                prefetch=_PREFETCH_ROWS,
            ):
                rows.append(row)
                size += len(row["body"])
                if size > _DRAIN_BYTES:
                    break
            yield PostgresDraining(connection, self._replica, rows)


async def _doubt(connection: Connection, replica: str, partitions: Collection[Partition]) -> None:
    if partitions:
        await connection.execute(
            "INSERT INTO spool_doubts (replica, topic, partition)"
            " SELECT $1::uuid, new.* FROM unnest($2::text[], $3::int[]) AS new"
            " ON CONFLICT (replica, topic, partition) DO UPDATE SET seen_at = now()",
            replica,
            [one.topic for one in partitions],
            [one.number for one in partitions],
        )


def _headers_text(entry: Outgoing) -> str:
    """Return headers as one text: values are ours, and hold neither tabs nor line ends."""
    return "\n".join([f"{name}\t{value.decode()}" for name, value in entry.headers])


def _record(row: Mapping[str, Any]) -> Outgoing:
    """Return the record of a row, byte for byte."""
    lines = [line.partition("\t") for line in row["headers"].split("\n") if line]
    headers = [(name, value.encode()) for name, _, value in lines]
    return Outgoing(row["topic"], row["partition"], row["key"], headers, row["body"])
