"""The spool: in order, by one drainer, and never past what may still arrive."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from tests.integration.restock_common.rig import terminate_others
from tests.support import read_records

from order_ingest.handlers import Outlet
from order_ingest.store import PostgresSpool
from restock_common.contracts.topics import LEDGER
from restock_common.errors import Transient
from restock_common.kafka import Producer
from restock_common.postgres import Database
from restock_common.settings import KafkaSettings
from restock_common.transact import Outgoing

pytestmark = pytest.mark.kafka

_HEADERS = [("ce_id", b"1")]


def record(body: str, partition: int = 0) -> Outgoing:
    return Outgoing(LEDGER.name, partition, None, _HEADERS, body.encode())


async def bodies(spool: PostgresSpool) -> list[str] | None:
    """Return what a drainer finds, and let go of it; None where another may publish."""
    head = await spool.claim()
    if head is None:
        return None
    await spool.remove(replace(head, places=[]), settled=True)
    return [one.body.decode() for one in head.entries]


async def published(kafka: KafkaSettings, prefix: str) -> list[str]:
    records = await read_records(kafka, LEDGER)
    found = [(one.value or b"").decode() for one in records]
    return [one for one in found if one.startswith(prefix)]


class Gone(Producer):
    """Kafka does not answer, and something that was given up may still arrive."""

    away = True

    @property
    def unsettled(self) -> bool:
        """As long as it is away."""
        return self.away

    async def publish(
        self, entries: Sequence[Outgoing], *, acknowledged: Callable[[], object] = lambda: None
    ) -> None:
        """Fail as a timeout does."""
        if self.away:
            raise TimeoutError
        await super().publish(entries, acknowledged=acknowledged)


class Slow(Producer):
    """Kafka is given something late."""

    def __init__(self, kafka: KafkaSettings) -> None:
        super().__init__(kafka)
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def publish(
        self, entries: Sequence[Outgoing], *, acknowledged: Callable[[], object] = lambda: None
    ) -> None:
        """Publish once that is allowed."""
        self.asked.set()
        await self.go_on.wait()
        await super().publish(entries, acknowledged=acknowledged)


class Large(Producer):
    """Each record takes nearly as long as is waited for, by the clock of the loop."""

    def __init__(self, kafka: KafkaSettings, takes_s: float) -> None:
        super().__init__(kafka)
        self.takes_s = takes_s
        self.passed_s = 0.0

    async def publish(
        self, entries: Sequence[Outgoing], *, acknowledged: Callable[[], object] = lambda: None
    ) -> None:
        """Publish one after the other."""
        for entry in entries:
            self.passed_s += self.takes_s
            for _ in range(3):
                await asyncio.sleep(0)  # what is over by now is noticed
            await super().publish([entry], acknowledged=acknowledged)


async def test_what_is_added_is_drained_in_order_and_once(database: Database) -> None:
    one, other = PostgresSpool(database), PostgresSpool(database)
    assert await one.is_empty()
    await one.add([record("a1"), record("a2", 1)], doubting=False)
    await other.add([record("b1")], doubting=False)
    assert not await other.is_empty()
    assert (await one.look()).rows == 3
    assert await bodies(other) == ["a1", "a2", "b1"], "what is not removed stays"
    head = await one.claim()
    assert head is not None
    await one.remove(head, settled=True)
    assert await one.is_empty()
    assert await other.is_empty()


async def test_a_drainer_takes_no_more_than_fits_in_its_hands(database: Database) -> None:
    spool = PostgresSpool(database)
    large = "x" * 1_500_000
    await spool.add([record(large), record(large), record("last")], doubting=False)
    assert await bodies(spool) == [large, large]


async def test_one_publishes_at_a_time(database: Database) -> None:
    """Whoever drains has said so before: it holds although its connection is gone."""
    one, other = PostgresSpool(database), PostgresSpool(database)
    await one.add([record("a1")], doubting=False)
    head = await one.claim()
    assert head is not None
    assert await other.claim() is None
    assert await one.claim() is not None, "its own doubt keeps nobody from going on"
    await one.remove(head, settled=False)
    assert not await other.is_empty(), "nothing is left, but it may still arrive again"
    assert await one.is_empty(), "what it sends itself comes after what it has sent"
    assert (await other.look()).doubted


async def test_a_doubt_that_is_said_again_outlives_the_first(database: Database) -> None:
    """Something was given up while the head was drained: it is not settled with the head."""
    one, other = PostgresSpool(database), PostgresSpool(database)
    head = await one.claim()
    assert head is not None
    await one.add([record("given up")], doubting=True)
    await one.remove(head, settled=True)
    assert await bodies(other) is None
    assert await bodies(one) == ["given up"]
    assert await bodies(other) == ["given up"]


async def test_who_has_gone_doubts_no_more(database: Database) -> None:
    gone, other = PostgresSpool(database), PostgresSpool(database, doubt_ends_s=0)
    await gone.add([record("a1")], doubting=True)
    assert await bodies(other) is None
    await other.look()
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
    await outlet.drain()
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


async def test_two_that_doubted_go_on_once_both_know(
    kafka: KafkaSettings, database: Database
) -> None:
    producers = [Gone(kafka) for _ in range(2)]
    for producer in producers:
        await producer.start()
    outlets = [Outlet(one, PostgresSpool(database), patience_s=30) for one in producers]
    await asyncio.gather(*(one.put([record(f"both-{n}")]) for n, one in enumerate(outlets)))
    for producer, outlet in zip(producers, outlets, strict=True):
        producer.away = False
        await outlet.drain()
    assert sorted(await published(kafka, "both")) == ["both-0", "both-1"]
    for producer in producers:
        await producer.stop()


async def test_postgresql_restarts_amid_a_drain(
    kafka: KafkaSettings, database: Database, producer: Producer
) -> None:
    """What is on its way then arrives before whatever follows it, through another replica, too."""
    slow = Slow(kafka)
    await slow.start()
    outlet = Outlet(slow, PostgresSpool(database), patience_s=30)
    other = Outlet(producer, PostgresSpool(database), patience_s=0.05)
    await PostgresSpool(database).add([record("amid-old")], doubting=False)
    draining = asyncio.create_task(outlet.drain())
    await slow.asked.wait()
    async with database.connection() as connection:
        await terminate_others(connection)
    assert not await other.drain()
    await other.put([record("amid-new")])
    slow.go_on.set()
    await asyncio.gather(draining, return_exceptions=True)
    while await outlet.drain():
        pass
    assert list(dict.fromkeys(await published(kafka, "amid"))) == ["amid-old", "amid-new"]
    assert (await published(kafka, "amid"))[-1] == "amid-new"
    await slow.stop()


async def test_much_at_once_is_given_up_only_where_nothing_is_acknowledged(
    kafka: KafkaSettings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = Large(kafka, takes_s=20)
    await large.start()
    outlet = Outlet(large, PostgresSpool(database), patience_s=30)
    loop = asyncio.get_running_loop()
    began = loop.time
    with monkeypatch.context() as patch:
        patch.setattr(loop, "time", lambda: began() + large.passed_s)
        await outlet.put([record(f"large-{n}") for n in range(5)])
        assert not outlet.diverted
        large.takes_s = 40
        await outlet.put([record("late")])
    assert outlet.diverted
    assert len(await published(kafka, "large")) == 5
    await large.stop()


async def test_what_a_dead_process_has_left_comes_first(
    kafka: KafkaSettings, database: Database, producer: Producer
) -> None:
    await PostgresSpool(database).add([record("left-1")], doubting=False)
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
