"""What the door reads and says by itself: raw orders, devices, the clock, what was spooled."""

from order_ingest.stream.clock import Ticker
from order_ingest.stream.devices import MqttDevices
from order_ingest.stream.drainer import Drainer
from order_ingest.stream.housekeeper import Housekeeper
from order_ingest.stream.shop_watch import ShopWatch
from order_ingest.stream.storefront_orders import StorefrontOrders

__all__ = ["Drainer", "Housekeeper", "MqttDevices", "ShopWatch", "StorefrontOrders", "Ticker"]
