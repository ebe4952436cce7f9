"""What every message to the ledger is made of."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator

from restock_common.contracts.event import Contract, Event
from restock_common.contracts.topics import LEDGER, SHARDS, Topic
from restock_common.units import (
    MAX_UNITS_PER_LINE,
    Identifier,
    Latitude,
    LocationId,
    Longitude,
    PoolId,
    PositiveUnits,
    Sku,
    Timestamp,
)

Shard = Annotated[int, Field(ge=0, lt=SHARDS)]


class LedgerEvent(Event):
    """An event of the ledger topic: its partition is its shard, so it has no key."""

    topic: ClassVar[Topic] = LEDGER


class Condition(StrEnum):
    """What units on a shelf are good for."""

    SELLABLE = "sellable"
    DAMAGED = "damaged"
    QUALITY_HOLD = "quality_hold"


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


class Component(Contract):
    """Units of a sku that one kit takes."""

    sku: Sku
    quantity: PositiveUnits


def _distinct_components(components: tuple[Component, ...]) -> tuple[Component, ...]:
    skus = [one.sku for one in components]
    for sku in skus:
        if skus.count(sku) > 1:
            raise ValueError(f"component {sku!r} stands twice")
    return components


Components = Annotated[
    tuple[Component, ...], Field(max_length=50), AfterValidator(_distinct_components)
]
"""What one kit is made of: no sku twice; nothing where it is no kit."""


class OrderLine(Contract):
    """One line of an order: (order, line) is unique, a sku may stand on several lines.

    Attributes:
        line: Its name within the order.
        sku: What was asked for; a kit where it has components.
        quantity: Units, or kits.
        components: What one kit is made of; reserved together, at one location.
        preorder: What is not there is promised from expected receipts, never asked of other pools.
        split: Whether several locations may serve it together.
    """

    line: Identifier
    sku: Sku
    quantity: PositiveUnits
    components: Components = ()
    preorder: bool = False
    split: bool = True

    @model_validator(mode="after")
    def _can_be_told(self) -> "OrderLine":
        for one in self.components:
            if one.quantity * self.quantity > MAX_UNITS_PER_LINE:
                raise ValueError(
                    f"{self.quantity} kits of {one.quantity} {one.sku!r} are more than"
                    f" {MAX_UNITS_PER_LINE} units"
                )
        return self


def distinct_lines(lines: tuple[OrderLine, ...]) -> tuple[OrderLine, ...]:
    """Return the lines. Raises ValueError where two have one name."""
    seen: set[str] = set()
    for line in lines:
        if line.line in seen:
            raise ValueError(f"line {line.line!r} stands twice in the order")
        seen.add(line.line)
    return lines


class Ranked(Contract):
    """What an order's priority is told from, where it has to wait for stock.

    Attributes:
        channel: Where it was sold, such as `amazon`; channel buffers keep stock from it.
        customer_tier: Such as `gold`.
        promised_by: When the customer was told to have it.
        value: What the order is worth, in the currency that the weights are meant for.
    """

    channel: Identifier | None = None
    customer_tier: Identifier | None = None
    promised_by: Timestamp | None = None
    value: Annotated[float, Field(ge=0)] | None = None
