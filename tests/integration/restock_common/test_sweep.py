"""What is swept is every record once, whether asked for some of it or for all the rest."""

from collections import Counter

import pytest

from restock_common.contracts.topics import DEMAND, STOCK
from restock_common.kafka import Producer, Sweep
from restock_common.settings import KafkaSettings
from restock_common.transact import Outgoing, Partition

pytestmark = pytest.mark.kafka

PARTITIONS = [Partition(topic.name, n) for topic in (STOCK, DEMAND) for n in range(4)]


async def test_every_record_comes_once_and_none_is_left_behind(kafka: KafkaSettings) -> None:
    written: Counter[Partition] = Counter()
    seen: Counter[tuple[Partition, int]] = Counter()
    producer = Producer(kafka)
    await producer.start()
    async with Sweep(kafka, PARTITIONS) as sweep:
        for turn in range(6):
            for place, partition in enumerate(PARTITIONS):
                records = (place + turn) % 3 * 50  # none at all in some turns
                written[partition] += records
                entry = Outgoing(partition.topic, partition.number, None, [], b"x" * 300)
                await producer.publish([entry] * records)
            if turn % 2:
                async for one in sweep.some():
                    seen[Partition(one.topic, one.partition), one.offset] += 1
            async for one in sweep.rest():
                seen[Partition(one.topic, one.partition), one.offset] += 1
            assert set(seen.values()) == {1}
            assert Counter(partition for partition, _ in seen) == +written
    await producer.stop()
