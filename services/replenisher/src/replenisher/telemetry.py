"""The replenisher's own metric names; those of every service are in `restock_common.telemetry`."""

from prometheus_client import Gauge

STOCK_COVER = Gauge(
    "restock_stock_cover_days",
    "How long what is on the shelves and not promised lasts at the demand that is expected, all "
    "places together",
)
SHORT_PLACES = Gauge(
    "restock_stock_cover_short_places",
    "Places with demand whose own stock lasts for less than a day",
)
NEEDS = Gauge(
    "restock_needs", "Places that need an order: open, or deferred for a reason", ["state"]
)
ON_ORDER = Gauge("restock_on_order_units", "Units ordered and not yet received")
OPEN_ORDERS = Gauge("restock_purchase_orders_open", "Purchase orders that are not closed")
LATE_ORDERS = Gauge(
    "restock_purchase_orders_late",
    "Open ones that are more than a day over the mean of what their supplier has taken so far",
)
LATEST_DAYS = Gauge(
    "restock_purchase_order_latest_days", "Days that the latest of them is over that mean"
)
