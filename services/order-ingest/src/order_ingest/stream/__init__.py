"""What the door reads and says by itself: raw orders, devices, the clock, the spool, shops."""

from order_ingest.stream.clock import Ticker
from order_ingest.stream.devices import MqttDevices
from order_ingest.stream.drainer import Drainer
from order_ingest.stream.feed_keeper import FeedKeeper
from order_ingest.stream.housekeeper import Housekeeper
from order_ingest.stream.poller import LEASE, Poller
from order_ingest.stream.shop_watch import ShopWatch
from order_ingest.stream.storefront_orders import StorefrontOrders

__all__ = [
    "LEASE",
    "Drainer",
    "FeedKeeper",
    "Housekeeper",
    "MqttDevices",
    "Poller",
    "ShopWatch",
    "StorefrontOrders",
    "Ticker",
]
