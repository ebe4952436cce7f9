"""restock.ledger.v1: everything that moves stock, in one order per shard."""

from typing import Annotated, ClassVar

from pydantic import Field, field_validator, model_validator

from restock_common.contracts.event import Contract, Event
from restock_common.contracts.topics import LEDGER, SHARDS, Topic
from restock_common.units import (
    Identifier,
    Latitude,
    LocationId,
    Longitude,
    OrderId,
    PoolId,
    PositiveUnits,
    Sku,
    Text,
    Timestamp,
    Units,
)

Shard = Annotated[int, Field(ge=0, lt=SHARDS)]


class LedgerEvent(Event):
    """An event of the ledger topic: its partition is its shard, so it has no key."""

    topic: ClassVar[Topic] = LEDGER


class Place(Contract):
    """A point on the map, in degrees (WGS 84)."""

    latitude: Latitude
    longitude: Longitude


class DeliveryWindow(Contract):
    """When the customer can take the parcel: earliest <= arrival <= latest."""

    earliest: Timestamp
    latest: Timestamp

    @model_validator(mode="after")
    def _in_order(self) -> "DeliveryWindow":
        if self.latest <= self.earliest:
            raise ValueError(f"latest {self.latest} is not after earliest {self.earliest}")
        return self


class CandidateLocation(Contract):
    """A warehouse that could serve the order, with its distance to the destination in km."""

    location: LocationId
    distance_km: Annotated[float, Field(ge=0)]


class Sourcing(Contract):
    """A pool that could serve the order: its shard, and its warehouses from near to far."""

    pool: PoolId
    shard: Shard
    locations: Annotated[tuple[CandidateLocation, ...], Field(min_length=1)]


class OrderLine(Contract):
    """One line of an order: (order, line) is unique, a sku may stand on several lines."""

    line: Identifier
    sku: Sku
    quantity: PositiveUnits


class OrderPlaced(LedgerEvent):
    """A storefront took an order; `sourcing` is the door's ranking, the home pool first.

    Geography is decided once, at the door, so that the ledger stays a function of its log alone.
    """

    order: OrderId
    customer: Identifier
    placed_at: Timestamp
    destination: Place
    window: DeliveryWindow | None = None
    lines: Annotated[tuple[OrderLine, ...], Field(min_length=1, max_length=1000)]
    sourcing: Annotated[tuple[Sourcing, ...], Field(min_length=1)]

    @field_validator("lines")
    @classmethod
    def _distinct(cls, lines: tuple[OrderLine, ...]) -> tuple[OrderLine, ...]:
        seen: set[str] = set()
        for line in lines:
            if line.line in seen:
                raise ValueError(f"line {line.line!r} stands twice in the order")
            seen.add(line.line)
        return lines


class OrderCancelled(LedgerEvent):
    """The customer or the shop called the whole order off."""

    order: OrderId
    cancelled_at: Timestamp
    reason: Text = ""


class ReceiptLine(Contract):
    """Units of one sku that arrived, and the purchase order line that they were ordered on."""

    sku: Sku
    quantity: PositiveUnits
    order_line: Identifier | None = None


class GoodsReceived(LedgerEvent):
    """A delivery arrived at a warehouse; the same receipt counts once."""

    receipt: Identifier
    location: LocationId
    pool: PoolId
    received_at: Timestamp
    purchase_order: Identifier | None = None
    lines: Annotated[tuple[ReceiptLine, ...], Field(min_length=1, max_length=5000)]


class CountLine(Contract):
    """What a person found on the shelf."""

    sku: Sku
    quantity: Units


class StockCounted(LedgerEvent):
    """Physical truth: the counted quantity replaces on_hand, the difference is posted."""

    count: Identifier
    location: LocationId
    pool: PoolId
    counted_at: Timestamp
    lines: Annotated[tuple[CountLine, ...], Field(min_length=1, max_length=5000)]


class AllocatedLine(Contract):
    """Reserved units of one order line at one location."""

    line: Identifier
    sku: Sku
    quantity: PositiveUnits


class ShipmentDispatched(LedgerEvent):
    """A vehicle left with an allocation on board: reserved units leave on_hand."""

    allocation: Identifier
    order: OrderId
    location: LocationId
    route: Identifier
    dispatched_at: Timestamp


class AllocationWithdrawn(LedgerEvent):
    """The dispatcher gave an allocation back before departure: its reservation is released."""

    allocation: Identifier
    order: OrderId
    location: LocationId
    withdrawn_at: Timestamp


class LineOffered(LedgerEvent):
    """A home pool offers a line that it cannot serve to the next pool by rank, once.

    Offers are answered when time next advances, in order of (placed_at, offer), after the
    target's own orders: so the answer does not depend on how two shards' logs interleave.
    """

    offer: Identifier
    order: OrderId
    line: OrderLine
    customer: Identifier
    placed_at: Timestamp
    destination: Place
    window: DeliveryWindow | None = None
    home_shard: Shard
    home_pool: PoolId
    sourcing: Sourcing


class LineAccepted(LedgerEvent):
    """The target pool reserved the offered line, all of it, at one location."""

    offer: Identifier
    order: OrderId
    line: Identifier
    pool: PoolId
    location: LocationId


class LineRefused(LedgerEvent):
    """The target pool cannot serve the offered line: home asks the next, or backorders it."""

    offer: Identifier
    order: OrderId
    line: Identifier
    pool: PoolId


class LineWithdrawn(LedgerEvent):
    """Home takes an offer back (the order was cancelled); the target remembers it for ever."""

    offer: Identifier
    order: OrderId
    line: Identifier
    pool: PoolId


class TimeAdvanced(LedgerEvent):
    """Everything before `until` has been sent on this partition: time is in the log.

    Published on every ledger partition by the clock, and passed on by each shard to every
    partition of its output topics, whose readers take the minimum over their sources.
    """

    until: Timestamp
