"""Who brings parcels: own vehicles, and parcel carriers at their prices."""

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from restock_common.contracts.catalogue.entities import DatedEntity, Skills
from restock_common.contracts.event import Contract
from restock_common.units import Identifier, LocationId

Hour = Annotated[float, Field(ge=0, lt=24)]
Speed = Annotated[float, Field(gt=0, le=130)]
Grams = Annotated[int, Field(gt=0)]
Price = Annotated[float, Field(ge=0, le=1_000_000)]

_HOURS = 24


class DriverBreak(Contract):
    """A break that a driver must take, begun between two hours of the day (UTC)."""

    earliest_hour: Hour
    latest_hour: Hour
    minutes: Annotated[int, Field(gt=0, le=240)] = 30

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "DriverBreak":
        if self.latest_hour < self.earliest_hour:
            raise ValueError(f"latest_hour {self.latest_hour} is before {self.earliest_hour}")
        return self


class Vehicle(DatedEntity):
    """A vehicle with its home warehouse, its limits and its costs.

    Attributes:
        capacity_grams: What it can carry, in weight.
        capacity_cubic_cm: In volume; unbounded where it is not told.
        capacity_parcels: In parcels; likewise.
        speed_kmh: Of the day, where `speed_kmh_by_hour` is not told.
        speed_kmh_by_hour: For each hour of the day (UTC), for traffic.
        shift_start_hour: From when on it drives (UTC).
        shift_hours: For how long.
        driver_break: The break in it.
        route_hours_max: The longest route in time, where it is shorter than the shift.
        route_km_max: The longest route in length, such as an electric van's.
        cost_per_km: Of driving.
        cost_per_hour: From leaving to returning; the dispatcher's own figure where it is not told.
        fixed_cost: Of using it on a day at all.
        skills: What it has, such as `cold` or `tail-lift`.
    """

    id_field: ClassVar[str] = "vehicle"

    vehicle: Identifier
    location: LocationId
    capacity_grams: Grams
    capacity_cubic_cm: Annotated[int, Field(gt=0)] | None = None
    capacity_parcels: Annotated[int, Field(gt=0)] | None = None
    speed_kmh: Speed = 35.0
    speed_kmh_by_hour: Annotated[tuple[Speed, ...], Field(max_length=_HOURS)] = ()
    shift_start_hour: Hour = 8.0
    shift_hours: Annotated[float, Field(gt=0, le=16)] = 9.0
    driver_break: DriverBreak | None = None
    route_hours_max: Annotated[float, Field(gt=0, le=16)] | None = None
    route_km_max: Annotated[float, Field(gt=0, le=10_000)] | None = None
    cost_per_km: Annotated[float, Field(ge=0)] = 0.4
    cost_per_hour: Price | None = None
    fixed_cost: Annotated[float, Field(ge=0)] = 30.0
    skills: Skills = ()

    @model_validator(mode="after")
    def _every_hour_has_a_speed(self) -> "Vehicle":
        told = len(self.speed_kmh_by_hour)
        if told not in (0, _HOURS):
            raise ValueError(f"speed_kmh_by_hour has {told} speeds, not {_HOURS}")
        return self


class Carrier(DatedEntity):
    """A parcel carrier: what it asks for a parcel, and what it takes.

    Attributes:
        location: The warehouse that it collects from; each where it is not told.
        price: Of a parcel, whatever it weighs.
        price_per_kg: Beside that.
        collection_hour: When it collects (UTC), on the day of the plan.
        transit_days: From then to the customer.
        weight_grams_max: Of the heaviest parcel that it takes.
        skills: What it has, such as `cold`.
    """

    id_field: ClassVar[str] = "carrier"

    carrier: Identifier
    location: LocationId | None = None
    price: Price
    price_per_kg: Price = 0.0
    collection_hour: Hour = 17.0
    transit_days: Annotated[int, Field(ge=1, le=30)] = 1
    weight_grams_max: Grams = 31_500
    skills: Skills = ()
