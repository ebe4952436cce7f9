"""restock.replenishment.v1: what is bought, keyed by supplier."""

from typing import Annotated, ClassVar

from pydantic import Field

from restock_common.contracts.event import Contract, Event
from restock_common.contracts.topics import REPLENISHMENT, Topic
from restock_common.units import Identifier, LocationId, PositiveUnits, Sku, Text, Timestamp, Units

Money = Annotated[float, Field(ge=0)]


class Alternative(Contract):
    """What could have been ordered instead, and what either is expected to cost.

    Attributes:
        quantity: Units of the next best choice.
        expected_cost: Holding and shortage of that choice until the next order, in money.
        chosen_expected_cost: The same of what was ordered.
    """

    quantity: Units
    expected_cost: float
    chosen_expected_cost: float


class OrderReason(Contract):
    """The sum behind an order line: every figure that the formula took, in units and days.

    Attributes:
        policy: Which rule wanted the quantity.
        wanted_quantity: What it wanted, before rounding and before anything bound.
        rounding: How that became whole packs, pallets or a full truck.
        constraint: What bound the quantity, with its figures; None where nothing did.
        unit_cost: Of one unit at this quantity.
        alternative: The next best choice.
        level_event: The event that the stock figures are from.
        forecast_event: The event that the demand figures are from.
    """

    formula: str
    inventory_position: int
    on_hand: Units
    reserved: Units
    backordered: Units
    on_order: Units
    reorder_point: int
    order_up_to_level: int
    protection_interval_days: float
    protection_demand_mean: float
    protection_demand_sd: float
    cycle_service_level: float
    minimum_order_quantity: int
    pack_size: int
    forecast_learned_until: Timestamp | None = None
    unsellable: Units = 0
    in_transit: Units = 0
    policy: str | None = None
    wanted_quantity: Units | None = None
    rounding: str | None = None
    constraint: str | None = None
    unit_cost: Money | None = None
    alternative: Alternative | None = None
    level_event: str | None = None
    forecast_event: str | None = None


class PurchaseOrderLine(Contract):
    """Units of one sku to buy: answers one revision of a need, which no other live line does."""

    order_line: Identifier
    need: Identifier
    sku: Sku
    quantity: PositiveUnits
    reason: OrderReason
    need_revision: Annotated[int, Field(ge=1)] = 1


class ReplenishmentEvent(Event):
    """An event of one supplier."""

    topic: ClassVar[Topic] = REPLENISHMENT

    supplier: Identifier
    purchase_order: Identifier

    @property
    def key(self) -> str:
        """Return the supplier."""
        return self.supplier


class PurchaseOrderProposed(ReplenishmentEvent):
    """Goods should be ordered if somebody approves; told again after an edit or a split.

    Attributes:
        value: Of all lines, at their unit costs.
        revision: Counts the changes; the latest one counts.
    """

    location: LocationId
    proposed_at: Timestamp
    lines: Annotated[tuple[PurchaseOrderLine, ...], Field(min_length=1)]
    value: Money
    revision: Annotated[int, Field(ge=1)] = 1


class PurchaseOrderApproved(ReplenishmentEvent):
    """Somebody approved a proposal."""

    location: LocationId
    approved_at: Timestamp
    by: Text


class PurchaseOrderPlaced(ReplenishmentEvent):
    """Goods are ordered from a supplier for one location.

    Attributes:
        value: Of all lines, at their unit costs.
        expected_at: When they should be there.
    """

    location: LocationId
    placed_at: Timestamp
    lines: Annotated[tuple[PurchaseOrderLine, ...], Field(min_length=1)]
    value: Money | None = None
    expected_at: Timestamp | None = None


class PurchaseOrderAcknowledged(ReplenishmentEvent):
    """The supplier has said that it will deliver, and perhaps when."""

    location: LocationId
    acknowledged_at: Timestamp
    expected_at: Timestamp | None = None


class CancelledLine(Contract):
    """Units of an order line that will not come."""

    order_line: Identifier
    sku: Sku
    quantity: PositiveUnits


class PurchaseOrderCancelled(ReplenishmentEvent):
    """Units that were still to come will not: rejected, cancelled, or delivered short for good.

    Attributes:
        lines: What will not come.
        complete: Whether nothing of the order is left to come.
        by: Who said so.
        reason: Why.
    """

    location: LocationId
    cancelled_at: Timestamp
    lines: Annotated[tuple[CancelledLine, ...], Field(min_length=1)]
    complete: bool
    by: Text
    reason: Text = ""


class PurchaseOrderLate(ReplenishmentEvent):
    """Goods should have been there; told once for each time that was expected."""

    location: LocationId
    expected_at: Timestamp
    noticed_at: Timestamp


class PurchaseOrderClosed(ReplenishmentEvent):
    """Nothing is left to come, and something has been received."""

    location: LocationId
    closed_at: Timestamp
