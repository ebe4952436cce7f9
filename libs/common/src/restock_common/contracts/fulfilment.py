"""restock.fulfilment.v1: what the ledger asks of the warehouse, keyed by location."""

from typing import Annotated, ClassVar

from pydantic import Field

from restock_common.contracts.event import Event
from restock_common.contracts.ledger import AllocatedLine, DeliveryWindow, Place, Shard
from restock_common.contracts.topics import FULFILMENT, Topic
from restock_common.units import Identifier, LocationId, OrderId, Timestamp


class FulfilmentEvent(Event):
    """An event of one location."""

    topic: ClassVar[Topic] = FULFILMENT

    location: LocationId
    allocation: Identifier
    order: OrderId
    shard: Shard
    """Where the answer goes: the shard that owns the reservation."""

    @property
    def key(self) -> str:
        """Return the location."""
        return self.location


class OrderAllocated(FulfilmentEvent):
    """Reserved lines of one order at one location: one parcel to deliver."""

    customer: Identifier
    placed_at: Timestamp
    allocated_at: Timestamp
    destination: Place
    window: DeliveryWindow | None = None
    lines: Annotated[tuple[AllocatedLine, ...], Field(min_length=1)]


class AllocationCancelRequested(FulfilmentEvent):
    """Please give this allocation back; granted until its vehicle has left."""

    requested_at: Timestamp
