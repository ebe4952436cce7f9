"""What comes in, and what becomes of it: every door of the service decides here.

order    -> checked, homed, remembered, OrderPlaced      on the home pool's shard
cancel   -> looked up, OrderCancelled                    on the order's shard
receipt  -> checked, GoodsReceived                       on the location's shard
count    -> checked, StockCounted                        on the location's shard
entity   -> checked, the entity itself                   on the catalogue
time     -> checked, TimeAdvanced                        on every shard
"""

from order_ingest.handlers.door import Door, take_order
from order_ingest.handlers.ports import Accepted, Clock, MasterData, Memory, OrderBook

__all__ = ["Accepted", "Clock", "Door", "MasterData", "Memory", "OrderBook", "take_order"]
