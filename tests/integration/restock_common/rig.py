"""The test application on real tables, and streams around it."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.support import publish, read_messages, until
from tests.unit.restock_common.memory import Booking, placed

from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.envelope import Position
from restock_common.contracts.topics import DEMAND, LEDGER, SHARDS
from restock_common.kafka import Producer, log_bounds
from restock_common.postgres import Connection, Database, PostgresInbox
from restock_common.runtime import Stream
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition

SHARD_NUMBERS = range(SHARDS)
FIRST = Partition(LEDGER.name, 0)


class StoredBooking(Booking):
    """Books into a table; a line booked twice would show as 2."""

    async def load(self, *_: Any) -> Counter[str]:
        """Begin with nothing: only what this batch adds is written."""
        return Counter()

    async def save(self, connection: Any, state: Counter[str]) -> None:
        """Add what was booked."""
        await connection.executemany(
            "INSERT INTO booked (line, times) VALUES ($1, $2)"
            " ON CONFLICT (line) DO UPDATE SET times = booked.times + excluded.times",
            list(state.items()),
        )


@dataclass
class Rig:
    """A broker, a database with its tables, a producer."""

    kafka: KafkaSettings
    database: Database
    inbox: PostgresInbox
    producer: Producer

    @asynccontextmanager
    async def stream(
        self,
        service: str,
        application: StoredBooking | None = None,
        *,
        inbox: PostgresInbox | None = None,
        ready: bool = True,
    ) -> AsyncIterator[Stream[Counter[str]]]:
        """Run a stream on the ledger's topic, in a group named after the service."""
        stream = Stream(
            service=service,
            kafka=self.kafka,
            inbox=inbox or self.inbox,
            producer=self.producer,
            application=application or StoredBooking(),
            topics=[LEDGER],
            concurrent=True,
        )
        await stream.start()
        try:
            if ready:
                await until(lambda: _ready(stream), what=f"{service} is ready")
            yield stream
        finally:
            await stream.stop()

    async def quiet(self, stream: Stream[Counter[str]]) -> None:
        """Wait until the stream has taken everything and published what follows."""

        async def done() -> bool:
            progress = await stream.progress()
            ends = await log_bounds(self.kafka, [Partition(LEDGER.name, n) for n in SHARD_NUMBERS])
            taken = progress.offsets.get(LEDGER.name, {})
            return progress.unpublished == 0 and all(
                taken.get(partition.number) == end for partition, (_, end) in ends.items()
            )

        await until(done, what="the stream is quiet", timeout_s=45)

    async def booked(self, prefix: str) -> dict[str, int]:
        """Return how often each line of the test's orders was booked."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT line, times FROM booked WHERE line LIKE $1", f"{prefix}-%"
            )
        return {row["line"]: row["times"] for row in rows}

    async def demand_seen_once(self, prefix: str, service: str) -> list[str]:
        """Return the orders whose demand a reader downstream takes, with repetitions it takes."""
        seen: dict[tuple[str, str], Position] = {}
        taken = []
        for message in await read_messages(self.kafka, DEMAND):
            event = message.event
            if not isinstance(event, DemandObserved) or f"/{service}/" not in message.source:
                continue
            place = (message.source, event.sku)
            assert message.position is not None
            if message.position > seen.get(place, Position(0, 0)):
                seen[place] = message.position
                if event.order.startswith(f"{prefix}-"):
                    taken.append(event.order)
        return sorted(taken)


async def _ready(stream: Stream[Any]) -> bool:
    return stream.not_ready() is None and len(stream.owned) == SHARDS


async def prepare(database: Database) -> None:
    """Make the tables."""
    await database.open()
    await database.migrate(["restock_common"])
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE booked (line text PRIMARY KEY, times int NOT NULL)")


async def terminate_others(connection: Connection) -> None:
    """End every other connection to this database, as a restarted server would."""
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


async def place(rig: Rig, prefix: str, count: int) -> dict[str, int]:
    """Publish orders over all shards; return what must be booked."""
    for shard in SHARD_NUMBERS:
        orders = [
            placed(f"{prefix}-{n}", 1) for n in range(count) if n % len(SHARD_NUMBERS) == shard
        ]
        await publish(rig.kafka, orders, partition=shard)
    return {f"{prefix}-{n}/1": 1 for n in range(count)}


def orders_of(lines: Iterable[str]) -> list[str]:
    """Return the orders that lines belong to."""
    return sorted(line.partition("/")[0] for line in lines)


async def halts(stream: Stream[Any], reason: str) -> None:
    """Wait until a partition has halted, for a reason."""

    async def halted() -> bool:
        return reason in (stream.not_ready() or "")

    await until(halted, what=f"a partition halts: {reason}")
