"""Topics, order of publishing, and reading logs on a real broker."""

import asyncio
import os
import sys

import pytest
from tests.support import publish, publish_raw, until

from restock_common.contracts.catalogue import Pool, Product
from restock_common.contracts.topics import (
    CATALOGUE,
    DEAD_LETTERS,
    DEMAND,
    DISPATCH,
    FORECASTS,
    STOCK,
    TOPICS,
)
from restock_common.errors import Transient
from restock_common.kafka import (
    LogEnds,
    Producer,
    create_topics,
    first_record,
    log_bounds,
    read_to_end,
)
from restock_common.runtime import CatalogueReader
from restock_common.settings import KafkaSettings
from restock_common.transact import Outgoing, Partition

NOWHERE = KafkaSettings(kafka_bootstrap="127.0.0.1:1")


def entry(number: int, topic: str, partition: int = 0, size: int = 0) -> Outgoing:
    return Outgoing(topic, partition, None, [("n", b"%d" % number)], b"x" * size)


async def test_topics_are_created_once(kafka: KafkaSettings) -> None:
    assert await create_topics(kafka) == []
    bounds = await log_bounds(kafka, [Partition(t.name, t.partitions - 1) for t in TOPICS])
    assert len(bounds) == len(TOPICS)


async def test_the_topics_job_says_what_it_did(kafka: KafkaSettings) -> None:
    environment = {**os.environ, "RESTOCK_KAFKA_BOOTSTRAP": kafka.kafka_bootstrap}
    job = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "restock_common", env=environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await job.communicate()
    assert (job.returncode, output) == (0, b"created: nothing, all were there\n")


async def test_batches_keep_their_order_on_each_partition(kafka: KafkaSettings) -> None:
    producer = Producer(kafka)
    await producer.start()
    for start in range(0, 1500, 500):  # each call is several Kafka batches a partition
        numbers = range(start, start + 500)
        await producer.publish([entry(n, DEMAND.name, n % 4, 2000) for n in numbers])
    await producer.stop()
    read: dict[int, list[int]] = {}
    async for record in read_to_end(kafka, DEMAND):
        read.setdefault(record.partition, []).append(int(dict(record.headers)["n"]))
    assert read == {p: list(range(p, 1500, 4)) for p in range(4)}


async def test_a_dead_letter_of_the_largest_size_is_published(kafka: KafkaSettings) -> None:
    await publish_raw(kafka, [entry(1, DEAD_LETTERS.name, size=1_500_000)])
    sizes = [len(r.value or b"") async for r in read_to_end(kafka, DEAD_LETTERS)]
    assert sizes == [1_500_000]


async def test_ends_are_right_after_every_kind_of_batch(kafka: KafkaSettings) -> None:
    partition = Partition(STOCK.name, 1)
    assert await log_bounds(kafka, [partition]) == {partition: (0, 0)}
    assert await first_record(kafka, partition) is None
    async with LogEnds(kafka) as ends:
        total = 0
        for count in (1, 7, 300):
            await publish_raw(kafka, [entry(n, STOCK.name, 1) for n in range(count)])
            total += count
            assert await ends.bounds([partition]) == {partition: (0, total)}
            assert await ends.bounds([partition]) == {partition: (0, total)}
    first = await first_record(kafka, partition)
    assert first is not None
    assert (first.offset, dict(first.headers)) == (0, {"n": b"0"})


async def test_reading_begins_where_it_is_told(kafka: KafkaSettings) -> None:
    await publish_raw(kafka, [entry(n, FORECASTS.name, n % 2) for n in range(10)])
    read = [(r.partition, r.offset) async for r in read_to_end(kafka, FORECASTS, {0: 3, 1: 5})]
    assert read == [(0, 3), (0, 4)]


async def test_a_header_without_a_value_is_read_as_empty(kafka: KafkaSettings) -> None:
    """Kafka allows it; a reader that trips on it would stop at that record for ever."""
    await publish_raw(kafka, [Outgoing(DISPATCH.name, 0, None, [("n", None)], b"")])  # type: ignore[list-item]
    assert [tuple(r.headers) async for r in read_to_end(kafka, DISPATCH)] == [(("n", b""),)]


async def test_a_broker_that_is_not_there_is_transient() -> None:
    with pytest.raises(Transient, match="does not answer"):
        await Producer(NOWHERE).start()
    with pytest.raises(Transient, match="does not answer"):
        await log_bounds(NOWHERE, [Partition(STOCK.name, 0)])
    with pytest.raises(Transient, match="does not answer"):
        await create_topics(NOWHERE)
    with pytest.raises(Transient, match="does not answer"):
        await CatalogueReader(NOWHERE).start()


async def test_the_catalogue_is_read_from_its_start_and_followed(kafka: KafkaSettings) -> None:
    await publish(kafka, [Product(sku="a", supplier="s"), Pool(pool="p", shard=2)])
    await publish_raw(kafka, [Outgoing(CATALOGUE.name, 0, b"?", [], b"not an entity")])
    reader = CatalogueReader(kafka)
    await asyncio.wait_for(reader.start(), timeout=30)
    assert reader.not_ready() is None
    assert set(reader.catalogue.products) == {"a"}
    assert reader.catalogue.pools["p"].shard == 2

    await publish(kafka, [Product(sku="a", supplier="t"), Product(sku="b", supplier="s")])

    async def followed() -> bool:
        return set(reader.catalogue.products) == {"a", "b"}

    await until(followed, what="the new product is seen")
    assert reader.catalogue.products["a"].supplier == "t"

    async def counted() -> bool:
        return (await reader.progress()).offsets == {CATALOGUE.name: {0: 5}}

    await until(counted, what="all five records are counted as read")
    assert reader.dead() is None
    await publish(kafka, [Product(sku="c", supplier="s"), Product(sku="d", supplier="s")])
    await reader.read_to_now()
    assert {"c", "d"} <= reader.catalogue.products.keys()
    await reader.stop()
