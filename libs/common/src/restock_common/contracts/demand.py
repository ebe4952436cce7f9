"""restock.demand.v1: what customers asked for, by sku, and what else forecasts follow from."""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from restock_common.contracts.catalogue import SeriesValue
from restock_common.contracts.catalogue.entities import Country, Weekdays
from restock_common.contracts.event import Contract, Event
from restock_common.contracts.promotions import Price, Promotion
from restock_common.contracts.topics import DEMAND, Topic
from restock_common.units import (
    Identifier,
    LocationId,
    OrderId,
    PoolId,
    PositiveUnits,
    Sku,
    Text,
    Timestamp,
)

OVERRIDE_DAYS_MAX = 112
"""As far as forecasts reach."""


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


class ProductNote(Contract):
    """What of a product matters to its demand; `effective_from` as on `Product`."""

    sku: Sku
    category: Text = ""
    unit_price: Annotated[float, Field(ge=0)] | None = None
    effective_from: date | None = None


class SiteNote(Contract):
    """What of a location matters to demand there; `effective_from` as on `Location`."""

    location: LocationId
    country: Country | None = None
    closed_weekdays: Weekdays = ()
    effective_from: date | None = None


class FactsNoted(Event):
    """What catalogue and promotions had become, written where the demand is that it matters to.

    So what is learned follows from one log, whatever had been read of other topics by then.

    Attributes:
        partition: Of this topic, whose skus these are; sites and series matter to all.
        complete: All that was there before had been noted with it.
    """

    topic: ClassVar[Topic] = DEMAND

    partition: Annotated[int, Field(ge=0)]
    products: tuple[ProductNote, ...] = ()
    sites: tuple[SiteNote, ...] = ()
    series: tuple[SeriesValue, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    prices: tuple[Price, ...] = ()
    complete: bool = False

    @property
    def key(self) -> str:
        """Return the partition."""
        return str(self.partition)


class ForecastOverridden(Event):
    """A planner set what is expected of a sku at a location, in place of the model, for a period.

    Attributes:
        override: Its id; told again, it replaces what it was.
        first_day: On which it counts first.
        last_day: And last.
        units_per_day: What each day brings; or else
        factor: what the model's mean is multiplied by.
        by: Who.
        reason: Why.
        at: When.
    """

    topic: ClassVar[Topic] = DEMAND

    override: Identifier
    sku: Sku
    location: LocationId
    first_day: date
    last_day: date
    units_per_day: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    factor: Annotated[float, Field(ge=0, le=1_000)] | None = None
    by: Identifier
    reason: Text
    at: Timestamp

    @property
    def key(self) -> str:
        """Return the sku."""
        return self.sku

    @model_validator(mode="after")
    def _one_of_both(self) -> "ForecastOverridden":
        if (self.units_per_day is None) == (self.factor is None):
            raise ValueError("either units_per_day or factor is told")
        if not 0 <= (self.last_day - self.first_day).days < OVERRIDE_DAYS_MAX:
            raise ValueError(f"last_day is within {OVERRIDE_DAYS_MAX} days of first_day")
        return self


class OverrideWithdrawn(Event):
    """A planner ended an override before its time."""

    topic: ClassVar[Topic] = DEMAND

    override: Identifier
    sku: Sku
    location: LocationId
    by: Identifier
    reason: Text = ""
    at: Timestamp

    @property
    def key(self) -> str:
        """Return the sku."""
        return self.sku
