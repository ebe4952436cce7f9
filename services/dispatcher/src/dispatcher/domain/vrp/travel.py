"""Travel matrices from coordinates, or as they were given."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from dispatcher.domain.geography import EARTH_RADIUS_M
from dispatcher.domain.vrp.problem import IntArray, Matrices, Point, Profile

_HOUR_S = 3600
LATITUDE_MAX = 90


def mean_metres_per_hour(profile: Profile) -> float:
    """Return a profile's mean speed over its shift: hours count by how much of them it has."""
    speeds = profile.metres_per_hour
    if len(speeds) == 1:
        return float(speeds[0])
    total = 0.0
    first, last = profile.start_s, max(profile.end_s, profile.start_s + 1)
    for hour in range(first // _HOUR_S, -(-last // _HOUR_S)):
        part = min(last, (hour + 1) * _HOUR_S) - max(first, hour * _HOUR_S)
        total += speeds[hour % len(speeds)] * part
    return total / (last - first)


@dataclass(frozen=True, slots=True)
class RoadFactor:
    """Great circles times a road factor, at the mean speed of the vehicle's own hours.

    A speed that follows the clock within one route is not modelled: what a route costs would
    depend on when it leaves, and no part of it could be reckoned apart.

    Attributes:
        road_factor: Length of the road over length of the great circle.
    """

    road_factor: float = 1.3

    def matrices(self, places: Sequence[Point], profiles: Sequence[Profile]) -> Matrices:
        """Return haversine lengths and the times to drive them, rounded up."""
        metres = great_circles(places, self.road_factor)
        seconds = tuple(
            np.ceil(metres * (_HOUR_S / mean_metres_per_hour(profile))).astype(np.int64)
            for profile in profiles
        )
        return Matrices(metres, seconds)


def great_circles(places: Sequence[Point], factor: float) -> IntArray:
    """Return great circles (haversine) times a factor: (n, n) whole metres."""
    phi = np.radians([place.latitude for place in places])
    lam = np.radians([place.longitude for place in places])
    chord = np.sin((phi[:, None] - phi[None, :]) / 2) ** 2
    chord += np.cos(phi)[:, None] * np.cos(phi) * np.sin((lam[:, None] - lam[None, :]) / 2) ** 2
    arcs = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(1.0, np.sqrt(chord)))
    metres: IntArray = np.rint(arcs * factor).astype(np.int64)
    return metres


@dataclass(frozen=True, eq=False)
class Given:
    """Tables that came with the problem, such as a benchmark's.

    Attributes:
        metres: (n, n), warehouses first, then shipments, in the problem's order.
        seconds: (n, n) at a speed of `metres_per_hour`; None where time does not matter.
        places: The node of each place, where not all are asked for.
        metres_per_hour: What the times were made for; other speeds scale them.
    """

    metres: IntArray
    seconds: IntArray | None
    places: tuple[Point, ...]
    metres_per_hour: int = _HOUR_S

    def matrices(self, places: Sequence[Point], profiles: Sequence[Profile]) -> Matrices:
        """Return the tables' rows and columns of these places."""
        known = {id(place): node for node, place in enumerate(self.places)}
        nodes = [known[id(place)] for place in places]
        cut = np.ix_(nodes, nodes)
        metres = self.metres[cut]
        seconds = []
        for profile in profiles:
            if self.seconds is None:
                seconds.append(np.zeros_like(metres))
                continue
            factor = self.metres_per_hour / mean_metres_per_hour(profile)
            seconds.append(
                self.seconds[cut]
                if factor == 1
                else np.ceil(self.seconds[cut] * factor).astype(np.int64)
            )
        return Matrices(metres, tuple(seconds))


def is_place(point: Point) -> bool:
    """Return whether a point is on the map at all."""
    return (
        isfinite(point.latitude)
        and isfinite(point.longitude)
        and abs(point.latitude) <= LATITUDE_MAX
        and abs(point.longitude) <= 2 * LATITUDE_MAX
    )
