"""The spool in PostgreSQL: what was accepted while Kafka was away, drained by one at a time."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from order_ingest.domain.silence import Silence
from order_ingest.handlers.outlet import Head, Spooled
from restock_common.postgres import Connection, Database
from restock_common.transact import Outgoing

_CLAIM_LOCK = 7_265_737_417  # any constant: of two who claim at once, one sees the other
_DOUBT_ENDS_S = 10.0
"""A replica that has not said for so long that it doubts has gone, and its connections with it."""
_HEAD_ROWS = 2_000
_HEAD_BYTES = 2_097_152


class PostgresSpool:
    """Writes to and reads from the tables `spool` and `spool_doubts`.

    Args:
        database: The service's own.
        doubt_ends_s: A replica that says nothing for so long has gone.
    """

    def __init__(self, database: Database, *, doubt_ends_s: float = _DOUBT_ENDS_S) -> None:
        self._database = database
        self._replica = uuid4()
        self._silence = Silence[tuple[UUID, datetime]](doubt_ends_s)

    async def is_empty(self) -> bool:
        """Return whether nothing is spooled, and nothing may arrive from another replica."""
        async with self._database.connection() as connection:
            empty: bool = await connection.fetchval(
                "SELECT NOT EXISTS (SELECT FROM spool)"
                " AND NOT EXISTS (SELECT FROM spool_doubts WHERE replica <> $1)",
                self._replica,
            )
        return empty

    async def look(self) -> Spooled:
        """Return what lies there; forget what replicas doubted that have gone."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT count(*) AS rows, min(sequence) AS first, coalesce(extract("
                "epoch FROM now() - min(spooled_at)), 0)::float8 AS oldest_s FROM spool"
            )
            doubts = await connection.fetch("SELECT replica, beat FROM spool_doubts")
            said = {one["replica"]: one["beat"] for one in doubts}
            own = said.pop(self._replica, None)
            for replica, beat in self._silence.look(said.items(), time.monotonic()):
                await _forget(connection, replica, beat)
        assert row is not None, "an aggregate has one row"
        return Spooled(row["rows"], row["first"], row["oldest_s"], own, bool(said))

    async def add(self, entries: Sequence[Outgoing], *, doubting: bool) -> None:
        """Append records in their order; the doubt is committed with them."""
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
            if doubting:
                await _doubt(connection, self._replica)

    async def doubt(self) -> None:
        """Say that something may still arrive from here."""
        async with self._database.connection() as connection:
            await _doubt(connection, self._replica)

    async def settle(self, beat: datetime) -> None:
        """Doubt no more, unless that was said again after this."""
        async with self._database.connection() as connection:
            await _forget(connection, self._replica, beat)

    async def claim(self) -> Head | None:
        """Say that something may arrive from here, and return the first records.

        None where another replica doubts. It is asked and read by one statement: whatever was
        spooled behind a doubt is seen with that doubt, or not at all.
        """
        async with self._database.transaction() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _CLAIM_LOCK):
                return None
            rows = await connection.fetch(
                "WITH claimed AS (INSERT INTO spool_doubts (replica) SELECT $1::uuid"
                " WHERE NOT EXISTS (SELECT FROM spool_doubts WHERE replica <> $1)"
                " ON CONFLICT (replica) DO UPDATE SET beat = DEFAULT RETURNING beat),"
                " head AS (SELECT * FROM spool ORDER BY sequence LIMIT $2),"
                " sized AS (SELECT *, sum(octet_length(body)) OVER (ORDER BY sequence)"
                " - octet_length(body) AS bytes_before FROM head)"
                " SELECT claimed.beat, sized.* FROM claimed LEFT JOIN sized ON bytes_before < $3"
                " ORDER BY sequence",
                self._replica,
                _HEAD_ROWS,
                _HEAD_BYTES,
            )
        if not rows:
            return None
        found = [row for row in rows if row["sequence"] is not None]
        places = [row["sequence"] for row in found]
        return Head([_record(row) for row in found], places, rows[0]["beat"])

    async def remove(self, head: Head, *, settled: bool) -> None:
        """Delete records that Kafka has; where all is settled, doubt no more.

        Unless that was said again since: then it stands for something else.
        """
        async with self._database.transaction() as connection:
            await connection.execute("DELETE FROM spool WHERE sequence = ANY($1)", head.places)
            if settled:
                await _forget(connection, self._replica, head.beat)


async def _doubt(connection: Connection, replica: UUID) -> None:
    await connection.execute(
        "INSERT INTO spool_doubts (replica) VALUES ($1)"
        " ON CONFLICT (replica) DO UPDATE SET beat = DEFAULT",
        replica,
    )


async def _forget(connection: Connection, replica: UUID, beat: datetime) -> None:
    await connection.execute(
        "DELETE FROM spool_doubts WHERE replica = $1 AND beat = $2", replica, beat
    )


def _headers_text(entry: Outgoing) -> str:
    """Return headers as one text: values are ours, and hold neither tabs nor line ends."""
    return "\n".join([f"{name}\t{value.decode()}" for name, value in entry.headers])


def _record(row: Mapping[str, Any]) -> Outgoing:
    """Return the record of a row, byte for byte."""
    lines = [line.partition("\t") for line in row["headers"].split("\n") if line]
    headers = [(name, value.encode()) for name, _, value in lines]
    return Outgoing(row["topic"], row["partition"], row["key"], headers, row["body"])
