"""Cursors and journals in PostgreSQL: what `transact` works on."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import structlog

from restock_common.contracts.envelope import Position
from restock_common.errors import Fenced
from restock_common.postgres.database import Connection, Database
from restock_common.transact import Cursor, JournalEntry, Partition

log = structlog.get_logger()

ENTRIES = (
    "SELECT sequence, topic, partition, key, id, type, time, cause, traceparent, incarnation, body,"
    " head, kept FROM journal LEFT JOIN (SELECT source_topic, source_partition,"
    " last_sequence AS sequence, head FROM batches) AS ends"
    " USING (source_topic, source_partition, sequence)"
)
"""Selects whole entries: the last of a batch with the chain's head."""

_HOLDER_PATIENCE_S = 2.0
"""Longer than a batch takes, and a small part of what a writer's absence costs anyway."""


_ENTRY = JournalEntry._fields[:11]
"""The fields of an entry as the journal's columns are named; its head stands with its batch."""


class PostgresWork:
    """One open transaction with its partition's cursor locked."""

    def __init__(self, connection: Connection, cursor: Cursor) -> None:
        self.connection = connection
        self.cursor = cursor

    async def finish(self, cursor: Cursor, journal: Sequence[JournalEntry]) -> None:
        """Append the journal and move the cursor, only if epoch and offset are still ours."""
        partition = cursor.partition
        if journal:
            await self.connection.copy_records_to_table(
                "journal",
                records=[
                    (partition.topic, partition.number, *entry[:11], entry.kept)
                    for entry in journal
                ],
                columns=("source_topic", "source_partition", *_ENTRY, "kept"),
            )
        kept = [entry.sequence for entry in journal if entry.kept]
        if kept:
            await self.connection.execute(
                "INSERT INTO batches (source_topic, source_partition, last_sequence, entries,"
                " next_offset, head) VALUES ($1, $2, $3, $4, $5, $6)",
                partition.topic,
                partition.number,
                kept[-1],
                len(kept),
                cursor.next_offset,
                cursor.head,
            )
        moved = await self.connection.execute(
            "UPDATE cursors SET next_offset = $4, log_identity = $5, next_sequence = $6, head = $7,"
            " seen = $8, watermarks = $9, published_sequence = greatest(published_sequence, $11)"
            " WHERE topic = $1 AND partition = $2 AND epoch = $3 AND next_offset = $10",
            partition.topic,
            partition.number,
            self.cursor.epoch,
            cursor.next_offset,
            cursor.log_identity,
            cursor.next_sequence,
            cursor.head,
            {source: list(position) for source, position in cursor.seen.items()},
            {source: until.isoformat() for source, until in cursor.watermarks.items()},
            self.cursor.next_offset,
            cursor.published_sequence,
        )
        if moved != "UPDATE 1":
            raise Fenced(f"{partition.topic}/{partition.number}: the cursor moved under the writer")


class PostgresInbox:
    """Cursors and journals in PostgreSQL; one writer a partition, told by its epoch.

    Args:
        database: The service's own.
        keep_journal: Keep published entries (the ledger, whose journal is its record for ever),
            but those that are not part of the record.
    """

    def __init__(self, database: Database, *, keep_journal: bool = False) -> None:
        self._database = database
        self._keep_journal = keep_journal

    async def take_over(self, partition: Partition) -> Cursor:
        """Become the partition's writer: every earlier one is fenced from now on.

        An earlier one that stands still in the middle of a batch holds the cursor for as long as
        its connection lasts. It is waited for a little, and then that is ended: what it has begun
        could not be committed any more.
        """
        async with self._database.connection() as connection:
            waiting = await connection.fetchval("SELECT pg_backend_pid()")
            taking = asyncio.ensure_future(
                connection.fetchrow(
                    "INSERT INTO cursors (topic, partition, epoch) VALUES ($1, $2, 1)"
                    " ON CONFLICT (topic, partition) DO UPDATE SET epoch = cursors.epoch + 1"
                    " RETURNING *",
                    partition.topic,
                    partition.number,
                )
            )
            try:
                while not (await asyncio.wait([taking], timeout=_HOLDER_PATIENCE_S))[0]:
                    await self._end_holders(partition, waiting)
                row = await taking
            finally:
                taking.cancel()
                await asyncio.gather(taking, return_exceptions=True)
        assert row is not None
        return as_cursor(row)

    async def _end_holders(self, partition: Partition, waiting: int) -> None:
        """End the connections that a waiting one waits for."""
        async with self._database.connection() as connection:
            ended = await connection.fetch(
                "SELECT pid FROM unnest(pg_blocking_pids($1)) AS pid"
                " WHERE pg_terminate_backend(pid)",
                waiting,
            )
        if ended:
            log.warning(
                "writer_stood_still",
                topic=partition.topic,
                partition=partition.number,
                connections_ended=len(ended),
            )

    async def cursor(self, partition: Partition) -> Cursor:
        """Return the cursor as it stands, without taking the partition over.

        Waits for a transaction that holds it, which can be one whose answer was lost.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT * FROM cursors WHERE topic = $1 AND partition = $2 FOR SHARE",
                partition.topic,
                partition.number,
            )
        if row is None:
            return Cursor(partition, epoch=0)
        return as_cursor(row)

    @asynccontextmanager
    async def begin(self, partition: Partition, epoch: int) -> AsyncIterator[PostgresWork]:
        """Lock the cursor of a partition. Raises Fenced where another writer has taken it over."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                "SELECT * FROM cursors WHERE topic = $1 AND partition = $2 FOR UPDATE",
                partition.topic,
                partition.number,
            )
            if row is None or row["epoch"] != epoch:
                found = None if row is None else row["epoch"]
                place = f"{partition.topic}/{partition.number}"
                raise Fenced.taken_over(place, found=found, ours=epoch)
            yield PostgresWork(connection, as_cursor(row))

    async def unpublished(self, partition: Partition, after: int, limit: int) -> list[JournalEntry]:
        """Return the journal's entries after a sequence number, in order."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"{ENTRIES} WHERE source_topic = $1 AND source_partition = $2 AND sequence > $3"
                " ORDER BY sequence LIMIT $4",
                partition.topic,
                partition.number,
                after,
                limit,
            )
        return [as_entry(row) for row in rows]

    async def mark_published(self, partition: Partition, epoch: int, sequence: int) -> None:
        """Note that the broker has acknowledged everything up to a sequence number.

        Waits for a batch that is under way on the partition: batches note it themselves.
        """
        async with self._database.connection() as connection:
            await connection.execute(
                "UPDATE cursors SET published_sequence = greatest(published_sequence, $4)"
                " WHERE topic = $1 AND partition = $2 AND epoch = $3",
                partition.topic,
                partition.number,
                epoch,
                sequence,
            )

    async def prune(self, partition: Partition, sequence: int) -> None:
        """Delete what is not kept of the journal once it is published; waits for no batch."""
        done = ["journal WHERE sequence <= $3 AND NOT kept"]
        if not self._keep_journal:
            done = ["journal WHERE sequence <= $3", "batches WHERE last_sequence <= $3"]
        async with self._database.transaction() as connection:
            for rows in done:
                await connection.execute(
                    f"DELETE FROM {rows} AND source_topic = $1 AND source_partition = $2",
                    partition.topic,
                    partition.number,
                    sequence,
                )


async def low_watermark(
    connection: Connection, sources: Mapping[str, int], partitions: Mapping[str, int]
) -> datetime | None:
    """Return the time up to which every source has spoken on every partition; None before that.

    Args:
        connection: Any connection to the service's database.
        sources: How many writers pass time on, on each partition of a topic, by topic name.
        partitions: How many partitions the topic has, by topic name.
    """
    rows = await connection.fetch(
        "SELECT topic, partition, watermarks FROM cursors WHERE topic = ANY($1)", list(sources)
    )
    lowest: datetime | None = None
    complete = dict.fromkeys(sources, 0)
    for row in rows:
        marks = [datetime.fromisoformat(mark) for mark in row["watermarks"].values()]
        if len(marks) < sources[row["topic"]]:
            return None
        complete[row["topic"]] += 1
        least = min(marks)
        lowest = least if lowest is None or least < lowest else lowest
    if any(complete[topic] < partitions[topic] for topic in sources):
        return None
    return lowest


def as_entry(row: Mapping[str, Any]) -> JournalEntry:
    """Return the entry of a row of `ENTRIES`."""
    return JournalEntry(*row.values())


def as_cursor(row: Mapping[str, Any]) -> Cursor:
    """Return the cursor of a row."""
    return Cursor(
        partition=Partition(row["topic"], row["partition"]),
        epoch=row["epoch"],
        next_offset=row["next_offset"],
        log_identity=row["log_identity"],
        incarnation=row["incarnation"],
        next_sequence=row["next_sequence"],
        published_sequence=row["published_sequence"],
        head=row["head"],
        seen={source: Position(*position) for source, position in row["seen"].items()},
        watermarks={
            source: datetime.fromisoformat(until) for source, until in row["watermarks"].items()
        },
    )
