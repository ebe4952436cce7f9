"""restock.demand.v1: what customers asked for, keyed by sku."""

from typing import ClassVar

from restock_common.contracts.event import Event
from restock_common.contracts.topics import DEMAND, Topic
from restock_common.units import (
    Identifier,
    LocationId,
    OrderId,
    PoolId,
    PositiveUnits,
    Sku,
    Timestamp,
)


class DemandObserved(Event):
    """Units asked for, served or not; observed once, by the home shard, at the nearest location."""

    topic: ClassVar[Topic] = DEMAND

    sku: Sku
    location: LocationId
    pool: PoolId
    order: OrderId
    line: Identifier
    quantity: PositiveUnits
    occurred_at: Timestamp

    @property
    def key(self) -> str:
        """Return the sku."""
        return self.sku


class Stockout(Event):
    """A change in whether anything of a sku can be promised at a location."""

    topic: ClassVar[Topic] = DEMAND

    sku: Sku
    location: LocationId
    pool: PoolId
    at: Timestamp

    @property
    def key(self) -> str:
        """Return the sku."""
        return self.sku


class StockoutStarted(Stockout):
    """Nothing of it can be promised there from now on."""


class StockoutEnded(Stockout):
    """Something of it can be promised there again."""
