"""What the door reads and says by itself: raw orders from Kafka, devices, and the live clock."""

from order_ingest.stream.clock import Ticker
from order_ingest.stream.devices import MqttDevices
from order_ingest.stream.shop_watch import ShopWatch
from order_ingest.stream.storefront_orders import StorefrontOrders

__all__ = ["MqttDevices", "ShopWatch", "StorefrontOrders", "Ticker"]
