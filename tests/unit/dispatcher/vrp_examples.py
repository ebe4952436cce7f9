"""Small routing problems for the tests."""

from dataclasses import replace
from random import Random

from dispatcher.domain.vrp.plan import Budget
from dispatcher.domain.vrp.problem import (
    Break,
    Point,
    Prices,
    Problem,
    Shipment,
    Size,
    Vehicle,
    Warehouse,
)
from dispatcher.domain.vrp.travel import RoadFactor

HOUR = 3600
EURO = 1_000_000
HOME = Warehouse("north", Point(47.60, -122.33))
SOUTH = Warehouse("south", Point(47.40, -122.25))

VAN = Vehicle(
    "van",
    "north",
    Size(800_000, 6_000_000, 100),
    7 * HOUR,
    17 * HOUR,
    (35_000,),
    EURO // 2,
    25 * EURO,
    30 * EURO,
)
TRUCK = replace(
    VAN, vehicle="truck", capacity=Size(3_000_000, 20_000_000, 300), skills=frozenset({"cold"})
)
PARCEL = Shipment(
    "parcel", Point(47.62, -122.30), Size(10_000, 30_000), 8 * HOUR, 16 * HOUR, 240, 200 * EURO
)


def shipments(count: int, seed: int = 1) -> tuple[Shipment, ...]:
    """Return parcels around both warehouses, a third of them in narrow windows."""
    dice = Random(seed)
    found = []
    for number in range(count):
        begins = dice.randrange(8, 14) * HOUR
        narrow = number % 3 == 0
        found.append(
            replace(
                PARCEL,
                shipment=f"s{number}",
                destination=Point(dice.uniform(47.35, 47.65), dice.uniform(-122.45, -122.15)),
                size=Size(dice.randrange(2_000, 60_000), dice.randrange(5_000, 200_000)),
                earliest_s=begins if narrow else 8 * HOUR,
                latest_s=begins + 2 * HOUR if narrow else 16 * HOUR,
                skills=frozenset({"cold"}) if number % 10 == 9 else frozenset(),
                promised_s=13 * HOUR if number % 5 == 0 else None,
                priority=number % 2,
            )
        )
    return tuple(found)


def town(count: int = 40, seed: int = 1) -> Problem:
    """Return two warehouses, a mixed fleet with breaks, and parcels for it."""
    lunch = Break(11 * HOUR, 13 * HOUR, 30 * 60)
    fleet = (
        replace(VAN, vehicle="van-1", pause=lunch),
        replace(VAN, vehicle="van-2", route_metres_max=120_000),
        replace(TRUCK, vehicle="truck-1", warehouse="south", route_s_max=6 * HOUR),
        replace(TRUCK, vehicle="truck-2"),
    )
    return Problem((HOME, SOUTH), fleet, shipments(count, seed), RoadFactor(1.3), Prices())


def work(iterations: int = 300) -> Budget:
    """Return a budget of work, and not of time: the same plan on any machine."""
    return Budget(60.0, lambda: 0.0, iterations)
