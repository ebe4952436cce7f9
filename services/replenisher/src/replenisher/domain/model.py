"""What is known of a sku at a location and of its orders, and the working set of a batch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from replenisher.domain.lead_time import LeadTimeRecord
from replenisher.domain.protection import Horizons
from restock_common.contracts.insights import RiskClass, RiskKind, RiskResponse
from restock_common.contracts.replenishment import PurchaseOrderLine


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


class Cause(NamedTuple):
    """What made a place be looked at: a message, by its time and its id."""

    at: datetime
    id: str


class Answered(NamedTuple):
    """A need whose order line is gone, and how often it has been opened."""

    id: str
    revision: int


@dataclass(frozen=True, slots=True)
class Need:
    """The inventory position is at or below the reorder point and no order line answers it yet.

    Attributes:
        id: From the place and the message that made the position fall.
        state: Whether the next review orders for it.
        opened_at: When the position fell, or the line that answered it went.
        reason: Why it is deferred; None where it is not.
        revision: 1, and one more each time that its line was rejected, cancelled or came short.
    """

    id: str
    state: NeedState
    opened_at: datetime
    reason: str | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Forecast:
    """The last forecast of a place and the event that told it; empty before the first."""

    horizons: Horizons = field(default_factory=Horizons)
    learned_until: datetime | None = None
    event: str | None = None


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
        on_order: Ordered or proposed, and not received, over all order lines.
        lines_placed: How many order lines were ever placed.
        level_event: What told the level.
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
    level_event: str | None = None
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
    """Units of one sku bought for one location; covers one revision of one need.

    Invariant: outstanding = max(0, quantity - received - cancelled); a place's on_order is their
    sum.
    """

    id: str
    purchase_order: str
    need: str
    place: Place
    quantity: int
    received: int = 0
    cancelled: int = 0
    need_revision: int = 1
    reason: Mapping[str, Any] = field(default_factory=dict)

    @property
    def outstanding(self) -> int:
        """Return what is still to come, in units."""
        return max(0, self.quantity - self.received - self.cancelled)

    @property
    def unit_cost(self) -> float:
        """Return what one unit costs, in money."""
        return float(self.reason.get("unit_cost") or 0.0)


class OrderState(StrEnum):
    """How far a purchase order has come; being late is told apart."""

    PROPOSED = "proposed"
    PLACED = "placed"
    ACKNOWLEDGED = "acknowledged"
    PARTLY_RECEIVED = "partly_received"
    RECEIVED = "received"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class PurchaseOrder:
    """One order to one supplier for one location, and how many of its lines are not in yet.

    Attributes:
        id: From the supplier, the location and the review.
        supplier: Who delivers.
        location: Where to.
        placed_at: When it was proposed, and from its approval on when it was placed.
        open_lines: Lines with units to come.
        last_received_at: When the latest receipt came.
        closed_at: When nothing was left to come.
        state: How far it has come.
        value: Of what is ordered and not cancelled, in money.
        expected_at: When it should be there.
        late_at: When it was noticed that it is not.
        revision: Counts the changes of a proposal.
        lead_days: What the supplier was believed to take, when it was proposed.
    """

    id: str
    supplier: str
    location: str
    placed_at: datetime
    open_lines: int
    last_received_at: datetime | None = None
    closed_at: datetime | None = None
    state: OrderState = OrderState.PLACED
    value: float = 0.0
    expected_at: datetime | None = None
    late_at: datetime | None = None
    revision: int = 1
    lead_days: float = 0.0


class ReceiptKey(NamedTuple):
    """One receipt's part of one order line: counts once."""

    receipt: str
    order_line: str
    purchase_order: str


@dataclass(frozen=True, slots=True)
class StandingRisk:
    """A risk that has been raised and not cleared."""

    risk: str
    kind: RiskKind
    supplier: str
    sku: str | None
    location: str | None
    probability: float
    impact: float
    risk_class: RiskClass
    response: RiskResponse
    reason: str
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class Review:
    """A review that was made: never made again for its date.

    Attributes:
        review_date: The day that it opens, UTC.
        supplier: Whose goods; empty where it was of all.
        cut_at: The time up to which everything had been heard.
        purchase_orders: How many were placed.
        order_lines: How many needs they cover.
        deferred: How many needs stay without an order.
        value: What was chosen saves, in money, where a budget or room bound; None where none did.
        bound: What no choice could have saved more than.
    """

    review_date: date
    cut_at: datetime
    purchase_orders: int
    order_lines: int
    deferred: int
    supplier: str = ""
    value: float | None = None
    bound: float | None = None


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
        touched: Places whose need must be looked at again, with the last message that touched them.
        reopened: Needs of these places whose order line is gone.
        reviewed: Reviews that have been made: (supplier, date).
        placed: Purchase orders of the review, to be stored with their lines.
        split: Purchase orders that took lines over from others, to be stored without.
        to_send: Orders that were placed: their suppliers are to be told.
        spent: What was ordered in this week, by supplier, in money.
        stored: What locations with a limit have or expect, in units.
        late: Open orders that are late and what they are worth, by supplier.
        outcomes: What became of each command.
        changed_risks: Risks to be stored; None deletes.
        risks: Risks that stand, by id.
        new_receipts: To be stored.
        changed_lines: Lines that something was received on.
        changed_orders: Their orders.
        taught: What this batch adds to `lead_times`, by supplier.
        reviews: The reviews made in this batch, a supplier each.
        unmatched: Receipts that cite an order line that is not known here.
    """

    positions: dict[Place, Position] = field(default_factory=dict)
    lines: dict[str, OrderLine] = field(default_factory=dict)
    orders: dict[str, PurchaseOrder] = field(default_factory=dict)
    receipts: set[ReceiptKey] = field(default_factory=set)
    deliveries: set[tuple[str, str]] = field(default_factory=set)
    lead_times: dict[str, LeadTimeRecord] = field(default_factory=dict)
    touched: dict[Place, Cause] = field(default_factory=dict)
    reopened: dict[Place, Answered] = field(default_factory=dict)
    reviewed: frozenset[tuple[str, date]] = frozenset()
    placed: list[tuple[PurchaseOrder, tuple[PurchaseOrderLine, ...]]] = field(default_factory=list)
    split: list[PurchaseOrder] = field(default_factory=list)
    to_send: list[str] = field(default_factory=list)
    spent: dict[str, float] = field(default_factory=dict)
    stored: dict[str, int] = field(default_factory=dict)
    late: dict[str, tuple[int, float]] = field(default_factory=dict)
    outcomes: dict[str, str | None] = field(default_factory=dict)
    risks: dict[str, StandingRisk] = field(default_factory=dict)
    changed_risks: dict[str, StandingRisk | None] = field(default_factory=dict)
    new_receipts: list[ReceiptKey] = field(default_factory=list)
    changed_lines: dict[str, OrderLine] = field(default_factory=dict)
    changed_orders: dict[str, PurchaseOrder] = field(default_factory=dict)
    taught: dict[str, LeadTimeRecord] = field(default_factory=dict)
    reviews: list[Review] = field(default_factory=list)
    unmatched: list[ReceiptKey] = field(default_factory=list)

    def touch(self, position: Position, cause: Cause) -> None:
        """Note that a place has changed and its need must be looked at again."""
        position.changed = True
        self.touched[position.place] = cause

    def lines_of(self, purchase_order: str) -> list[OrderLine]:
        """Return the loaded lines of an order, by sku."""
        lines = (line for line in self.lines.values() if line.purchase_order == purchase_order)
        return sorted(lines, key=lambda line: line.place.sku)

    def changed_positions(self) -> Iterable[Position]:
        """Return the places to be stored."""
        return (position for position in self.positions.values() if position.changed)
