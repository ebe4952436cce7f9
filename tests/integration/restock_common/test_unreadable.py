"""What other clients write: every codec is read; what cannot be read halts its partition alone."""

import struct
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.record.util import calc_crc32c
from tests.integration.restock_common.rig import SHARD_NUMBERS, Rig
from tests.support import publish, read_records, until
from tests.unit.restock_common.memory import placed

from restock_common.contracts.topics import LEDGER, STOREFRONT_ORDERS
from restock_common.kafka.client import client_options
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition

UNREADABLE = Partition(LEDGER.name, 1)

_CRC_AT = 17  # the place of the checksum in a batch, which covers all that stands after it
_NAME = b"header-name"


async def publish_unreadable(kafka: KafkaSettings) -> None:
    """Publish a record whose header has a name that is not UTF-8, which no client expects."""
    async with AIOKafkaProducer(**client_options(kafka)) as producer:
        batch: Any = producer.create_batch()
        batch.append(key=None, value=b"x", timestamp=None, headers=[(_NAME.decode(), b"")])
        raw = bytearray(batch._build())
        place = raw.index(_NAME)
        raw[place : place + len(_NAME)] = b"\xff" * len(_NAME)
        struct.pack_into(">I", raw, _CRC_AT, calc_crc32c(bytes(raw[_CRC_AT + 4 :])))
        batch._buffer = raw
        tp = TopicPartition(UNREADABLE.topic, UNREADABLE.number)
        await (await producer.send_batch(batch, tp.topic, partition=tp.partition))


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_a_compressed_record_is_read(kafka: KafkaSettings, codec: str) -> None:
    body = codec.encode() * 1000
    async with AIOKafkaProducer(**client_options(kafka), compression_type=codec) as producer:
        await producer.send_and_wait(STOREFRONT_ORDERS.name, body, partition=0)
    assert (await read_records(kafka, STOREFRONT_ORDERS))[-1].value == body


async def test_a_record_that_cannot_be_read_halts_its_partition_alone(rig: Rig) -> None:
    """All before it is taken, and all on other partitions, fetched together with it or later."""
    for shard in SHARD_NUMBERS:
        await publish(rig.kafka, [placed(f"before-{shard}", 1)], partition=shard)
    await publish_unreadable(rig.kafka)
    async with rig.stream("unreadable", ready=False) as stream:
        for shard in SHARD_NUMBERS:
            await publish(rig.kafka, [placed(f"after-{shard}", 1)], partition=shard)

        async def taken() -> bool:
            reason = stream.not_ready() or ""
            after = await rig.booked("after")
            return "UnicodeDecodeError" in reason and len(after) == len(SHARD_NUMBERS) - 1

        await until(taken, what="one shard halts, the others go on")
        assert stream.dead() is None
    assert await rig.booked("before") == {f"before-{shard}/1": 1 for shard in SHARD_NUMBERS}
    assert f"after-{UNREADABLE.number}/1" not in await rig.booked("after")
