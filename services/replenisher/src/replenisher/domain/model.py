"""What is known of a sku at a location and of its orders, and the working set of a batch."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from replenisher.domain.lead_time import LeadTimeRecord
from replenisher.domain.protection import Horizons
from restock_common.contracts.replenishment import PurchaseOrderPlaced


class Place(NamedTuple):
    """A sku at a location."""

    sku: str
    location: str


class NeedState(StrEnum):
    """Where a need that no order line covers yet stands."""

    OPEN = "open"
    """The next review orders for it."""
    DEFERRED = "deferred"
    """It cannot be ordered for, and has a reason."""


@dataclass(frozen=True, slots=True)
class Need:
    """The inventory position is at or below the reorder point and no order line answers it yet."""

    id: str
    state: NeedState
    opened_at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The last forecast of a place; without horizons before the first."""

    horizons: Horizons = field(default_factory=Horizons)
    learned_until: datetime | None = None


@dataclass(slots=True)
class Position:
    """One sku at one location, in units. All zero until the ledger has spoken of it.

    Attributes:
        place: Which.
        on_hand: On the shelf, in whatever condition.
        unsellable: Of it damaged or in quality hold.
        reserved: Of it promised to customers and to transfers that leave here.
        backordered: Owed to customers.
        in_transit: On its way here from another location.
        on_order: Ordered and not received, over all order lines.
        lines_placed: How many order lines were ever placed; numbers the next need.
        forecast: Of its demand.
        need: The one that no order line covers; None where the position is high enough.
        changed: Whether it differs from what is stored.
        forecast_changed: Whether the forecast does.
    """

    place: Place
    on_hand: int = 0
    unsellable: int = 0
    reserved: int = 0
    backordered: int = 0
    in_transit: int = 0
    on_order: int = 0
    lines_placed: int = 0
    forecast: Forecast = field(default_factory=Forecast)
    need: Need | None = None
    changed: bool = False
    forecast_changed: bool = False

    @property
    def inventory_position(self) -> int:
        """Return sellable on_hand + in_transit + on_order - reserved - backordered, in units.

        Units held for carts stay in: a cart is no demand yet.
        """
        sellable = self.on_hand - self.unsellable
        return sellable + self.in_transit + self.on_order - self.reserved - self.backordered


@dataclass(slots=True)
class OrderLine:
    """Units of one sku bought for one location; covers exactly one need.

    Invariant: outstanding = max(0, quantity - received); a place's on_order is their sum.
    """

    id: str
    purchase_order: str
    need: str
    place: Place
    quantity: int
    received: int = 0

    @property
    def outstanding(self) -> int:
        """Return what is still to come, in units."""
        return max(0, self.quantity - self.received)


@dataclass(slots=True)
class PurchaseOrder:
    """One order to one supplier for one location, and how many of its lines are not in yet."""

    id: str
    supplier: str
    location: str
    placed_at: datetime
    open_lines: int
    last_received_at: datetime | None = None
    closed_at: datetime | None = None


class ReceiptKey(NamedTuple):
    """One receipt's part of one order line: counts once."""

    receipt: str
    order_line: str
    purchase_order: str


@dataclass(frozen=True, slots=True)
class Review:
    """A review that was made: never made again for its date.

    Attributes:
        review_date: The day that it opens, UTC.
        cut_at: The time up to which everything had been heard.
        purchase_orders: How many were placed.
        order_lines: How many needs they cover.
        deferred: How many needs stay without an order.
    """

    review_date: date
    cut_at: datetime
    purchase_orders: int
    order_lines: int
    deferred: int


@dataclass(slots=True)
class WorkingSet:
    """All that a batch's decisions may read and change.

    Attributes:
        positions: Every place that the batch speaks of; for a review, every place that could need.
        lines: Order lines that receipts cite.
        orders: Their purchase orders.
        receipts: Parts of receipts already counted.
        deliveries: (receipt, purchase order) that have taught their lead time.
        lead_times: What was observed, by supplier.
        touched: Places whose need must be looked at again, with the time of the last message.
        reviewed: Dates whose review has been made.
        placed: Purchase orders to be stored.
        new_receipts: To be stored.
        changed_lines: Lines that something was received on.
        changed_orders: Their orders.
        taught: What this batch adds to `lead_times`, by supplier.
        review: The review made in this batch.
        unmatched: Receipts that cite an order line that is not known here.
    """

    positions: dict[Place, Position] = field(default_factory=dict)
    lines: dict[str, OrderLine] = field(default_factory=dict)
    orders: dict[str, PurchaseOrder] = field(default_factory=dict)
    receipts: set[ReceiptKey] = field(default_factory=set)
    deliveries: set[tuple[str, str]] = field(default_factory=set)
    lead_times: dict[str, LeadTimeRecord] = field(default_factory=dict)
    touched: dict[Place, datetime] = field(default_factory=dict)
    reviewed: frozenset[date] = frozenset()
    placed: list[PurchaseOrderPlaced] = field(default_factory=list)
    new_receipts: list[ReceiptKey] = field(default_factory=list)
    changed_lines: dict[str, OrderLine] = field(default_factory=dict)
    changed_orders: dict[str, PurchaseOrder] = field(default_factory=dict)
    taught: dict[str, LeadTimeRecord] = field(default_factory=dict)
    review: Review | None = None
    unmatched: list[ReceiptKey] = field(default_factory=list)

    def touch(self, position: Position, at: datetime) -> None:
        """Note that a place has changed and its need must be looked at again."""
        position.changed = True
        self.touched[position.place] = at

    def changed_positions(self) -> Iterable[Position]:
        """Return the places to be stored."""
        return (position for position in self.positions.values() if position.changed)
