"""A ledger on a real broker and a real database, driven by hand."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.support import publish, until

from restock_common.contracts import Event
from restock_common.contracts.topics import LEDGER, SHARDS
from restock_common.kafka import LogEnds, Producer
from restock_common.postgres import Database, PostgresInbox
from restock_common.runtime import Stream
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition
from stock_ledger import store
from stock_ledger.domain.books import Books
from stock_ledger.store import PostgresQueries
from stock_ledger.stream import ledger_stream

PARTITIONS = [Partition(LEDGER.name, shard) for shard in range(SHARDS)]


class Ledger:
    """The ledger's stream with its database, started and stopped as the test likes."""

    def __init__(self, kafka: KafkaSettings, database: Database, producer: Producer) -> None:
        self.kafka = kafka
        self.database = database
        self.inbox = PostgresInbox(database, keep_journal=True)
        self.producer = producer
        self.queries = PostgresQueries(database)
        self.stream: Stream[Books] = self.new_stream()

    def new_stream(self, *, max_records: int = 1000) -> Stream[Books]:
        return ledger_stream(self.kafka, self.inbox, self.producer, store, max_records=max_records)

    async def send(self, shard: int, *events: Event) -> None:
        await publish(self.kafka, events, partition=shard)

    async def quiet(self, *, without: Sequence[int] = ()) -> None:
        """Wait until everything on the log has been taken and published."""
        async with LogEnds(self.kafka) as ends:

            async def behind() -> bool:
                progress = await self.stream.progress()
                taken = progress.offsets.get(LEDGER.name, {})
                bounds = await ends.bounds(PARTITIONS)
                return progress.unpublished == 0 and all(
                    taken.get(one.number) == bounds[one][1]
                    for one in PARTITIONS
                    if one.number not in without
                )

            await until(behind, what="the ledger is quiet")

    async def ready(self) -> None:
        async def joined() -> bool:
            return self.stream.not_ready() is None

        await until(joined, what="the ledger has its partitions")

    async def fetch(self, query: str, *args: Any) -> list[dict[str, Any]]:
        async with self.database.connection() as connection:
            return [dict(row) for row in await connection.fetch(query, *args)]


@asynccontextmanager
async def open_ledger(kafka: KafkaSettings, url: str) -> AsyncIterator[Ledger]:
    """Lend a ledger that is migrated, but does not read yet."""
    database = Database(url)
    producer = Producer(kafka)
    await database.open()
    await database.migrate(["restock_common", "stock_ledger"])
    await producer.start()
    ledger = Ledger(kafka, database, producer)
    try:
        yield ledger
    finally:
        await ledger.stream.stop()
        await producer.stop()
        await database.close()
