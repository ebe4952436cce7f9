"""The dashboards: the business, an order's way, each service, Kafka and PostgreSQL.

Prometheus knows each service by the label `service`.
"""

from restock_local.dashboards.model import Board, Chart, durations, number, quantile, rate
from restock_local.dashboards.services import DISPATCHER, FORECASTER, LEDGER, REPLENISHER

_UNITS = "sum by (account) (max by (shard, account) (restock_ledger_account_units{%s}))"
_FILL_RATE = (
    "1 - (sum(rate(restock_backordered_units_total[1h]))"
    " / (sum(rate(restock_demand_units_total[1h])) > 0)) or vector(1)"
)
_ORDERS = 'kind="order",outcome="accepted"'

BUSINESS = Board(
    "business",
    "Restock / Business",
    {
        "Now": (
            number("Orders a second", rate("restock_taken_in_items_total", "", _ORDERS), "ops"),
            number("Oversold units", "sum(restock_ledger_oversold_units)", alarm_above=1),
            number("Fill rate, last hour", _FILL_RATE, "percentunit"),
            number("Stock cover", "max(restock_stock_cover_days)", "d"),
            number("Open purchase orders", "max(restock_purchase_orders_open)"),
            number("Late purchase orders", "max(restock_purchase_orders_late)", alarm_above=1),
        ),
        "Orders and stock": (
            Chart(
                "Orders a second",
                {"{{outcome}}": rate("restock_taken_in_items_total", "outcome", 'kind="order"')},
                "ops",
                "Refused ones were answered with what is wrong with them.",
            ),
            Chart(
                "Units",
                {"{{account}}": _UNITS % 'account=~"free|reserved|held|backordered"'},
                about="free can be promised; reserved and held are; backordered waits.",
            ),
            Chart(
                "Units asked for and shipped, a second",
                {
                    "asked": rate("restock_demand_units_total"),
                    "reserved": rate("restock_reserved_units_total"),
                    "backordered": rate("restock_backordered_units_total"),
                    "shipped": rate("restock_shipped_units_total"),
                },
                "ops",
            ),
        ),
        "Supply and delivery": (
            Chart(
                "Purchase orders",
                {
                    "open": "max(restock_purchase_orders_open)",
                    "late": "max(restock_purchase_orders_late)",
                },
            ),
            Chart(
                "Places that need an order",
                {"{{state}}": "max by (state) (restock_needs)"},
                about="Deferred ones say why at GET /v1/needs of the replenisher.",
            ),
            Chart(
                "Cost of routes a day",
                {"cost": "sum(increase(restock_route_planned_cost_total[1d]))"},
            ),
        ),
    },
)

ORDER = Board(
    "order",
    "Restock / An order's way",
    {
        "How long each step takes": (
            Chart("Door: request", durations("restock_http_request_seconds", "service"), "s"),
            Chart(
                "Batches: read, decide, commit", durations("restock_batch_seconds", "topic"), "s"
            ),
            Chart("Events on their way out", durations("restock_publish_seconds", "service"), "s"),
        ),
        "How far each reader is behind": (
            Chart(
                "Lag in seconds",
                {"{{service}} {{topic}}": "max by (service, topic) (restock_consumer_lag_seconds)"},
                "s",
                "0 where nothing waits; above the alert's limit somebody is called.",
            ),
            Chart(
                "Lag in records",
                {"{{service}} {{topic}}": "sum by (service, topic) (restock_consumer_lag_records)"},
            ),
            Chart(
                "Age of events as they are taken",
                {"{{service}} {{topic}}": "max by (service, topic) (restock_event_age_seconds)"},
                "s",
                "From when it happened; in a replay that is long ago.",
            ),
        ),
        "What goes wrong": (
            Chart(
                "Errors of doors",
                {
                    "{{service}}": "sum by (service) (rate(restock_http_request_seconds_count"
                    '{status=~"5.."}[$__rate_interval])) or sum by (service) (0 * rate('
                    "restock_http_request_seconds_count[$__rate_interval]))"
                },
                "ops",
            ),
            Chart(
                "Dead letters a second",
                {"all": rate("restock_records_total", "", 'outcome="dead_letter"')},
                "ops",
            ),
            Chart(
                "Waiting for Kafka, or for their order",
                {
                    "spooled": "max(restock_spool_records)",
                    "commands that wait": "max(restock_waiting_commands)",
                    "journal not yet published": "sum(restock_journal_unpublished_records)",
                },
            ),
        ),
        "Saturation": (
            Chart(
                "Event loop wakes too late, p99",
                {"{{service}}": quantile(0.99, "restock_event_loop_delay_seconds", "service")},
                "s",
                "A process with one busy core: add a replica, up to the partitions.",
            ),
            Chart(
                "Processor",
                {"{{service}}": rate("process_cpu_seconds_total", "service")},
                "percentunit",
            ),
            Chart(
                "Memory",
                {"{{service}}": "sum by (service) (process_resident_memory_bytes)"},
                "bytes",
            ),
        ),
    },
)

KAFKA = Board(
    "kafka",
    "Restock / Kafka",
    {
        "As its clients see it": (
            Chart(
                "Records written a second",
                {
                    "{{topic}}": "sum by (topic) (max by (topic, partition)"
                    " (rate(restock_consumer_end_offset[$__rate_interval])))"
                },
                "ops",
            ),
            Chart(
                "Records taken a second",
                {"{{topic}} {{outcome}}": rate("restock_records_total", "topic, outcome")},
                "ops",
            ),
            Chart(
                "Records published a second",
                {"{{service}}": rate("restock_published_records_total", "service")},
                "ops",
            ),
            Chart("Acknowledged after", durations("restock_publish_seconds", "service"), "s"),
            Chart(
                "Asked again",
                {
                    "{{service}} {{request}}": rate(
                        "restock_kafka_retries_total", "service, request"
                    )
                },
                "ops",
                "A broker that is away, or a partition without enough in-sync replicas.",
            ),
            Chart(
                "Partitions by reader",
                {
                    "{{service}} {{topic}}": "count by (service, topic)"
                    " (restock_consumer_lag_records)"
                },
            ),
        ),
    },
)

POSTGRES = Board(
    "postgresql",
    "Restock / PostgreSQL",
    {
        "Each service's own database": (
            Chart(
                "Transactions a second",
                {
                    "{{service}} {{outcome}}": rate(
                        "restock_database_transactions_total", "service, outcome"
                    )
                },
                "ops",
            ),
            Chart(
                "Connections of the pools",
                {
                    "{{service}} {{state}}": "sum by (service, state) "
                    '(restock_database_pool_connections{state=~"in_use|max"})'
                },
                about="Where in_use stays at max, requests wait for a connection.",
            ),
            Chart(
                "Backends",
                {"{{service}} {{state}}": "max by (service, state) (restock_database_backends)"},
                about="waiting: for a lock.",
            ),
            Chart(
                "Oldest transaction",
                {"{{service}}": "max by (service) (restock_database_oldest_transaction_seconds)"},
                "s",
            ),
            Chart(
                "Found in the cache",
                {
                    "{{service}}": "sum by (service) (rate("
                    'restock_database_blocks_total{source="cache"}[$__rate_interval]))'
                    " / sum by (service) "
                    "(rate(restock_database_blocks_total[$__rate_interval]))"
                },
                "percentunit",
            ),
            Chart(
                "Size and deadlocks",
                {
                    "{{service}} bytes": "max by (service) (restock_database_size_bytes)",
                    "{{service}} deadlocks": "max by (service) (restock_database_deadlocks_total)",
                },
                "bytes",
            ),
        ),
    },
)

BOARDS = (BUSINESS, ORDER, LEDGER, FORECASTER, REPLENISHER, DISPATCHER, KAFKA, POSTGRES)
