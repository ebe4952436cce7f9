"""Distances and ranks against figures known from elsewhere."""

import pytest
from tests.unit.order_ingest.sample import CHICAGO, HOUSTON, catalogue

from order_ingest.domain.sourcing import EARTH_RADIUS_KM, distance_km, rank_pools
from restock_common.contracts.catalogue import Catalogue, Location, Pool
from restock_common.contracts.ledger import Place


def place(latitude: float, longitude: float) -> Place:
    return Place(latitude=latitude, longitude=longitude)


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [
        (place(36.12, -86.67), place(33.94, -118.40), 2886.448),  # Rosetta Code: BNA to LAX
        (place(0, 0), place(0, 180), EARTH_RADIUS_KM * 3.141592653589793),
        (place(90, 0), place(-90, 77), EARTH_RADIUS_KM * 3.141592653589793),
        (place(0, 179.5), place(0, -179.5), EARTH_RADIUS_KM * 3.141592653589793 / 180),
        (CHICAGO, CHICAGO, 0.0),
    ],
)
def test_distances(one: Place, other: Place, km: float) -> None:
    assert distance_km(one, other) == pytest.approx(km, abs=0.01)


def test_the_nearest_pool_is_home_and_its_warehouses_go_from_near_to_far() -> None:
    north, south = rank_pools(catalogue(), CHICAGO)
    assert (north.pool, north.shard) == ("north", 1)
    assert [one.location for one in north.locations] == ["n1", "n2"]
    assert (south.pool, south.shard) == ("south", 2)
    assert [one.pool for one in rank_pools(catalogue(), HOUSTON)] == ["south", "north"]


def test_a_pool_without_a_warehouse_serves_nobody() -> None:
    assert "empty" not in {one.pool for one in rank_pools(catalogue(), CHICAGO)}
    assert rank_pools(Catalogue.of([Pool(pool="p", shard=0)]), CHICAGO) == ()


def test_a_warehouse_whose_pool_is_not_there_serves_nobody() -> None:
    assert (
        rank_pools(Catalogue.of([Location(location="l", pool="p", place=CHICAGO)]), HOUSTON) == ()
    )


def test_equal_distances_are_ranked_by_id() -> None:
    entities = [
        Pool(pool="b", shard=0),
        Pool(pool="a", shard=1),
        Location(location="2", pool="b", place=CHICAGO),
        Location(location="1", pool="b", place=CHICAGO),
        Location(location="3", pool="a", place=CHICAGO),
    ]
    first, second = rank_pools(Catalogue.of(entities), HOUSTON)
    assert (first.pool, second.pool) == ("a", "b")
    assert [one.location for one in second.locations] == ["1", "2"]
    assert rank_pools(Catalogue.of(reversed(entities)), HOUSTON) == (first, second)
