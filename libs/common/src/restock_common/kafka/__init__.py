"""Kafka through aiokafka: batches published in order, records by partition, declared topics."""

from restock_common.kafka.client import client_options, partition_of
from restock_common.kafka.consumer import Consumer
from restock_common.kafka.logs import (
    LogEnds,
    Tail,
    first_record,
    log_bounds,
    read_partitions_to_end,
    read_to_end,
)
from restock_common.kafka.producer import Producer
from restock_common.kafka.sweep import Sweep
from restock_common.kafka.topics import create_topics, delete_topics

__all__ = [
    "Consumer",
    "LogEnds",
    "Producer",
    "Sweep",
    "Tail",
    "client_options",
    "create_topics",
    "delete_topics",
    "first_record",
    "log_bounds",
    "partition_of",
    "read_partitions_to_end",
    "read_to_end",
]
