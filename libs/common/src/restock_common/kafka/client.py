"""How aiokafka reaches the broker, and how its records and partitions are spelt here."""

import asyncio
import ssl
from functools import lru_cache
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.partitioner import murmur2

from restock_common.contracts.envelope import Record
from restock_common.contracts.topics import TOPICS
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition

log = structlog.get_logger()

MAX_REQUEST_BYTES = 4_194_304

_STOP_S = 3.0

_PARTITIONS = {topic.name: topic.partitions for topic in TOPICS}


@lru_cache(maxsize=262_144)
def _hash(key: bytes) -> int:
    return int(murmur2(key)) & 0x7FFFFFFF


def partition_of(topic: str, key: bytes) -> int:
    """Return the partition of a key, as every Kafka client's default partitioner does (murmur2)."""
    return _hash(key) % _PARTITIONS[topic]


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """Return what every aiokafka client is given to reach the broker."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap.split(","),
        "security_protocol": settings.kafka_security_protocol,
    }
    if "SSL" in settings.kafka_security_protocol:
        options["ssl_context"] = ssl.create_default_context(cafile=settings.kafka_ssl_ca_file)
    if settings.kafka_security_protocol.startswith("SASL"):
        password = settings.kafka_sasl_password
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        options["sasl_plain_password"] = password.get_secret_value() if password else None
    return options


async def stop_client(client: Any) -> None:
    """Stop an aiokafka client, whatever it is at, within some seconds.

    Where the broker is away, a producer would wait for ever to send what it has taken, and what a
    consumer has cancelled in itself would come out as our own cancellation.
    """
    stopping = asyncio.ensure_future(client.stop())
    await asyncio.wait([stopping], timeout=_STOP_S)
    if not stopping.done():
        stopping.cancel()
        await asyncio.wait([stopping], timeout=_STOP_S)
    if not stopping.done() or stopping.cancelled() or stopping.exception() is not None:
        log.warning("client_not_stopped", client=type(client).__name__, outcome=repr(stopping))


def as_tp(partition: Partition) -> TopicPartition:
    """Return a partition as aiokafka names it."""
    return TopicPartition(partition.topic, partition.number)


def as_record(raw: Any) -> Record:
    """Return a fetched record; a header without a value has an empty one."""
    return Record(
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        timestamp_ms=raw.timestamp,
        key=raw.key,
        value=raw.value,
        headers=[(name, b"") if value is None else (name, value) for name, value in raw.headers]
        if None in [value for _, value in raw.headers]
        else raw.headers,
    )
