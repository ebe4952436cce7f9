"""Distances on the map."""

from math import asin, cos, radians, sin, sqrt

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
