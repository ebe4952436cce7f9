"""restock.forecasts.v1: the distribution of demand to come, keyed by sku."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from restock_common.contracts.event import Contract, Event
from restock_common.contracts.topics import FORECASTS, Topic
from restock_common.units import LocationId, Sku, Timestamp


class HorizonForecast(Contract):
    """Total demand over the next `days`: mean in units, variance = mean + mean^2 / size.

    `size` is the negative binomial's r > 0; the larger, the nearer to a Poisson.
    """

    days: Annotated[int, Field(gt=0)]
    mean: Annotated[float, Field(ge=0)]
    size: Annotated[float, Field(gt=0)]


class DemandForecast(Event):
    """What will be asked for at one location, as a distribution on a grid of horizons."""

    topic: ClassVar[Topic] = FORECASTS

    sku: Sku
    location: LocationId
    family: Literal["negative_binomial"] = "negative_binomial"
    model: str
    learned_until: Timestamp
    horizons: Annotated[tuple[HorizonForecast, ...], Field(min_length=1)]

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
