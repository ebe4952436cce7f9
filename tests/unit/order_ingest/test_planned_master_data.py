"""Master data of several kinds and days, as a whole."""

from datetime import date, timedelta

import pytest
from tests.unit.order_ingest.sample import BREAKFAST, CHICAGO, catalogue

from order_ingest.domain import checks
from order_ingest.domain.findings import Conflict, Refused
from restock_common.contracts.catalogue import (
    CatalogueEntity,
    Location,
    Pool,
    Product,
    Supplier,
    SupplierTerms,
)
from restock_common.contracts.promotions import Price, Promotion

DAY = date(2099, 1, 1)


def test_kinds_written_together_may_refer_to_each_other() -> None:
    entities = [
        Pool(pool="west", shard=0),
        Location(location="w1", pool="west", place=CHICAGO),
        Product(sku="cup", supplier="potter"),
        Supplier(supplier="potter"),
        SupplierTerms(terms="cups", supplier="potter", sku="cup"),
        Promotion(promotion="p", sku="cup", location="w1", starts_on=DAY, ends_on=DAY),
        Price(sku="cup", effective_from=DAY, price=3),
    ]
    checks.check_entities(entities, catalogue())


@pytest.mark.parametrize(
    ("entity", "fields"),
    [
        (Price(sku="cup", location="mars", effective_from=DAY, price=1), {"sku", "location"}),
        (Promotion(promotion="p", sku="cup", starts_on=DAY, ends_on=DAY), {"sku"}),
        (SupplierTerms(terms="t", supplier="nobody", sku="cup"), {"supplier", "sku"}),
    ],
)
def test_plans_for_what_is_not_there(entity: CatalogueEntity, fields: set[str]) -> None:
    with pytest.raises(Refused) as refusal:
        checks.check_entities([entity], catalogue())
    assert {found.field for found in refusal.value.findings} == fields


def test_what_is_planned_can_be_referred_to() -> None:
    known = catalogue()
    known.apply(Product(sku="cup", supplier="acme", effective_from=DAY))
    checks.check_entities([Price(sku="cup", effective_from=DAY, price=1)], known)


def test_a_barcode_is_one_products() -> None:
    known = catalogue()
    known.apply(Product(sku="tea", supplier="acme", barcodes=("036000291452",)))
    taken = Product(sku="milk", supplier="acme", barcodes=("00036000291452",))
    with pytest.raises(Refused, match=r"barcodes\.0: is a barcode of 'tea'"):
        checks.check_entities([taken], known)
    twice = [Product(sku=sku, supplier="acme", barcodes=("X",)) for sku in ("tea", "milk")]
    with pytest.raises(Refused, match="is a barcode of 'tea'"):
        checks.check_entities(twice, catalogue())


def test_a_supplier_has_one_set_of_terms_for_a_sku() -> None:
    known = catalogue()
    first = SupplierTerms(terms="first", supplier="acme", sku="tea")
    known.apply(first)
    checks.check_entities([first, SupplierTerms(terms="all", supplier="acme")], known)
    with pytest.raises(Refused, match="has these terms already: 'first'"):
        checks.check_entities([SupplierTerms(terms="2", supplier="acme", sku="tea")], known)


def coded(sku: str, *barcodes: str, days: int | None = None) -> Product:
    """Return a product that has these barcodes so many days after `DAY`; None: it always had."""
    since = None if days is None else DAY + timedelta(days=days)
    return Product(sku=sku, supplier="acme", barcodes=barcodes, effective_from=since)


def termed(terms: str, sku: str, days: int) -> SupplierTerms:
    since = DAY + timedelta(days=days)
    return SupplierTerms(terms=terms, supplier="acme", sku=sku, effective_from=since)


@pytest.mark.parametrize(
    ("known", "written", "reason"),
    [
        (
            [coded("tea", "X", days=3)],
            [coded("milk", "X")],
            "is a barcode of 'tea' from 2099-01-04",
        ),
        ([coded("tea", "X")], [coded("milk", "X", days=3)], "is a barcode of 'tea'"),
        ([], [coded("tea", "X", days=3), coded("milk", "X", days=1)], "is a barcode of 'tea'"),
        ([termed("a", "tea", 3)], [termed("b", "tea", 5)], "terms already: 'a' from 2099-01-04"),
    ],
)
def test_nor_has_it_another_owner_on_a_day_to_come(
    known: list[CatalogueEntity], written: list[CatalogueEntity], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        checks.check_entities(written, catalogue(*known))


@pytest.mark.parametrize(
    ("known", "written"),
    [
        ([coded("tea", "X"), coded("tea", days=3)], [coded("milk", "X", days=3)]),
        ([coded("tea", "X")], [coded("milk", "X", days=3), coded("tea", days=2)]),
        ([coded("milk", "X", days=3)], [coded("tea", "X"), coded("tea", days=3)]),
        ([termed("a", "tea", 3), termed("a", "milk", 5)], [termed("b", "tea", 5)]),
        ([coded("tea", "X", days=3)], [coded("tea", "X", days=4)]),
    ],
)
def test_what_one_gives_up_another_may_have_from_that_day(
    known: list[CatalogueEntity], written: list[CatalogueEntity]
) -> None:
    checks.check_entities(written, catalogue(*known))


def test_a_kit_is_one_in_all_its_versions() -> None:
    planned = Product(sku="set", supplier="acme", components=BREAKFAST, effective_from=DAY)
    plain = Product(sku="set", supplier="acme")
    with pytest.raises(Conflict, match="planned to be a kit from 2099-01-01"):
        checks.check_entities([planned, plain], catalogue())
    with pytest.raises(Conflict, match="cannot become a kit"):
        checks.check_entities([plain, planned], catalogue())


def test_without_a_day_the_version_in_effect_is_changed() -> None:
    known = catalogue()
    known.advance(DAY)
    known.apply(Supplier(supplier="acme", effective_from=DAY))
    changed = checks.in_effect_now(Supplier(supplier="acme", name="new"), known)
    assert changed == Supplier(supplier="acme", name="new", effective_from=DAY)
    assert checks.in_effect_now(Pool(pool="north", shard=1), known) == Pool(pool="north", shard=1)


def test_many_records_of_one_entity_are_checked_in_one_pass() -> None:
    known = catalogue()
    plans = [
        Product(sku="new", supplier="acme", effective_from=DAY + timedelta(days=n))
        for n in range(5_000)
    ]
    checks.check_entities(plans, known)
    for plan in plans:
        known.apply(plan)
    checks.check_entities(plans, known)
    kit = Product(sku="new", supplier="acme", components=BREAKFAST)
    with pytest.raises(Conflict, match="cannot become a kit"):
        checks.check_entities([*plans, kit], known)
