"""restock.forecasts.v1: the distribution of demand to come, keyed by sku."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from restock_common.contracts.event import Contract, Event
from restock_common.contracts.topics import FORECASTS, Topic
from restock_common.units import Identifier, LocationId, Sku, Timestamp


class HorizonForecast(Contract):
    """Total demand over the next `days`: mean in units, variance = mean + mean^2 / size.

    `size` is the negative binomial's r > 0; the larger, the nearer to a Poisson.
    """

    days: Annotated[int, Field(gt=0)]
    mean: Annotated[float, Field(ge=0)]
    size: Annotated[float, Field(gt=0)]


class FeatureShare(Contract):
    """What a part of what is known adds to a forecast: units of the mean over the next 14 days."""

    feature: str
    units: float


class DemandForecast(Event):
    """What will be asked for at one location, as a distribution on a grid of horizons.

    Attributes:
        sku: Of what.
        location: Where.
        family: Of the distributions.
        model: Which learner foretold it.
        learned_until: Days before it have been learned.
        horizons: Ascending; coherent across them: mean and variance ascend as well.
        learned_days: From the first demand on.
        last_demand_on: The last day (UTC) with demand that was learned.
        explanation: What the mean is made of, the largest shares; the rest is left out.
        override: The planner's override that it takes in; None where it is the model's alone.
    """

    topic: ClassVar[Topic] = FORECASTS

    sku: Sku
    location: LocationId
    family: Literal["negative_binomial"] = "negative_binomial"
    model: str
    learned_until: Timestamp
    horizons: Annotated[tuple[HorizonForecast, ...], Field(min_length=1)]
    learned_days: Annotated[int, Field(ge=0)] | None = None
    last_demand_on: date | None = None
    explanation: tuple[FeatureShare, ...] = ()
    override: Identifier | None = None

    @field_validator("horizons")
    @classmethod
    def _ascending(cls, horizons: tuple[HorizonForecast, ...]) -> tuple[HorizonForecast, ...]:
        days = [horizon.days for horizon in horizons]
        if days != sorted(set(days)):
            raise ValueError(f"horizons {days} do not ascend")
        return horizons

    @property
    def key(self) -> str:
        """Return the sku."""
        return self.sku
