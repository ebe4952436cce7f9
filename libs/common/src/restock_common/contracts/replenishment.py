"""restock.replenishment.v1: what is bought, keyed by supplier."""

from typing import Annotated, ClassVar

from pydantic import Field

from restock_common.contracts.event import Contract, Event
from restock_common.contracts.topics import REPLENISHMENT, Topic
from restock_common.units import Identifier, LocationId, PositiveUnits, Sku, Timestamp, Units


class OrderReason(Contract):
    """The sum behind an order line: every figure that the formula took, in units and days."""

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


class PurchaseOrderLine(Contract):
    """Units of one sku to buy; its id is derived from the need that it covers."""

    order_line: Identifier
    need: Identifier
    sku: Sku
    quantity: PositiveUnits
    reason: OrderReason


class ReplenishmentEvent(Event):
    """An event of one supplier."""

    topic: ClassVar[Topic] = REPLENISHMENT

    supplier: Identifier
    purchase_order: Identifier

    @property
    def key(self) -> str:
        """Return the supplier."""
        return self.supplier


class PurchaseOrderPlaced(ReplenishmentEvent):
    """Goods are ordered from a supplier for one location."""

    location: LocationId
    placed_at: Timestamp
    lines: Annotated[tuple[PurchaseOrderLine, ...], Field(min_length=1)]


class PurchaseOrderClosed(ReplenishmentEvent):
    """Every line has been received in full."""

    location: LocationId
    closed_at: Timestamp
