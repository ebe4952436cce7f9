"""The catalogue is a fold over its topic: the last record of an id is its state."""

import pytest
from tests.unit.restock_common.memory import NINE

from restock_common.contracts import Event
from restock_common.contracts.catalogue import Catalogue, Location, Pool, Product, Supplier, Vehicle
from restock_common.contracts.ledger import Place, TimeAdvanced

PLACE = Place(latitude=1, longitude=2)


def test_the_last_record_of_an_id_wins() -> None:
    catalogue = Catalogue.of(
        [
            Product(sku="a", supplier="s", pack_size=6),
            Product(sku="b", supplier="s"),
            Product(sku="a", supplier="t", pack_size=12),
        ]
    )
    assert set(catalogue.products) == {"a", "b"}
    assert (catalogue.products["a"].supplier, catalogue.products["a"].pack_size) == ("t", 12)


def test_kinds_with_one_id_stand_side_by_side() -> None:
    records: list[Event] = [
        Product(sku="x", supplier="s"),
        Supplier(supplier="x"),
        Location(location="x", pool="p", place=PLACE),
        Pool(pool="x", shard=0),
        Vehicle(vehicle="x", location="x", capacity_grams=1),
    ]
    catalogue = Catalogue.of(records)
    assert [
        catalogue.products["x"],
        catalogue.suppliers["x"],
        catalogue.locations["x"],
        catalogue.pools["x"],
        catalogue.vehicles["x"],
    ] == records


def test_other_events_are_passed_over() -> None:
    assert Catalogue.of([TimeAdvanced(until=NINE)]) == Catalogue()


@pytest.mark.parametrize("shard", [-1, 4])
def test_a_pool_lies_on_a_shard_that_exists(shard: int) -> None:
    with pytest.raises(ValueError, match="shard"):
        Pool(pool="p", shard=shard)
