"""Which pool an order belongs to, and who else could serve it: geography, decided at the door."""

from math import asin, cos, radians, sin, sqrt

from pydantic import TypeAdapter

from restock_common.contracts.catalogue import Catalogue
from restock_common.contracts.ledger import Place, Sourcing

EARTH_RADIUS_KM = 6371.0088  # the mean radius of the IUGG

_RANKED = TypeAdapter(tuple[Sourcing, ...])
_DECIMALS = 3  # metres: no ranking hangs on the last bit of a sine


def distance_km(one: Place, other: Place) -> float:
    """Return the great-circle distance between two places, in km, to the metre.

    Source: Sinnott, Virtues of the Haversine, Sky and Telescope 68 (1984).
    """
    latitude, other_latitude = radians(one.latitude), radians(other.latitude)
    rise = sin((other_latitude - latitude) / 2) ** 2
    turn = sin(radians(other.longitude - one.longitude) / 2) ** 2
    chord = rise + cos(latitude) * cos(other_latitude) * turn
    return round(2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord))), _DECIMALS)


def rank_pools(catalogue: Catalogue, destination: Place) -> tuple[Sourcing, ...]:
    """Return every pool that has a warehouse, the nearest first, each with its own, near to far.

    A pool is as near as its nearest warehouse. Equal distances are ranked by id, so that the
    answer depends on nothing but the catalogue's content. Empty while no pool has a warehouse.
    """
    candidates: dict[str, list[tuple[float, str]]] = {}
    for location in catalogue.locations.values():
        if location.pool in catalogue.pools:
            distance = distance_km(location.place, destination)
            candidates.setdefault(location.pool, []).append((distance, location.location))
    ranked = sorted((min(near)[0], pool) for pool, near in candidates.items())
    return _RANKED.validate_python(
        [
            {
                "pool": pool,
                "shard": catalogue.pools[pool].shard,
                "locations": [
                    {"location": name, "distance_km": distance}
                    for distance, name in sorted(candidates[pool])
                ],
            }
            for _, pool in ranked
        ]
    )
