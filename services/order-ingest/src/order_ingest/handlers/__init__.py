"""What comes in, and what becomes of it: every door of the service decides here.

order       -> checked, homed, remembered, OrderPlaced      on the home pool's shard
amendment   -> looked up, OrderAmended                      on the order's shard
cancel      -> looked up, OrderCancelled                    on the order's shard
return      -> looked up, checked, OrderReturned            on the location's shard
  of an order that was not found: kept, and decided when the order comes
hold        -> checked, homed, remembered, CartHeld         on the nearest, or named, pool's shard
release     -> looked up, or kept, CartReleased             on the hold's shard
receipt     -> checked, GoodsReceived                       on the location's shard
count       -> checked, StockCounted                        on the location's shard
adjustment  -> checked, StockAdjusted                       on the location's shard
expected    -> checked, remembered, ReceiptExpected         on the location's shard
policy      -> checked, StockPolicySet                      on the location's shard
transfer    -> checked, remembered, TransferOrdered         on the source's shard
  shipped   -> looked up, checked, TransferShipped          on the source's shard
  received  -> looked up, checked, TransferReceived         on the target's shard
  cancelled -> looked up, TransferCancelled                 on the source's shard
entity      -> checked, AssortmentListed                    on every shard
               and then the entity itself                   on the catalogue
time        -> checked, TimeAdvanced                        on every shard
"""

from order_ingest.handlers.answers import Answer, Answers, Claim
from order_ingest.handlers.desk import attempt
from order_ingest.handlers.door import Door
from order_ingest.handlers.orders import cited_holds, take_order
from order_ingest.handlers.outlet import Outlet
from order_ingest.handlers.ports import (
    Accepted,
    Clock,
    Found,
    MasterData,
    Memory,
    OrderBook,
    Register,
)
from order_ingest.handlers.waiting import WaitingRoom

__all__ = [
    "Accepted",
    "Answer",
    "Answers",
    "Claim",
    "Clock",
    "Door",
    "Found",
    "MasterData",
    "Memory",
    "OrderBook",
    "Outlet",
    "Register",
    "WaitingRoom",
    "attempt",
    "cited_holds",
    "take_order",
]
