"""The ledger's own metric names; those of every service are in `restock_common.telemetry`."""

from prometheus_client import Counter, Gauge

ASKED = Counter("restock_demand_units", "Units that customers asked for")
BACKORDERED = Counter(
    "restock_backordered_units", "Units that could not be promised at once, or no longer"
)
RESERVED = Counter("restock_reserved_units", "Units promised, at once or after they had waited")
SHIPPED = Counter("restock_shipped_units", "Units that left a warehouse")
OVERSOLD = Gauge(
    "restock_ledger_oversold_units",
    "Units promised beyond what is set aside for them, or taken below nothing: more than 0 is a "
    "bug, or somebody's hand in the tables",
    ["shard"],
)
