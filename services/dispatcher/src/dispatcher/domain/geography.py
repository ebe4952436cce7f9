"""Distances on the map."""

from collections.abc import Sequence
from math import asin, cos, radians, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from restock_common.contracts.ledger import Place

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius (IUGG)."""


def road_metres(origin: Place, destination: Place, road_factor: float) -> int:
    """Return the length of the road: the great circle (haversine) times a factor, whole metres."""
    phi_1, phi_2 = radians(origin.latitude), radians(destination.latitude)
    half_phi = (phi_2 - phi_1) / 2
    half_lambda = radians(destination.longitude - origin.longitude) / 2
    chord = sin(half_phi) ** 2 + cos(phi_1) * cos(phi_2) * sin(half_lambda) ** 2
    return round(2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(chord))) * road_factor)


def road_matrix(places: Sequence[Place], road_factor: float) -> NDArray[np.int64]:
    """Return `road_metres` between all places: (n, n) whole metres, zero on the diagonal."""
    phi = np.radians([place.latitude for place in places])
    lam = np.radians([place.longitude for place in places])
    chord = (
        np.sin((phi[:, None] - phi[None, :]) / 2) ** 2
        + np.cos(phi)[:, None]
        * np.cos(phi)[None, :]
        * np.sin((lam[:, None] - lam[None, :]) / 2) ** 2
    )
    arcs = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(1.0, np.sqrt(chord)))
    metres: NDArray[np.int64] = np.rint(arcs * road_factor).astype(np.int64)
    return metres
