"""restock.stock.v1: what the ledger did, keyed by sku."""

from typing import ClassVar

from restock_common.contracts.event import Event
from restock_common.contracts.topics import STOCK, Topic
from restock_common.units import (
    Identifier,
    LocationId,
    OrderId,
    PoolId,
    PositiveUnits,
    Sku,
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


class StockReserved(StockEvent):
    """Units of an order line are promised from one location; `home_pool` may be another's."""

    order: OrderId
    line: Identifier
    location: LocationId
    pool: PoolId
    home_pool: PoolId
    quantity: PositiveUnits
    allocation: Identifier
    reserved_at: Timestamp


class StockBackordered(StockEvent):
    """No pool could serve these units: they wait at the home pool for the next receipt."""

    order: OrderId
    line: Identifier
    location: LocationId
    pool: PoolId
    quantity: PositiveUnits


class StockReleased(StockEvent):
    """Reserved units are free again: cancelled, withdrawn or found missing."""

    order: OrderId
    line: Identifier
    location: LocationId
    quantity: PositiveUnits
    allocation: Identifier


class StockShipped(StockEvent):
    """Reserved units left the warehouse."""

    order: OrderId
    line: Identifier
    location: LocationId
    quantity: PositiveUnits
    allocation: Identifier


class Level(StockEvent):
    """The absolute state of one sku at one location, in units.

    Invariants: 0 <= reserved <= on_hand, backordered >= 0, available = on_hand - reserved.
    """

    location: LocationId
    pool: PoolId
    on_hand: Units
    reserved: Units
    backordered: Units

    @property
    def available(self) -> int:
        """Return what can still be promised, in units."""
        return self.on_hand - self.reserved


class StockLevelChanged(Level):
    """The level after a movement; absolute, so the last one seen is the truth."""


class StockReceived(Level):
    """A receipt was booked: what came, on which purchase order line, and the level after it."""

    receipt: Identifier
    purchase_order: Identifier | None = None
    order_line: Identifier | None = None
    quantity: PositiveUnits
    received_at: Timestamp
