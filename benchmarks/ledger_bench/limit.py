"""What PostgreSQL can take: the ledger's own rows in the ledger's own batches, and nothing else."""

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from ledger_bench.meter import Meter
from ledger_bench.rows import Batch, Table, Writes, wal_position
from restock_common.contracts.topics import LEDGER
from restock_common.postgres import Connection, Database

_MOVE_CURSOR = (
    "UPDATE cursors SET next_offset = next_offset + 1, next_sequence = next_sequence + 1"
    " WHERE topic = $1 AND partition = $2"
)
Step = Callable[[Connection], Awaitable[None]]
"""One statement with its arguments, ready to be sent."""


def statement(table: Table) -> str:
    """Return the one statement that writes a batch's rows of a table."""
    names = ", ".join(f'"{name}"' for name in table.names)
    arrays = ", ".join(
        f"${number}::{column.kind if column.plain else 'text'}[]"
        for number, column in enumerate(table.columns, 1)
    )
    values = ", ".join(
        f'"{column.name}"' if column.plain else f'"{column.name}"::{column.kind}'
        for column in table.columns
    )
    insert = (
        f"INSERT INTO {table.name} ({names}) SELECT {values} FROM unnest({arrays})"
        f" AS written ({names})"
    )
    if not table.updated:
        return insert
    changed = [name for name in table.names if name not in table.key]
    key = ", ".join(f'"{name}"' for name in table.key)
    new = ", ".join(f'"{name}" = excluded."{name}"' for name in changed)
    return f"{insert} ON CONFLICT ({key}) DO UPDATE SET {new}"


@dataclass(frozen=True, slots=True)
class Limit:
    """What the bare writes took.

    Attributes:
        seconds: From the first statement to the last commit.
        wal_bytes: Written ahead.
        cpu_s: Processor time by part; the writer is this process.
    """

    seconds: float
    wal_bytes: int
    cpu_s: dict[str, float]


async def measure(url: str, writes: Writes, *, by_copy: bool) -> Limit:
    """Write everything, a connection a shard and a transaction a batch.

    Statements are prepared when a connection meets them first, and kept, as the ledger's are; the
    arguments are there before the clock starts.

    Args:
        url: A copy of the ledger's database as it was before.
        writes: What the ledger wrote into its own.
        by_copy: Append rows by COPY, not by `INSERT ... SELECT FROM unnest(...)`.
    """
    steps = _copies if by_copy else _statements
    prepared = {
        shard: [steps(writes.tables, batch) for batch in batches]
        for shard, batches in writes.batches.items()
    }
    meter = Meter(os.getpid())
    async with AsyncExitStack() as stack:
        beside, *connections = [
            await stack.enter_async_context(_connection(url)) for _ in range(len(prepared) + 1)
        ]
        await beside.execute("CHECKPOINT")
        gc.collect()
        gc.disable()
        wal, used = await wal_position(beside), meter.cpu_s()
        began = time.monotonic()
        await asyncio.gather(
            *(
                _write(connection, shard, batches)
                for connection, (shard, batches) in zip(connections, prepared.items(), strict=True)
            )
        )
        seconds = time.monotonic() - began
        gc.enable()
        return Limit(
            seconds,
            await wal_position(beside) - wal,
            {part: now - used[part] for part, now in meter.cpu_s().items()},
        )


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[Connection]:
    database = Database(url, max_connections=1)
    await database.open()
    try:
        async with database.connection() as connection:
            yield connection
    finally:
        await database.close()


def _statements(tables: Sequence[Table], batch: Batch) -> list[Step]:
    return [_statement(table, batch.columns[table.name]) for table in _of(batch, tables)]


def _copies(tables: Sequence[Table], batch: Batch) -> list[Step]:
    return [
        _copy(table, batch.columns[table.name])
        if not table.updated and all(column.copied for column in table.columns)
        else _statement(table, batch.columns[table.name])
        for table in _of(batch, tables)
    ]


def _of(batch: Batch, tables: Sequence[Table]) -> list[Table]:
    return [table for table in tables if table.name in batch.columns]


def _statement(table: Table, columns: Sequence[Any]) -> Step:
    query = statement(table)

    async def write(connection: Connection) -> None:
        await connection.execute(query, *columns)

    return write


def _copy(table: Table, columns: Sequence[Any]) -> Step:
    values = [
        [orjson.Fragment(value) for value in values] if column.kind == "jsonb" else values
        for column, values in zip(table.columns, columns, strict=True)
    ]
    rows = list(zip(*values, strict=True))

    async def write(connection: Connection) -> None:
        await connection.copy_records_to_table(table.name, records=rows, columns=table.names)

    return write


async def _write(connection: Connection, shard: int, batches: Sequence[list[Step]]) -> None:
    for steps in batches:
        await connection.execute("BEGIN")
        for step in steps:
            await step(connection)
        await connection.execute(_MOVE_CURSOR, LEDGER.name, shard)
        await connection.execute("COMMIT")
