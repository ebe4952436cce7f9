"""The spool: in order, by one drainer, and never past what may still arrive."""

from collections.abc import AsyncIterator, Sequence

import pytest
from tests.support import read_records

from order_ingest.handlers import Outlet
from order_ingest.store import PostgresSpool
from restock_common.contracts.topics import LEDGER
from restock_common.errors import Transient
from restock_common.kafka import Producer
from restock_common.postgres import Database
from restock_common.settings import KafkaSettings
from restock_common.transact import Outgoing, Partition

pytestmark = pytest.mark.kafka

_HEADERS = [("ce_id", b"1")]


def record(body: str, partition: int = 0) -> Outgoing:
    return Outgoing(LEDGER.name, partition, None, _HEADERS, body.encode())


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    await opened.open()
    await opened.migrate(["restock_common", "order_ingest"])
    yield opened
    await opened.close()


@pytest.fixture
async def producer(kafka: KafkaSettings) -> AsyncIterator[Producer]:
    started = Producer(kafka)
    await started.start()
    yield started
    await started.stop()


async def bodies(spool: PostgresSpool, *, remove: bool = False) -> list[str] | None:
    """Return what a drainer finds; None where another is at work."""
    async with spool.drain() as draining:
        if draining is None:
            return None
        if remove:
            await draining.remove()
        return [one.body.decode() for one in draining.entries]


async def published(kafka: KafkaSettings, prefix: str) -> list[str]:
    records = await read_records(kafka, LEDGER)
    found = [(one.value or b"").decode() for one in records]
    return [one for one in found if one.startswith(prefix)]


class Gone(Producer):
    """Kafka does not answer, and something that was given up may still arrive."""

    def __init__(self, kafka: KafkaSettings) -> None:
        super().__init__(kafka)
        self.away = True

    @property
    def unsettled(self) -> frozenset[Partition]:
        """Partition 0, as long as it is away."""
        return frozenset([Partition(LEDGER.name, 0)] if self.away else [])

    async def publish(self, entries: Sequence[Outgoing]) -> None:
        """Fail as a timeout does."""
        if self.away:
            raise TimeoutError
        await super().publish(entries)


async def test_what_is_added_is_drained_in_order_and_once(database: Database) -> None:
    one, other = PostgresSpool(database), PostgresSpool(database)
    assert await one.is_empty()
    await one.add([record("a1"), record("a2", 1)], ())
    await other.add([record("b1")], ())
    assert not await other.is_empty()
    assert (await one.look()).rows == 3
    assert await bodies(other) == ["a1", "a2", "b1"]
    assert await bodies(one, remove=True) == ["a1", "a2", "b1"], "what is not removed stays"
    assert await one.is_empty()


async def test_one_drains_at_a_time(database: Database) -> None:
    one, other = PostgresSpool(database), PostgresSpool(database)
    await one.add([record("a1")], ())
    async with one.drain() as draining:
        assert draining is not None
        assert await bodies(other) is None
    assert await bodies(other) == ["a1"]


async def test_what_another_doubts_is_left_to_it(database: Database) -> None:
    """It alone knows when what it gave up can no longer arrive behind what is drained."""
    doubting, other = PostgresSpool(database), PostgresSpool(database)
    await doubting.add([record("a1"), record("a2", 1)], [Partition(LEDGER.name, 0)])
    assert await bodies(other) == ["a2"]
    assert await bodies(doubting) == ["a1", "a2"]
    await doubting.doubt(())
    assert await bodies(other) == ["a1", "a2"]


async def test_who_has_died_doubts_no_more(database: Database) -> None:
    dead, other = PostgresSpool(database), PostgresSpool(database)
    await dead.add([record("a1")], [Partition(LEDGER.name, 0)])
    async with database.connection() as connection:
        await connection.execute("UPDATE spool_doubts SET seen_at = now() - interval '1 minute'")
    assert await bodies(other) == ["a1"]


async def test_the_first_timeout_turns_everything_to_the_spool(
    kafka: KafkaSettings, database: Database
) -> None:
    producer = Gone(kafka)
    await producer.start()
    outlet = Outlet(producer, PostgresSpool(database), patience_s=30)
    healthy = Producer(kafka)
    await healthy.start()
    other = Outlet(healthy, PostgresSpool(database), patience_s=0.1)
    await outlet.put([record("gone-1")])
    assert outlet.diverted
    await other.put([record("gone-2")])
    assert other.diverted, "also on a replica that reaches Kafka: something lies before it"
    with pytest.raises(Transient, match="waits in the spool"):
        await outlet.put_in_kafka([record("tick")])
    await other.drain()
    assert await published(kafka, "gone") == [], "what was given up may still come"
    producer.away = False
    assert await outlet.drain()
    assert not await outlet.drain()
    await other.drain()
    assert not outlet.diverted
    assert not other.diverted
    await other.put([record("gone-3")])
    assert await published(kafka, "gone") == ["gone-1", "gone-2", "gone-3"]
    await producer.stop()
    await healthy.stop()


async def test_what_a_dead_process_has_left_comes_first(
    kafka: KafkaSettings, database: Database, producer: Producer
) -> None:
    await PostgresSpool(database).add([record("left-1")], ())
    outlet = Outlet(producer, PostgresSpool(database), patience_s=0.05)
    await outlet.put([record("left-2")])
    assert await published(kafka, "left") == []
    while await outlet.drain():
        pass
    await outlet.put([record("left-3")])
    assert await published(kafka, "left") == ["left-1", "left-2", "left-3"]


async def test_without_postgresql_nothing_is_promised(
    kafka: KafkaSettings, database: Database, producer: Producer
) -> None:
    outlet = Outlet(producer, PostgresSpool(database), patience_s=30)
    await database.close()
    with pytest.raises(Transient, match="PostgreSQL"):
        await outlet.put([record("unkept")])
    assert await published(kafka, "unkept") == []
