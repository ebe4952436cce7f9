"""Where on the map an address is: found by country, region and city, without asking anybody."""

import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from math import atan2, cos, degrees, hypot, radians, sin

from restock_common.contracts.ledger import Place

_NAME_BYTES = 8
_DECIMALS = 4  # of what is averaged: ten metres, far finer than a city


class Precision(StrEnum):
    """How a position was found, from near to far."""

    COORDINATES = "coordinates"
    CITY = "city"
    REGION = "region"
    COUNTRY = "country"


@dataclass(frozen=True, slots=True)
class City:
    """A city of the map.

    Attributes:
        country: ISO 3166-1, two letters.
        region: Its code within the country.
        names: In every script that is known.
        place: Where it is.
        population: Of several with one name the largest is meant.
    """

    country: str
    region: str
    names: tuple[str, ...]
    place: Place
    population: int


@dataclass(frozen=True, slots=True)
class Found:
    """A position, and how it was found."""

    place: Place
    precision: Precision


class Gazetteer:
    """Finds cities by name, regions and countries by code.

    Half a million names are kept as hashes of eight bytes, in two arrays of some six megabytes; as
    strings in a dictionary they would take fifteen times as much.

    Args:
        cities: The cities of the map.
    """

    def __init__(self, cities: Iterable[City]) -> None:
        by_size = sorted(cities, key=lambda city: (-city.population, city.names))
        self._places = array("d")
        numbers: dict[int, int] = {}
        areas: dict[str, _Centre] = {}
        for number, city in enumerate(by_size):
            self._places.extend((city.place.latitude, city.place.longitude))
            for key in _keys(city):
                numbers.setdefault(key, number)
            for area in (city.country, f"{city.country}-{city.region}"):
                areas.setdefault(area, _Centre()).add(city.place, city.population)
        self._hashes = array("Q", sorted(numbers))
        self._numbers = array("I", (numbers[key] for key in self._hashes))
        self._areas = {area: centre.place() for area, centre in areas.items()}

    def find(self, country: str, region: str = "", city: str = "") -> Found | None:
        """Return where an address is, as near as it can be told; None for an unknown country.

        Args:
            country: ISO 3166-1, two letters.
            region: Its code; told only where the map's codes are those of ISO 3166-2, which are
                the ones in letters (US, GB, CH, BE, ...): numbers mean other regions there.
            city: In any script, with or without accents.
        """
        country, region, name = country.strip().upper(), region.strip().upper(), _plain(city)
        region = region if region.isalpha() else ""
        if name:
            for key in (_hash(country, region, name), _hash(country, "", name)):
                at = bisect_left(self._hashes, key)
                if at < len(self._hashes) and self._hashes[at] == key:
                    return Found(self._place(self._numbers[at]), Precision.CITY)
        if region and (place := self._areas.get(f"{country}-{region}")):
            return Found(place, Precision.REGION)
        if place := self._areas.get(country):
            return Found(place, Precision.COUNTRY)
        return None

    def _place(self, number: int) -> Place:
        latitude, longitude = self._places[2 * number : 2 * number + 2]
        return Place(latitude=latitude, longitude=longitude)


class _Centre:
    """The middle of an area's people, on the sphere, so that no meridian is in the way."""

    def __init__(self) -> None:
        self._x = self._y = self._z = 0.0

    def add(self, place: Place, population: int) -> None:
        latitude, longitude = radians(place.latitude), radians(place.longitude)
        weight = max(population, 1)
        self._x += weight * cos(latitude) * cos(longitude)
        self._y += weight * cos(latitude) * sin(longitude)
        self._z += weight * sin(latitude)

    def place(self) -> Place:
        return Place(
            latitude=round(degrees(atan2(self._z, hypot(self._x, self._y))), _DECIMALS),
            longitude=round(degrees(atan2(self._y, self._x)), _DECIMALS),
        )


def _keys(city: City) -> Iterator[int]:
    for name in {_plain(name) for name in city.names} - {""}:
        yield _hash(city.country, "", name)
        if city.region.isalpha():
            yield _hash(city.country, city.region, name)


def _plain(name: str) -> str:
    """Return the letters and digits of a name, without accents and case."""
    taken_apart = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in taken_apart if letter.isalnum())


def _hash(country: str, region: str, name: str) -> int:
    text = f"{country}\0{region}\0{name}".encode()
    return int.from_bytes(blake2b(text, digest_size=_NAME_BYTES).digest(), "big")
