"""Where logs end is what `quiet` rests on: a figure that is too low ends the wait too early."""

from restock_common.contracts.topics import DEMAND, FORECASTS, STOCK
from restock_common.kafka import LogEnds, Producer
from restock_common.settings import KafkaSettings
from restock_common.transact import Outgoing, Partition

PARTITIONS = [
    Partition(topic.name, number)
    for topic in (STOCK, DEMAND, FORECASTS)
    for number in range(topic.partitions)
]


async def test_ends_are_right_each_time_they_are_asked_for_while_batches_come(
    kafka: KafkaSettings,
) -> None:
    written = dict.fromkeys(PARTITIONS, 0)
    producer = Producer(kafka)
    await producer.start()
    async with LogEnds(kafka) as ends:
        for turn in range(12):
            for place, partition in enumerate(PARTITIONS):
                # Other partitions and other sizes in each turn, and none at all in some.
                records = (place * 7 + turn * 5) % 9 * 40
                written[partition] += records
                entry = Outgoing(partition.topic, partition.number, None, [], b"x" * 300)
                await producer.publish([entry] * records)
            bounds = await ends.bounds(PARTITIONS)
            assert {partition: end for partition, (_, end) in bounds.items()} == written
            assert await ends.bounds(PARTITIONS) == bounds
    await producer.stop()
