"""What becomes of parcels, as the warehouse tells it."""

from typing import Annotated

from pydantic import Field

from restock_common.contracts.event import Contract
from restock_common.contracts.ledger.base import LedgerEvent
from restock_common.units import (
    Identifier,
    LocationId,
    OrderId,
    PositiveUnits,
    Sku,
    Timestamp,
)


class AllocatedLine(Contract):
    """Reserved units of one order line at one location."""

    line: Identifier
    sku: Sku
    quantity: PositiveUnits


class ShippedLine(AllocatedLine):
    """Units of an order line that left, with their serials where units are told apart."""

    serials: tuple[Identifier, ...] = ()


class ShipmentDispatched(LedgerEvent):
    """A vehicle left with an allocation on board: reserved units leave on_hand.

    Attributes:
        route: Which departure: told again, it is the same shipment; another one is refused.
        lines: What of it left; all where there are none. The rest becomes a new allocation.
    """

    allocation: Identifier
    order: OrderId
    location: LocationId
    route: Identifier
    dispatched_at: Timestamp
    lines: Annotated[tuple[ShippedLine, ...], Field(max_length=1000)] = ()


class AllocationWithdrawn(LedgerEvent):
    """The dispatcher gave an allocation back before departure: its reservation is released."""

    allocation: Identifier
    order: OrderId
    location: LocationId
    withdrawn_at: Timestamp
