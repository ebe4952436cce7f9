"""`restock ledger rebuild --from log`: everything again, by the ledger's own code."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing

from restock_common.contracts.envelope import Record
from restock_common.contracts.topics import LEDGER, SHARDS
from restock_common.errors import LogMismatch
from restock_common.kafka import first_record, log_bounds, partition_of, read_to_end
from restock_common.postgres import Connection, Database, PostgresInbox
from restock_common.settings import KafkaSettings
from restock_common.transact import (
    Cursor,
    Partition,
    Writer,
    check_log,
    log_identity,
    transact,
)
from stock_ledger.audit.journal import cursor_of
from stock_ledger.audit.rebuilt import Rebuilt
from stock_ledger.audit.tables import compare, tables_of
from stock_ledger.stream import MAX_RECORDS, SERVICE, LedgerApplication

PACKAGES = ("restock_common", "stock_ledger")

_PARTITIONS = [Partition(LEDGER.name, shard) for shard in range(SHARDS)]
_TELL_EVERY_RECORDS = 50_000

Tell = Callable[[str], None]


async def rebuild_from_log(
    database: Database,
    kafka: KafkaSettings,
    application: LedgerApplication,
    schema: str,
    *,
    keep: bool = False,
    tell: Tell = lambda _: None,
) -> Rebuilt:
    """Read the whole log again into a new schema, and compare every table of the books.

    Args:
        database: The ledger's, whose service may be running: what is compared is as of one moment.
        kafka: Where its log is.
        application: With the rules by which the books were kept.
        schema: A new one, for the rebuilt books.
        keep: Leave them there.
        tell: Told how far it is.

    Raises:
        LogMismatch: The log is not the one that the books were kept from, or not all of it is
            there any more.
    """
    fresh = database.within(schema)
    async with database.connection() as connection:
        await connection.execute(f"CREATE SCHEMA {schema}")
    try:
        await fresh.open()
        await fresh.migrate(PACKAGES)
        replay = _Replay(kafka, fresh, application, tell)
        # Most of it first, so that the moment that is compared lasts no longer than it must.
        async with database.connection() as connection:
            cursors = await _cursors(connection)
        await _check(kafka, cursors)
        await replay.up_to(cursors)
        async with database.snapshot() as stored:
            cursors = await _cursors(stored)
            await replay.up_to(cursors)
            offsets = {shard: cursor.next_offset for shard, cursor in cursors.items()}
            result = Rebuilt("log", offsets, schema if keep else None)
            async with fresh.snapshot() as rebuilt:
                for table in await tables_of(rebuilt):
                    tell(f"comparing {table.name}")
                    rows, differences = await compare(table, stored, rebuilt)
                    result.compared[table.name] = rows
                    result.differences += differences
        return result
    finally:
        await fresh.close()
        if not keep:
            async with database.connection() as connection:
                await connection.execute(f"DROP SCHEMA {schema} CASCADE")


async def _cursors(connection: Connection) -> dict[int, Cursor]:
    return {one.number: await cursor_of(connection, one) for one in _PARTITIONS}


async def _check(kafka: KafkaSettings, cursors: Mapping[int, Cursor]) -> None:
    """Refuse a log that the books cannot be rebuilt from."""
    bounds = await log_bounds(kafka, _PARTITIONS)
    for partition in _PARTITIONS:
        cursor, (begin, end) = cursors[partition.number], bounds[partition]
        if cursor.next_offset == 0:
            continue
        if begin > 0:
            raise LogMismatch(
                f"{partition.topic}/{partition.number}: offsets 0 to {begin - 1} were deleted: the"
                " books cannot be rebuilt from what is left"
            )
        first = await first_record(kafka, partition)
        identity = None if first is None else log_identity(first)
        check_log(cursor, begin=begin, end=end, identity=identity)


class _Replay:
    """Takes the log again, as the ledger did, but publishes nothing."""

    def __init__(
        self, kafka: KafkaSettings, fresh: Database, application: LedgerApplication, tell: Tell
    ) -> None:
        self._kafka = kafka
        self._inbox = PostgresInbox(fresh, keep_journal=True)
        self._application = application
        self._writer = Writer(SERVICE, partition_of)
        self._tell = tell
        self._cursors: dict[int, Cursor] = {}
        self._taken = 0

    async def up_to(self, targets: Mapping[int, Cursor]) -> None:
        """Take each shard's log up to where the target's writer stood."""
        for partition in _PARTITIONS:
            if partition.number not in self._cursors:
                self._cursors[partition.number] = await self._inbox.take_over(partition)
        waiting: dict[int, list[Record]] = {}
        async with aclosing(self._log_up_to(targets)) as log:
            async for record in log:
                records = waiting.setdefault(record.partition, [])
                records.append(record)
                if len(records) == MAX_RECORDS:
                    await self._take(record.partition, waiting.pop(record.partition))
        for shard, records in waiting.items():
            await self._take(shard, records)

    async def _log_up_to(self, targets: Mapping[int, Cursor]) -> AsyncGenerator[Record, None]:
        """Yield what each shard has not taken yet, up to its target."""
        starts = {shard: cursor.next_offset for shard, cursor in self._cursors.items()}
        ends = {
            shard: target.next_offset
            for shard, target in targets.items()
            if starts[shard] < target.next_offset
        }
        if not ends:
            return
        async with aclosing(read_to_end(self._kafka, LEDGER, starts)) as log:
            async for record in log:
                end = ends.get(record.partition)
                if end is None:
                    continue
                if record.offset < end:
                    yield record
                if record.offset + 1 >= end:
                    del ends[record.partition]
                    if not ends:
                        return

    async def _take(self, shard: int, records: Sequence[Record]) -> None:
        cursor = self._cursors[shard]
        outcome = await transact(
            self._inbox,
            self._application,
            self._writer,
            cursor.partition,
            cursor.epoch,
            records,
        )
        self._cursors[shard] = outcome.cursor
        before = self._taken // _TELL_EVERY_RECORDS
        self._taken += len(records)
        if self._taken // _TELL_EVERY_RECORDS > before:
            self._tell(f"{self._taken:,} records read again")
