"""Problems made by a seed: a realistic dispatch, and 2,000 stops with windows."""

from dataclasses import replace

import numpy as np

from dispatcher.domain.vrp.problem import (
    UNBOUNDED,
    Point,
    Prices,
    Problem,
    Shipment,
    Size,
    Vehicle,
    Warehouse,
)
from dispatcher.domain.vrp.travel import RoadFactor

_HOUR_S = 3600
_MICRO = 1_000_000
_METRE = 1 / 111_195
"""In degrees of latitude; the maps lie at the equator, where longitude is the same."""
_NO_EXTRAS = Prices(late_per_hour=0)
_KINDS = (
    # kilograms, km/h, money per km and hour, fixed, longest route in hours, of each warehouse
    ("van", 900, 38, 0.30, 18.0, 30.0, 9, (5, 4, 4)),
    ("truck", 2600, 32, 0.55, 21.6, 60.0, 10, (3, 2, 2)),
    ("electric", 350, 40, 0.12, 16.2, 20.0, 6, (2, 2, 1)),
)


def _point(metres: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Point:
    return Point(float(metres[1]) * _METRE, float(metres[0]) * _METRE)


def dispatch(seed: int, shipments: int = 320) -> Problem:
    """Return 3 warehouses, 25 vehicles of 3 kinds, orders in 2-hour windows, priorities.

    The law of the prototype `dispatch.py`, on the map: goods lie everywhere, leaving out costs
    40, 90 or 300 by priority.
    """
    dice = np.random.default_rng(seed)
    depots = np.array([[12e3, 14e3], [46e3, 20e3], [28e3, 48e3]])
    towns = dice.uniform(0, 60e3, (10, 2))
    of = dice.integers(0, 10, shipments)
    near = towns[of] + dice.normal(0, 3500, (shipments, 2))
    anywhere = dice.uniform(0, 60e3, (shipments, 2))
    at = np.where(dice.random(shipments)[:, None] < 0.6, near, anywhere).clip(0, 60e3)
    begins = dice.integers(7, 18, shipments) * _HOUR_S + dice.integers(0, 2, shipments) * 1800
    penalty = np.array([40, 90, 300])[dice.choice(3, shipments, p=[0.55, 0.35, 0.10])]
    service = dice.integers(3 * 60, 9 * 60, shipments)
    small, middle = dice.integers(5, 40, shipments), dice.integers(40, 160, shipments)
    large = dice.integers(150, 330, shipments)
    of_two = np.where(dice.random(shipments) < 0.8, middle, large)
    kilograms = np.where(dice.random(shipments) < 0.6, small, of_two)
    vehicles = [
        Vehicle(
            f"{kind}-{home}-{number}",
            f"W{home}",
            Size(kg * 1000, UNBOUNDED, UNBOUNDED),
            6 * _HOUR_S,
            21 * _HOUR_S,
            (kmh * 1000,),
            round(per_km * _MICRO),
            round(per_hour * _MICRO),
            round(fixed * _MICRO),
            longest * _HOUR_S,
        )
        for kind, kg, kmh, per_km, per_hour, fixed, longest, counts in _KINDS
        for home, count in enumerate(counts)
        for number in range(count)
    ]
    return Problem(
        tuple(Warehouse(f"W{i}", _point(depot)) for i, depot in enumerate(depots)),
        tuple(vehicles),
        tuple(
            Shipment(
                f"S{i}",
                _point(at[i]),
                Size(int(kilograms[i]) * 1000),
                int(begins[i]),
                int(begins[i]) + 2 * _HOUR_S,
                int(service[i]),
                int(penalty[i]) * _MICRO,
            )
            for i in range(shipments)
        ),
        RoadFactor(1.3),
        _NO_EXTRAS,
    )


def without_last(problem: Problem, count: int) -> Problem:
    """Return the problem before its last orders came in."""
    return replace(problem, shipments=problem.shipments[:-count])


def windows(seed: int, stops: int = 2000) -> Problem:
    """Return one warehouse, stops in towns and between them, most in 2-hour windows."""
    dice = np.random.default_rng(seed)
    towns = dice.uniform(0, 10_000, (40, 2))
    of = dice.integers(0, 40, stops)
    near = towns[of] + dice.normal(0, 350, (stops, 2))
    at = np.where(dice.random(stops)[:, None] < 0.5, near, dice.uniform(0, 10_000, (stops, 2)))
    horizon_s = 36_000
    begins = dice.integers(0, horizon_s - 9000, stops)
    tight = dice.random(stops) < 0.7
    load = dice.integers(1, 20, stops)
    middle = np.array([5000.0, 5000.0])
    home = np.hypot(*(at - middle).T)
    latest = np.where(tight, begins + 7200, horizon_s)
    latest = np.minimum(latest, horizon_s - home - 400).astype(int)
    earliest = np.where(tight, np.minimum(begins, latest - 1800), 0).clip(0)
    fleet = [
        Vehicle(f"V{i}", "W", Size(220, UNBOUNDED, UNBOUNDED), 0, horizon_s, (3600,), 1000, 0, 0)
        for i in range(150)
    ]
    shipments = [
        Shipment(
            f"S{i}",
            _point(at[i]),
            Size(int(load[i])),
            int(earliest[i]),
            int(latest[i]),
            300,
            10**9,
        )
        for i in range(stops)
    ]
    return Problem(
        (Warehouse("W", _point(middle)),),
        tuple(fleet),
        tuple(shipments),
        RoadFactor(1.0),
        _NO_EXTRAS,
    )


def many(seed: int, warehouses: int = 10, each: int = 1000) -> Problem:
    """Return a day of a chain: each shipment's goods lie at one of the warehouses."""
    homes, vehicles, shipments = [], [], []
    for number in range(warehouses):
        one = windows(seed * 100 + number, each)
        shift = 0.2 * number
        homes.append(Warehouse(f"W{number}", _moved(one.warehouses[0].place, shift)))
        vehicles += [
            replace(vehicle, vehicle=f"W{number}-{vehicle.vehicle}", warehouse=f"W{number}")
            for vehicle in one.vehicles[:80]
        ]
        shipments += [
            replace(
                shipment,
                shipment=f"W{number}-{shipment.shipment}",
                destination=_moved(shipment.destination, shift),
                warehouse=f"W{number}",
            )
            for shipment in one.shipments
        ]
    travel = RoadFactor(1.0)
    return Problem(tuple(homes), tuple(vehicles), tuple(shipments), travel, _NO_EXTRAS)


def _moved(place: Point, degrees: float) -> Point:
    return Point(place.latitude, place.longitude + degrees)
