"""What is planned is known at once and counts from its day on."""

from datetime import date

import pytest

from restock_common.contracts.catalogue import (
    Catalogue,
    Product,
    SeriesValue,
    SupplierTerms,
    barcode_of,
)
from restock_common.contracts.promotions import Price, Promotion

BEFORE, DAY, AFTER = date(2026, 11, 30), date(2026, 12, 1), date(2027, 1, 1)


def product(since: date | None = None, cost: float = 1.0, **changes: object) -> Product:
    told = {"sku": "tea", "supplier": "acme", "unit_cost": cost, "effective_from": since}
    return Product.model_validate({**told, **changes})


def test_a_version_counts_from_its_day_on() -> None:
    catalogue = Catalogue.of([product(), product(DAY, 2), product(AFTER, 3)], as_of=BEFORE)
    assert catalogue.products["tea"].unit_cost == 1
    assert [one.unit_cost for one in catalogue.versions(Product, "tea")] == [1, 2, 3]
    catalogue.advance(DAY)
    assert catalogue.products["tea"].unit_cost == 2
    catalogue.advance(date(2028, 1, 1))
    assert (catalogue.products["tea"].unit_cost, catalogue.planned) == (3, {})


def test_all_orders_of_reading_and_advancing_lead_to_the_same() -> None:
    records = [product(AFTER, 3), product(DAY, 2), product()]
    read_late = Catalogue.of(records, as_of=DAY)
    read_early = Catalogue.of(reversed(records), as_of=BEFORE)
    read_early.advance(DAY)
    read_early.advance(BEFORE)
    assert read_late.products == read_early.products
    assert read_late.planned == read_early.planned


def test_a_plan_is_replaced_by_its_day() -> None:
    catalogue = Catalogue.of([product(DAY, 2), product(DAY, 5)])
    assert "tea" not in catalogue.products
    assert catalogue.knows(Product, "tea")
    catalogue.advance(DAY)
    assert catalogue.products["tea"].unit_cost == 5


def test_versions_do_not_overwrite_each_other_on_the_topic() -> None:
    entities = [
        product(),
        product(DAY),
        product(sku="tea@2026-12-01"),
        SupplierTerms(terms="tea", supplier="acme"),
        SeriesValue(series="tea", day=DAY, value=1),
        SeriesValue(series="tea", day=AFTER, value=1),
        Promotion(promotion="p", sku="a", starts_on=DAY, ends_on=DAY),
        Promotion(promotion="p", sku="b", starts_on=DAY, ends_on=DAY),
        Price(sku="a", effective_from=DAY, price=1),
        Price(sku="a", location="n1", effective_from=DAY, price=1),
    ]
    assert len({one.key for one in entities}) == len(entities)
    assert {one.partition_key for one in entities} == {None, "a", "b"}


def test_series_are_read_by_name_and_day() -> None:
    values = [SeriesValue(series="rain", day=day, value=n) for n, day in enumerate((DAY, AFTER))]
    assert Catalogue.of(values).series == {"rain": {DAY: 0.0, AFTER: 1.0}}


@pytest.mark.parametrize("read", ["036000291452", "0036000291452", "00036000291452"])
def test_a_gtin_is_found_in_whichever_length_it_was_read(read: str) -> None:
    catalogue = Catalogue.of([product(barcodes=("036000291452", "SHELF-7"))])
    assert catalogue.skus_by_barcode[barcode_of(read)] == "tea"
    catalogue.apply(product(barcodes=("SHELF-7",)))
    assert catalogue.skus_by_barcode == {"SHELF-7": "tea"}


def test_plans_that_contradict_themselves() -> None:
    with pytest.raises(ValueError, match="is before starts_on"):
        Promotion(promotion="p", sku="a", starts_on=AFTER, ends_on=DAY)
    breaks = [{"from_units": 10, "unit_cost": 1}, {"from_units": 10, "unit_cost": 2}]
    with pytest.raises(ValueError, match="do not ascend"):
        SupplierTerms.model_validate({"terms": "t", "supplier": "s", "price_breaks": breaks})
