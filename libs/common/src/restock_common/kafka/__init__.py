"""Kafka through aiokafka: batches published in order, records by partition, declared topics."""

from restock_common.kafka.client import as_record, as_tp, client_options, partition_of
from restock_common.kafka.consumer import Consumer
from restock_common.kafka.logs import LogEnds, Reader, Tail, first_record, log_bounds, read_to_end
from restock_common.kafka.producer import Producer
from restock_common.kafka.topics import create_topics, delete_topics

__all__ = [
    "Consumer",
    "LogEnds",
    "Producer",
    "Reader",
    "Tail",
    "as_record",
    "as_tp",
    "client_options",
    "create_topics",
    "delete_topics",
    "first_record",
    "log_bounds",
    "partition_of",
    "read_to_end",
]
