"""What the ledger is told of what exists."""

from tests.unit.order_ingest.sample import CHICAGO

from order_ingest.domain.assortment import MAX_LISTED, listings
from restock_common.contracts.catalogue import Location, Pool, Product, Supplier, Vehicle
from restock_common.contracts.ledger import AssortmentListed, Component, ListedLocation
from restock_common.contracts.topics import LEDGER


def products(*skus: str) -> list[Product]:
    return [Product(sku=sku, supplier="acme") for sku in skus]


def test_products_and_locations_are_listed_and_nothing_else() -> None:
    assert list(listings(products("a", "b"))) == [AssortmentListed(skus=("a", "b"))]
    assert list(listings([Location(location="l", pool="p", place=CHICAGO)])) == [
        AssortmentListed(locations=(ListedLocation(location="l", pool="p"),))
    ]
    kit = Product(sku="k", supplier="acme", components=(Component(sku="a", quantity=2),))
    assert list(listings([kit])) == []
    others = [
        Pool(pool="p", shard=0),
        Supplier(supplier="s"),
        Vehicle(vehicle="v", location="l", capacity_grams=1),
    ]
    assert list(listings(others)) == []


def test_a_message_lists_so_many_and_no_more() -> None:
    names = [str(n) for n in range(2 * MAX_LISTED + 1)]
    told = list(listings(products(*names)))
    assert [len(one.skus) for one in told] == [MAX_LISTED, MAX_LISTED, 1]
    assert [sku for one in told for sku in one.skus] == names


def test_a_message_of_the_longest_names_fits_in_a_record() -> None:
    names = [f"{n:04}" + "\U0001f375" * 124 for n in range(MAX_LISTED)]
    told = list(listings(products(*names)))
    assert [sku for one in told for sku in one.skus] == names
    assert len(told) == 3
    for one in told:
        assert len(one.model_dump_json().encode()) < LEDGER.max_message_bytes / 2
