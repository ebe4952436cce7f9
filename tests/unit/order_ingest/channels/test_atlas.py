"""The real map: what shops write is found on it."""

import pytest

from order_ingest.domain.places import Gazetteer, Precision
from order_ingest.domain.sourcing import distance_km
from order_ingest.handlers import Atlas
from restock_common.contracts.ledger import Place


@pytest.fixture(scope="module")
async def gazetteer() -> Gazetteer:
    atlas = Atlas()
    read = await atlas.gazetteer()
    assert await atlas.gazetteer() is read, "it is read once"
    return read


@pytest.mark.parametrize(
    ("country", "region", "city", "latitude", "longitude"),
    [
        ("US", "IL", "Springfield", 39.80, -89.64),
        ("US", "MO", "springfield", 37.22, -93.29),
        ("DE", "DE-BY", "MÜNCHEN", 48.14, 11.58),
        ("DE", "", "Koln", 50.93, 6.95),
        ("JP", "JP-13", "東京", 35.69, 139.69),
        ("RU", "", "Санкт-Петербург", 59.94, 30.31),
        ("BR", "SP", "São Paulo", -23.55, -46.64),
    ],
)
async def test_a_city_is_found_in_any_script(
    gazetteer: Gazetteer, country: str, region: str, city: str, latitude: float, longitude: float
) -> None:
    found = gazetteer.find(country, region, city)
    assert found is not None
    assert found.precision is Precision.CITY
    assert distance_km(found.place, Place(latitude=latitude, longitude=longitude)) < 10


@pytest.mark.parametrize(
    ("country", "region", "precision", "latitude", "longitude", "within_km"),
    [
        ("US", "IL", Precision.REGION, 41.5, -88.3, 100),
        ("DE", "", Precision.COUNTRY, 51.2, 9.4, 100),
        ("FJ", "", Precision.COUNTRY, -18.0, 178.3, 100),
    ],
)
async def test_where_the_city_is_not_known_the_middle_of_the_people_counts(
    gazetteer: Gazetteer,
    country: str,
    region: str,
    precision: Precision,
    latitude: float,
    longitude: float,
    within_km: float,
) -> None:
    found = gazetteer.find(country, region, "No Such Town")
    assert found is not None
    assert found.precision is precision
    assert distance_km(found.place, Place(latitude=latitude, longitude=longitude)) < within_km
