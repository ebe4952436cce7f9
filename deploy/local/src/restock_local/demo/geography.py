"""Where things stand: three metropolitan areas, two warehouses each, stores and customers."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, cos, pi, radians, sin, sqrt

from restock_common.contracts.catalogue import Location, Pool, Vehicle
from restock_common.contracts.ledger import Place
from restock_local.demo import chance

_EARTH_KM = 6371.0
_KM_PER_DEGREE = 111.195
_STORE_RADIUS_KM = 14.0
_CUSTOMER_RADIUS_KM = 6.0

POOLS: tuple[Pool, ...] = (
    Pool(pool="cincinnati", shard=0, name="Cincinnati"),
    Pool(pool="louisville", shard=1, name="Louisville"),
    Pool(pool="indianapolis", shard=2, name="Indianapolis"),
)
"""140 to 175 km apart: another pool can help out, but rarely within a morning."""

LOCATIONS: tuple[Location, ...] = (
    Location(
        location="cincinnati-north",
        pool="cincinnati",
        name="Sharonville",
        place=Place(latitude=39.268, longitude=-84.413),
    ),
    Location(
        location="cincinnati-south",
        pool="cincinnati",
        name="Florence",
        place=Place(latitude=38.999, longitude=-84.627),
    ),
    Location(
        location="louisville-east",
        pool="louisville",
        name="Jeffersontown",
        place=Place(latitude=38.194, longitude=-85.564),
    ),
    Location(
        location="louisville-north",
        pool="louisville",
        name="Jeffersonville",
        place=Place(latitude=38.345, longitude=-85.702),
    ),
    Location(
        location="indianapolis-east",
        pool="indianapolis",
        name="Lawrence",
        place=Place(latitude=39.839, longitude=-86.025),
    ),
    Location(
        location="indianapolis-west",
        pool="indianapolis",
        name="Plainfield",
        place=Place(latitude=39.704, longitude=-86.399),
    ),
)


def _fleet() -> tuple[Vehicle, ...]:
    vehicles = []
    for location in (each.location for each in LOCATIONS):
        vehicles += [
            Vehicle(
                vehicle=f"{location}-{shift}-{number}",
                location=location,
                capacity_grams=900_000,
                shift_start_hour=start_hour,
                shift_hours=10,
            )
            for shift, start_hour in (("early", 7.5), ("late", 11))
            for number in (1, 2)
        ]
        # What another pool's warehouse sends over the motorway needs faster and longer tours.
        vehicles += [
            Vehicle(
                vehicle=f"{location}-linehaul-{number}",
                location=location,
                capacity_grams=2_500_000,
                speed_kmh=75,
                shift_start_hour=5,
                shift_hours=16,
                cost_per_km=0.6,
                fixed_cost=80,
            )
            for number in (1, 2)
        ]
    return tuple(vehicles)


VEHICLES: tuple[Vehicle, ...] = _fleet()
"""Four vans a warehouse in two shifts, and two for the long way to another pool's customers."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a customer lives, and which warehouse is nearest."""

    place: Place
    location: str
    pool: str


def distance_km(a: Place, b: Place) -> float:
    """Return the great-circle distance of two places, in km (haversine)."""
    half_latitude = radians(b.latitude - a.latitude) / 2
    half_longitude = radians(b.longitude - a.longitude) / 2
    chord = (
        sin(half_latitude) ** 2
        + cos(radians(a.latitude)) * cos(radians(b.latitude)) * sin(half_longitude) ** 2
    )
    return 2 * _EARTH_KM * asin(sqrt(chord))


def store_place(store: int) -> Place:
    """Return where a store stands: always the same, near one of the warehouses."""
    warehouse = LOCATIONS[chance.pick(len(LOCATIONS), "store", store)]
    return _near(warehouse.place, _STORE_RADIUS_KM, "store-place", store)


def home_of(household: int, store: int) -> Home:
    """Return where a household lives: always the same, near the store that it goes to most."""
    place = _near(store_place(store), _CUSTOMER_RADIUS_KM, "household", household)
    nearest = nearest_location(place)
    return Home(place, nearest.location, nearest.pool)


def nearest_location(place: Place, among: Sequence[Location] = LOCATIONS) -> Location:
    """Return the warehouse nearest to a place."""
    return min(among, key=lambda each: (distance_km(each.place, place), each.location))


def _near(centre: Place, radius_km: float, *what: object) -> Place:
    """Return a place within a radius, equally likely anywhere in the circle."""
    distance = radius_km * sqrt(chance.uniform("distance", *what))
    angle = 2 * pi * chance.uniform("angle", *what)
    north = distance * cos(angle) / _KM_PER_DEGREE
    east = distance * sin(angle) / (_KM_PER_DEGREE * cos(radians(centre.latitude)))
    return Place(
        latitude=round(centre.latitude + north, 5), longitude=round(centre.longitude + east, 5)
    )
