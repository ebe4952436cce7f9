"""What comes in, and what becomes of it: every door of the service decides here.

order       -> checked, homed, remembered, OrderPlaced      on the home pool's shard
               who gets it is kept here, encrypted
amendment   -> looked up, OrderAmended                      on the order's shard
               who gets it from now on is kept here, encrypted
cancel      -> looked up, OrderCancelled                    on the order's shard
return      -> looked up, checked, OrderReturned            on the location's shard
  of an order that was not found: kept, and decided when the order comes
hold        -> checked, homed, remembered, CartHeld         on the nearest, or named, pool's shard
release     -> looked up, or kept, CartReleased             on the hold's shard
receipt     -> checked, GoodsReceived                       on the location's shard
count       -> checked, StockCounted                        on the location's shard
scan        -> looked up, a receipt or a count
  by MQTT   -> the same, or a dead letter
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
webhook     -> verified, read by its channel, and then one or more of the above, or a dead letter
page        -> of a shop's own orders: those not shown in that state before, as if by webhook
"""

from order_ingest.handlers.answers import Answer, Answers, Claim
from order_ingest.handlers.arrivals import BY_HTTP, BY_KAFKA, Arrivals, Heard
from order_ingest.handlers.atlas import Atlas
from order_ingest.handlers.customers import Customers, Delivery, Recipients
from order_ingest.handlers.desk import Desk, attempt
from order_ingest.handlers.devices import COUNTS, ROOT, SCANS, DeviceMessage
from order_ingest.handlers.door import Door
from order_ingest.handlers.feeds import FeedBook, Feeds, Sighting, Totals
from order_ingest.handlers.gaps import Gap, GapBook, Gaps, LastEvent, PollState
from order_ingest.handlers.keys import Keys, KeyStore
from order_ingest.handlers.orders import cited_holds, take_order
from order_ingest.handlers.outlet import Outlet
from order_ingest.handlers.polls import Catcher, DueShop, PollBook, Polls
from order_ingest.handlers.ports import (
    Accepted,
    Clock,
    MasterData,
    Memory,
    OrderBook,
    Register,
    Sandboxes,
)
from order_ingest.handlers.shops import STALE_S, ShopBook, Shops, ToFetch
from order_ingest.handlers.waiting import WaitingRoom
from order_ingest.handlers.webhooks import Asked, Outcome, SetAside, Skipped, Way, Webhooks

__all__ = [
    "BY_HTTP",
    "BY_KAFKA",
    "COUNTS",
    "ROOT",
    "SCANS",
    "STALE_S",
    "Accepted",
    "Answer",
    "Answers",
    "Arrivals",
    "Asked",
    "Atlas",
    "Catcher",
    "Claim",
    "Clock",
    "Customers",
    "Delivery",
    "Desk",
    "DeviceMessage",
    "Door",
    "DueShop",
    "FeedBook",
    "Feeds",
    "Found",
    "Gap",
    "GapBook",
    "Gaps",
    "Heard",
    "KeyStore",
    "Keys",
    "LastEvent",
    "MasterData",
    "Memory",
    "OrderBook",
    "Outcome",
    "Outlet",
    "PollBook",
    "PollState",
    "Polls",
    "Recipients",
    "Register",
    "Sandboxes",
    "SetAside",
    "ShopBook",
    "Shops",
    "Sighting",
    "Skipped",
    "ToFetch",
    "Totals",
    "WaitingRoom",
    "Way",
    "Webhooks",
    "attempt",
    "cited_holds",
    "take_order",
]
