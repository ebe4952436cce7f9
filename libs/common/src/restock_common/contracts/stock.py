"""restock.stock.v1: what the ledger did, keyed by sku."""

from enum import StrEnum
from typing import ClassVar

from restock_common.contracts.event import Contract, Event
from restock_common.contracts.ledger import Condition
from restock_common.contracts.topics import STOCK, Topic
from restock_common.units import (
    Identifier,
    LocationId,
    OrderId,
    PoolId,
    PositiveUnits,
    Sku,
    Text,
    Timestamp,
    Units,
)


class StockEvent(Event):
    """An event of one sku."""

    topic: ClassVar[Topic] = STOCK

    sku: Sku

    @property
    def key(self) -> str:
        """Return the sku."""
        return self.sku


class Priority(Contract):
    """Why an order was served before others: a score, the sum of its parts; higher goes first."""

    score: float
    promised: float
    tier: float
    channel: float
    age: float
    value: float


class StockReserved(StockEvent):
    """Units of an order line are promised from one location; `home_pool` may be another's.

    Attributes:
        reservation: Its id: shipping names it again.
        lot: Which lot they are of, where the sku has lots.
        priority: Where they had waited: what their turn was told from.
    """

    order: OrderId
    line: Identifier
    reservation: Identifier
    location: LocationId
    pool: PoolId
    home_pool: PoolId
    quantity: PositiveUnits
    allocation: Identifier
    reserved_at: Timestamp
    lot: Identifier | None = None
    priority: Priority | None = None


class StockBackordered(StockEvent):
    """No pool could serve these units: they wait at the home pool for the next receipt.

    Attributes:
        expected: The receipt that a preorder is promised from, and when that is expected.
        priority: What its turn would be told from at this moment.
    """

    order: OrderId
    line: Identifier
    location: LocationId
    pool: PoolId
    quantity: PositiveUnits
    expected: Identifier | None = None
    expected_at: Timestamp | None = None
    priority: Priority | None = None


class StockReleased(StockEvent):
    """Reserved units are free again: cancelled, withdrawn or found missing."""

    order: OrderId
    line: Identifier
    reservation: Identifier
    location: LocationId
    quantity: PositiveUnits
    allocation: Identifier


class StockShipped(StockEvent):
    """Reserved units left the warehouse."""

    order: OrderId
    line: Identifier
    reservation: Identifier
    location: LocationId
    quantity: PositiveUnits
    allocation: Identifier
    lot: Identifier | None = None


class StockReturned(StockEvent):
    """Shipped units came back."""

    order: OrderId
    line: Identifier
    location: LocationId
    quantity: PositiveUnits
    condition: Condition
    returned: Identifier


class StockHeld(StockEvent):
    """Units at one location are kept for a cart."""

    hold: Identifier
    location: LocationId
    pool: PoolId
    quantity: PositiveUnits
    expires_at: Timestamp


class HoldRefused(StockEvent):
    """A line of a cart could not be held: fewer units were available."""

    hold: Identifier
    pool: PoolId
    quantity: PositiveUnits
    available: Units


class HoldEnd(StrEnum):
    """Why units are no longer held."""

    COMMITTED = "committed"
    RELEASED = "released"
    EXPIRED = "expired"
    MISSING = "missing"


class HoldEnded(StockEvent):
    """Units at one location are no longer kept for a cart."""

    hold: Identifier
    location: LocationId
    quantity: PositiveUnits
    reason: HoldEnd


class TransferStage(StrEnum):
    """How far units of a transfer have come."""

    RESERVED = "reserved"
    SHORT = "short"
    SHIPPED = "shipped"
    RECEIVED = "received"
    LOST = "lost"
    CANCELLED = "cancelled"


class StockTransferred(StockEvent):
    """Units of a transfer reached a stage, at the location that tells it."""

    transfer: Identifier
    line: Identifier
    location: LocationId
    quantity: PositiveUnits
    stage: TransferStage


class Level(StockEvent):
    """The absolute state of one sku at one location, in units, over all its lots.

    Invariants: none is negative; reserved + held + damaged + quality_hold <= on_hand.

    Attributes:
        on_hand: On the shelves, in whatever condition, promised or not.
        reserved: Of them promised to orders and transfers.
        backordered: Asked for, but not there; waits here.
        held: Of on_hand kept for carts.
        damaged: Of on_hand not to be sold.
        quality_hold: Of on_hand not to be sold until somebody has looked.
        in_transit: On the way here from another location; not on hand.
        safety_buffer: Never promised to anyone.
    """

    location: LocationId
    pool: PoolId
    on_hand: Units
    reserved: Units
    backordered: Units
    held: Units = 0
    damaged: Units = 0
    quality_hold: Units = 0
    in_transit: Units = 0
    safety_buffer: Units = 0

    @property
    def available(self) -> int:
        """Return what can still be promised, in units."""
        kept = self.reserved + self.held + self.damaged + self.quality_hold + self.safety_buffer
        return max(0, self.on_hand - kept)


class StockLevelChanged(Level):
    """The level after a movement; absolute, so the last one seen is the truth."""


class StockReceived(Level):
    """A receipt was booked: what came, on which purchase order line, and the level after it."""

    receipt: Identifier
    purchase_order: Identifier | None = None
    order_line: Identifier | None = None
    quantity: PositiveUnits
    received_at: Timestamp


class AlertKind(StrEnum):
    """What is wrong with a sku at a location."""

    OUT_OF_STOCK = "out_of_stock"
    BELOW_SAFETY = "below_safety"
    OVERSTOCK = "overstock"
    EXPIRING = "expiring"
    SLOW_MOVING = "slow_moving"
    SUSPECTED_SHRINKAGE = "suspected_shrinkage"


class StockAlert(StockEvent):
    """An alert of one kind on one sku at one location: raised once, then cleared once.

    Attributes:
        lot: Of which lot, where the kind is told of lots.
        reason: In words, with the figures that it follows from.
    """

    location: LocationId
    pool: PoolId
    kind: AlertKind
    lot: Identifier | None = None
    reason: Text
    at: Timestamp


class StockAlertRaised(StockAlert):
    """Something is wrong from now on."""


class StockAlertCleared(StockAlert):
    """It is right again."""
