"""What holds for every wave."""

from dataclasses import dataclass
from datetime import timedelta

MICRO = 1_000_000
"""Cost units in one unit of currency."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every wave.

    Attributes:
        cut_off_hour: A wave closes each day at this hour, UTC.
        wave_size_max: A wave that has so many shipments closes at once.
        urgent: Shipments that cannot wait for the next regular wave gather for so long.
        loading: A vehicle is loaded for so long: what leaves sooner is not planned anew.
        attempts_max: What could not be delivered so often is brought back for good.
        retell: A route that is so much later, or less late, than was told is told again.
        service_s: How long a stop takes.
        road_factor: Length of the road over length of the great circle.
        driver_cost_per_hour: In micro-units.
        drop_penalty: Cost of leaving out a parcel that has missed no wave yet, in micro-units.
        stability_cost: Of a stop that changes its vehicle when a day is planned anew.
        dial: From 0, the cheapest plan, to 1, the fastest.
    """

    cut_off_hour: int = 0
    wave_size_max: int = 5000
    urgent: timedelta = timedelta(minutes=5)
    loading: timedelta = timedelta(minutes=30)
    attempts_max: int = 3
    retell: timedelta = timedelta(minutes=30)
    service_s: int = 240
    road_factor: float = 1.3
    driver_cost_per_hour: int = 25 * MICRO
    drop_penalty: int = 1_000 * MICRO
    stability_cost: int = 2 * MICRO
    dial: float = 0.0
