"""Reads journals and their batches, in order, whatever is in them."""

from collections.abc import AsyncIterator

from restock_common.postgres import ENTRIES, Connection, as_cursor, as_entry
from restock_common.transact import Cursor, JournalEntry, Partition
from stock_ledger.audit.chain import BEGINNING, Batch

_PREFETCHED_ROWS = 2_000

KEPT_ENTRIES = f"{ENTRIES} WHERE source_topic = $1 AND source_partition = $2 AND kept"
_BATCHES = (
    "SELECT last_sequence, entries, next_offset, head FROM batches"
    " WHERE source_topic = $1 AND source_partition = $2"
)


async def cursor_of(connection: Connection, partition: Partition) -> Cursor:
    """Return where a partition's writer stands; at the beginning where there is none."""
    row = await connection.fetchrow(
        "SELECT * FROM cursors WHERE topic = $1 AND partition = $2",
        partition.topic,
        partition.number,
    )
    return Cursor(partition, epoch=0) if row is None else as_cursor(row)


async def entries(
    connection: Connection, partition: Partition, *, after: int = 0, up_to: int | None = None
) -> AsyncIterator[JournalEntry]:
    """Yield the kept entries with a sequence in (after, up_to], in order."""
    rows = connection.cursor(
        f"{KEPT_ENTRIES} AND sequence > $3 AND ($4::bigint IS NULL OR sequence <= $4)"
        " ORDER BY sequence",
        partition.topic,
        partition.number,
        after,
        up_to,
        prefetch=_PREFETCHED_ROWS,
    )
    async for row in rows:
        yield as_entry(row)


async def batches(connection: Connection, partition: Partition) -> AsyncIterator[Batch]:
    """Yield all batches, in order."""
    rows = connection.cursor(
        f"{_BATCHES} ORDER BY last_sequence",
        partition.topic,
        partition.number,
        prefetch=_PREFETCHED_ROWS,
    )
    async for row in rows:
        yield Batch(**row)


async def batch_before(connection: Connection, partition: Partition, sequence: int) -> Batch:
    """Return the last batch that ends before a sequence; the beginning where there is none."""
    row = await connection.fetchrow(
        f"{_BATCHES} AND last_sequence < $3 ORDER BY last_sequence DESC LIMIT 1",
        partition.topic,
        partition.number,
        sequence,
    )
    return BEGINNING if row is None else Batch(**row)


async def batch_with(connection: Connection, partition: Partition, sequence: int) -> Batch | None:
    """Return the batch that a sequence belongs to; None after the last one."""
    row = await connection.fetchrow(
        f"{_BATCHES} AND last_sequence >= $3 ORDER BY last_sequence LIMIT 1",
        partition.topic,
        partition.number,
        sequence,
    )
    return None if row is None else Batch(**row)
