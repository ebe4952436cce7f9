"""Every metric name, JSON logs, and what sets a process up; spans are in `tracing`."""

import logging
import sys
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple, Protocol
from weakref import WeakSet

import structlog
from opentelemetry import trace
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from restock_common import tracing
from restock_common.redaction import Formatter, Redactor, secrets_of
from restock_common.settings import ServiceSettings

RECORDS = Counter(
    "restock_records",
    "Records of a topic by what became of them: handled, duplicate, dead_letter or dropped",
    ["topic", "outcome"],
)
BATCH_SECONDS = Histogram(
    "restock_batch_seconds",
    "Duration of one batch transaction, from the first read to the commit",
    ["topic"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
PUBLISHED = Counter("restock_published_records", "Journal entries acknowledged by the broker")
UNPUBLISHED = Gauge("restock_journal_unpublished_records", "Journal entries not yet acknowledged")
HALTED = Gauge(
    "restock_partition_halted",
    "1 where a partition was stopped by a broken invariant or a log that is not its own",
    ["topic", "partition"],
)
FENCED = Gauge(
    "restock_partition_fenced",
    "1 where another writer has taken over a partition that this process's group still gives it",
    ["topic", "partition"],
)
EVENT_AGE = Gauge(
    "restock_event_age_seconds", "Now minus the event time of the last record taken", ["topic"]
)
LAG_RECORDS = (
    "restock_consumer_lag_records",
    "Records of a partition that this process is given and has not taken",
)
LAG_SECONDS = (
    "restock_consumer_lag_seconds",
    "0 where nothing waits; else now minus the event time of the last record taken, or since "
    "when something has waited, whichever is less",
)
LOG_END = (
    "restock_consumer_end_offset",
    "Where the log of a partition that this process is given ended, as it last heard",
)
PUBLISH_SECONDS = Histogram(
    "restock_publish_seconds",
    "Duration of publishing one batch, up to its acknowledgement by all in-sync replicas",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
KAFKA_RETRIES = Counter(
    "restock_kafka_retries", "What Kafka had to be asked again: fetch or publish", ["request"]
)
for _request in ("fetch", "publish"):
    KAFKA_RETRIES.labels(_request)
LOOP_DELAY = Histogram(
    "restock_event_loop_delay_seconds",
    "By how much the event loop wakes too late, ten times a second: its saturation",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
POOL_CONNECTIONS = Gauge(
    "restock_database_pool_connections",
    "Connections of this process to its database: in_use, idle, or the max that it may have",
    ["state"],
)
DATABASE_SIZE = Gauge("restock_database_size_bytes", "Size of the service's database on disk")
DATABASE_BACKENDS = Gauge(
    "restock_database_backends",
    "Connections to the service's database, of all processes: active, idle, or waiting for a lock",
    ["state"],
)
DATABASE_OLDEST = Gauge(
    "restock_database_oldest_transaction_seconds",
    "Age of the oldest transaction on the service's database",
)
DATABASE_TRANSACTIONS = Counter(
    "restock_database_transactions",
    "Transactions on the service's database, of all processes, as PostgreSQL counts them",
    ["outcome"],
)
DATABASE_BLOCKS = Counter(
    "restock_database_blocks",
    "Blocks that PostgreSQL looked at: in its cache, or read from outside of it",
    ["source"],
)
DATABASE_DEADLOCKS = Counter("restock_database_deadlocks", "Deadlocks that PostgreSQL resolved")
HTTP_SECONDS = Histogram(
    "restock_http_request_seconds",
    "Duration of HTTP requests, by route template and status",
    ["method", "route", "status"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)

# order-ingest
TAKEN_IN = Counter(
    "restock_taken_in_items",
    "What came through the door, by what it was, such as order or receipt: accepted or refused",
    ["kind", "outcome"],
)
DELIVERIES = Counter(
    "restock_webhook_deliveries",
    "Webhooks of shops: taken, ignored, to_be_fetched, set_aside, not_readable or not_signed",
    ["channel", "outcome"],
)
LOCATED = Counter(
    "restock_orders_located",
    "Orders by webhook, by how they were found: coordinates, city, region or country",
    ["precision"],
)

SPOOLED = Gauge("restock_spool_records", "Records that wait in PostgreSQL until Kafka takes them")
SPOOL_AGE = Gauge("restock_spool_oldest_age_seconds", "How long the oldest of them has waited")
SPOOL_IN = Counter("restock_spooled_records", "Records kept in PostgreSQL while Kafka was away")
SPOOL_OUT = Counter("restock_spool_drained_records", "Records of the spool that Kafka has taken")
DIVERTED = Gauge("restock_spool_diverted", "1 while this process sends all it takes to the spool")
WAITING = Gauge(
    "restock_waiting_commands", "Commands that wait for an order or cart that has not been seen"
)
WAITED = Counter(
    "restock_waited_commands",
    "Commands that waited, by what became of them: delivered, refused or given_up",
    ["outcome"],
)

SILENT_SHOPS = Gauge(
    "restock_silent_shops", "Shops from which nothing comes although it usually does by now"
)
MISSING_ORDERS = Gauge(
    "restock_missing_orders", "Orders of which only the gap that their numbers leave is known"
)
UNREAD_SHOPS = Gauge(
    "restock_unread_shops", "Shops whose own API could not be read the last time it was tried"
)
ORDERS_TO_FETCH = Gauge(
    "restock_orders_to_fetch", "Orders of which a webhook told too little, still to be read"
)
READINGS = Counter(
    "restock_shop_readings",
    "Readings of shops' own APIs, by what became of them: done or failed",
    ["channel", "outcome"],
)
READ_ORDERS = Counter(
    "restock_read_orders",
    "Orders read from shops: found (no webhook had told), taken, known in that state or set_aside",
    ["channel", "outcome"],
)

# stock-ledger
LEDGER_RESERVATIONS = Counter("restock_ledger_reservations", "Pieces of lines reserved")
LEDGER_BACKORDERS = Counter("restock_ledger_backorders", "Pieces of lines that had to wait")
LEDGER_OFFERS = Counter("restock_ledger_offers", "Lines offered to another pool")
LEDGER_DUPLICATES = Counter(
    "restock_ledger_duplicates", "Events that had been decided before, by type", ["event"]
)
FEED_CLIENTS = Gauge("restock_feed_clients", "Clients that the live feed is open to")
FEED_LEVELS = Counter(
    "restock_feed_levels",
    "Levels for clients of the live feed: sent, or coalesced into a later one",
    ["outcome"],
)
WEBHOOK_ATTEMPTS = Counter(
    "restock_webhook_attempts",
    "Attempts to deliver a webhook's message: delivered, failed, or given_up after the last retry",
    ["outcome"],
)
WEBHOOK_SECONDS = Histogram(
    "restock_webhook_seconds",
    "Duration of one attempt to deliver a webhook's message",
    buckets=(0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20),
)
WEBHOOKS_DISABLED = Counter(
    "restock_webhooks_disabled",
    "Webhooks disabled, by reason: failing throughout the retries, or gone (410)",
    ["reason"],
)

LEDGER_ACCOUNT_UNITS = Gauge(
    "restock_ledger_account_units",
    "Units on each account of a shard, the world outside included",
    ["shard", "account"],
)
LEDGER_SUM = Gauge(
    "restock_ledger_accounts_sum_units",
    "Sum over all accounts of a shard: anything but 0 is a bug",
    ["shard"],
)
LEDGER_DRIFTS = Gauge(
    "restock_ledger_drifts",
    "Where balances differ from the journal or from open promises: anything but 0 is a bug",
    ["shard"],
)
LEDGER_NEGATIVE = Gauge(
    "restock_ledger_negative_balances",
    "Accounts of a balance below 0: anything but 0 is a bug",
    ["shard"],
)
LEDGER_AUDITED = Gauge(
    "restock_ledger_audited_timestamp_seconds",
    "When a shard was last compared with itself (Unix time)",
    ["shard"],
)
# forecaster
FORECASTS = Counter("restock_forecasts", "Forecasts published")
CHECKPOINT_SECONDS = Histogram(
    "restock_checkpoint_seconds",
    "Duration of one checkpoint of a partition, up to the last acknowledgement",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
CHECKPOINT_KEYS = Counter("restock_checkpoint_keys", "Parts of a state written by checkpoints")
RESTORED = Counter(
    "restock_restored_partitions",
    "Partitions taken up, by where their state came from: table, changelog or log (learned again)",
    ["from"],
)
REFUSED_DEMAND = Counter(
    "restock_refused_demand_records",
    "Records of demand that were not learned from, by what was wrong: quantity, occurred_at, "
    "location or record",
    ["field"],
)
OVERRIDE_ERROR = Counter(
    "restock_override_error_units",
    "Absolute error over ended overrides, by whose forecast it is: planner or model",
    ["of"],
)
OVERRIDE_PINBALL = Counter(
    "restock_override_pinball_units",
    "Pinball loss over ended overrides, by whose forecast it is: planner or model",
    ["of"],
)
DAY_CLOSE_SECONDS = Histogram(
    "restock_day_close_seconds",
    "Duration of closing days on one partition, up to the acknowledgement of its forecasts",
    buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)

# replenisher
PURCHASE_ORDERS = Counter("restock_purchase_orders", "Purchase orders placed by reviews")
REVIEW_SECONDS = Histogram(
    "restock_review_seconds",
    "Duration of one review, from the load of every place to the commit",
    buckets=(0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
UNMATCHED_RECEIPTS = Counter(
    "restock_unmatched_receipts", "Receipts that cite an order line that was never placed"
)

# dispatcher
WAVES = Counter(
    "restock_waves",
    "Plans offered for a wave, by what became of them: planned or stale",
    ["outcome"],
)
SOLVE_SECONDS = Histogram(
    "restock_solve_seconds",
    "Duration of one wave's search in the solver's process",
    buckets=(0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)


class Behind(NamedTuple):
    """How far a reader is behind on one partition."""

    group: str
    topic: str
    partition: int
    end: int
    records: int
    seconds: float


class Reader(Protocol):
    """Whoever reads partitions."""

    def behind(self) -> Iterable[Behind]:
        """Return how far it is behind on each partition that it is given."""


READERS: WeakSet[Reader] = WeakSet()


class _Lag(Collector):
    """Looks at the readers when metrics are asked for: a reader that stands still cannot tell."""

    def collect(self) -> Iterable[Metric]:
        labels = ("group", "topic", "partition")
        told = [GaugeMetricFamily(*one, labels=labels) for one in (LAG_RECORDS, LAG_SECONDS)]
        told.append(GaugeMetricFamily(*LOG_END, labels=labels))
        for reader in list(READERS):
            for one in reader.behind():
                where = (one.group, one.topic, str(one.partition))
                values = (one.records, one.seconds, one.end)
                for family, value in zip(told, values, strict=True):
                    family.add_metric(where, value)
        return told


REGISTRY.register(_Lag())


def configure(service: str, settings: ServiceSettings) -> None:
    """Set up logging and tracing for this process; call once, from the composition root."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    redactor = Redactor(secrets_of(settings))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter(redactor))
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler])
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _trace_ids,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redactor,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    tracing.configure(service, settings)


@cache
def taken_in(kind: str, outcome: str) -> Counter:
    """Return a part of TAKEN_IN: to look a label up costs more than to count."""
    return TAKEN_IN.labels(kind, outcome)


def _trace_ids(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
    return event
