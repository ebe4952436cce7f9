"""The one table of topics: partitions, key, retention and publisher of each.

Partition counts of keyed topics are frozen: a key must stay on its partition for ever.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

SHARDS = 4
"""Partitions of the ledger topic: a shard is an explicit set of pools, partition = shard."""

KEYED_PARTITIONS = 4
"""Partitions of every topic keyed by sku or location."""


class Cleanup(StrEnum):
    """What the broker does with old records."""

    DELETE = "delete"
    COMPACT = "compact"


@dataclass(frozen=True, slots=True)
class Topic:
    """One Kafka topic as it is declared to the broker.

    Attributes:
        name: The topic's name, with the version of its contract.
        key: What its records are keyed (and so ordered) by.
        published_by: The services that may write to it.
        partitions: How many; never changed once there is data.
        retention: How long records are kept; None keeps them for ever.
        cleanup: Delete after the retention, or keep the last record of each key.
        max_message_bytes: The largest record batch the broker takes.
        segment: How long records are written to one file. The file that is written to is never
            deleted, so that records may outlive the retention by this; None leaves it to the broker
            (Kafka: 7 days).
        timed_by_broker: Records have the time at which they came, whatever their producer says:
            retention goes by it, and a time in the future would keep them until then.
    """

    name: str
    key: str
    published_by: str
    partitions: int = KEYED_PARTITIONS
    retention: timedelta | None = timedelta(days=30)
    cleanup: Cleanup = Cleanup.DELETE
    max_message_bytes: int = 2_097_152
    segment: timedelta | None = None
    timed_by_broker: bool = False

    def config(self, *, min_insync_replicas: int) -> dict[str, str]:
        """Return the broker-side settings of this topic, as Kafka spells them."""
        retention_ms = -1 if self.retention is None else _ms(self.retention)
        config = {
            "cleanup.policy": self.cleanup.value,
            "retention.ms": str(retention_ms),
            "max.message.bytes": str(self.max_message_bytes),
            "min.insync.replicas": str(min_insync_replicas),
        }
        if self.segment is not None:
            config["segment.ms"] = str(_ms(self.segment))
        if self.timed_by_broker:
            config["message.timestamp.type"] = "LogAppendTime"
        return config


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)


STOREFRONT_ORDERS = Topic(
    "restock.storefront-orders.v1",
    "any",
    "storefronts",
    retention=timedelta(days=3),  # storefronts write what they like: long enough for a weekend
    segment=timedelta(hours=6),
    timed_by_broker=True,
    max_message_bytes=1_048_588,  # Kafka's own default: what becomes of an order can be larger
)
LEDGER = Topic(
    "restock.ledger.v1",
    "shard (explicit map)",
    "order-ingest, dispatcher, stock-ledger",
    partitions=SHARDS,
    retention=None,
)
SANDBOX = Topic(
    "restock.sandbox.v1",
    "shard (explicit map)",
    "order-ingest",
    partitions=SHARDS,
    retention=timedelta(days=7),
)
"""What would have gone to the ledger, of shops that are tried out and orders nobody pays for."""

STOCK = Topic("restock.stock.v1", "sku", "stock-ledger")
FULFILMENT = Topic("restock.fulfilment.v1", "location", "stock-ledger")
DEMAND = Topic("restock.demand.v1", "sku", "stock-ledger, forecaster", retention=None)
FORECASTS = Topic("restock.forecasts.v1", "sku", "forecaster")
INSIGHTS = Topic(
    "restock.insights.v1",
    "sku, segment or supplier",
    "forecaster, replenisher",
    retention=timedelta(days=90),
)
REPLENISHMENT = Topic("restock.replenishment.v1", "supplier", "replenisher")
DISPATCH = Topic("restock.dispatch.v1", "location", "dispatcher")
CATALOGUE = Topic(
    "restock.catalogue.v1",
    "entity id",
    "order-ingest",
    partitions=1,
    retention=None,
    cleanup=Cleanup.COMPACT,
)
PROMOTIONS = Topic(
    "restock.promotions.v1",
    "sku",
    "order-ingest",
    retention=None,
    cleanup=Cleanup.COMPACT,
)
DEAD_LETTERS = Topic(
    "restock.dead-letters.v1",
    "source topic",
    "every consumer",
    partitions=1,
    retention=timedelta(days=90),
    max_message_bytes=4_194_304,
)

TOPICS: tuple[Topic, ...] = (
    STOREFRONT_ORDERS,
    LEDGER,
    SANDBOX,
    STOCK,
    FULFILMENT,
    DEMAND,
    FORECASTS,
    INSIGHTS,
    REPLENISHMENT,
    DISPATCH,
    CATALOGUE,
    PROMOTIONS,
    DEAD_LETTERS,
)
