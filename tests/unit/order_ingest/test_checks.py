"""What is refused for what the catalogue or the clock says."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.unit.order_ingest.sample import CHICAGO, NOW, catalogue, known, request

from order_ingest.domain import checks
from order_ingest.domain.findings import Conflict, Refused
from order_ingest.domain.requests import CountRequest, ReceiptRequest
from restock_common.contracts.catalogue import CatalogueEntity, Location, Pool, Product, Vehicle


def fields(refusal: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [finding.field for finding in refusal.value.findings]


def test_a_good_order_passes() -> None:
    checks.check_order(request(), known())


def test_all_that_is_wrong_with_an_order_is_told() -> None:
    wrong = request(
        placed_at=NOW + timedelta(days=1, microseconds=1),
        lines=[
            {"sku": "tea", "quantity": 1, "line": "x"},
            {"sku": "coffee", "quantity": 1, "line": "x"},
            {"sku": "cocoa", "quantity": 1},
        ],
    )
    with pytest.raises(Refused) as refusal:
        checks.check_order(wrong, known())
    assert fields(refusal) == ["lines.1.sku", "lines.2.sku", "placed_at", "lines.1.line"]
    assert str(refusal.value) == "lines.1.sku: is not in the catalogue: 'coffee' (+3 more)"


@pytest.mark.parametrize(
    ("moment", "passes"),
    [
        (NOW + timedelta(days=1), True),
        (NOW + timedelta(days=1, microseconds=1), False),
        (checks.EARLIEST, True),
        (checks.EARLIEST - timedelta(microseconds=1), False),
    ],
)
def test_the_bounds_of_time(moment: datetime, passes: bool) -> None:
    if passes:
        checks.check_time("at", moment, NOW)
    else:
        with pytest.raises(Refused, match=r"^at: is "):
            checks.check_time("at", moment, NOW)


def test_a_window_may_lie_months_ahead_but_not_years() -> None:
    soon = {"earliest": NOW + timedelta(days=360), "latest": NOW + timedelta(days=361)}
    checks.check_order(request(window=soon), known())
    late = {"earliest": NOW + timedelta(days=360), "latest": NOW + timedelta(days=367)}
    with pytest.raises(Refused) as refusal:
        checks.check_order(request(window=late), known())
    assert fields(refusal) == ["window.latest"]


def test_receipts_and_counts() -> None:
    line = {"sku": "coffee", "quantity": 1}
    receipt: dict[str, Any] = {"receipt": "r", "location": "mars", "received_at": NOW}
    with pytest.raises(Refused) as refusal:
        checks.check_receipt(ReceiptRequest(**receipt, lines=[line]), known())
    assert fields(refusal) == ["lines.0.sku", "location"]
    count: dict[str, Any] = {"count": "c", "location": "n1", "counted_at": NOW}
    twice = [{"sku": "tea", "quantity": 1}, {"sku": "tea", "quantity": 2}]
    with pytest.raises(Refused) as refusal:
        checks.check_count(CountRequest(**count, lines=twice), known())
    assert fields(refusal) == ["lines.1.sku"]


@pytest.mark.parametrize(
    ("entity", "field"),
    [
        (Product(sku="x", supplier="nobody"), "items.0.supplier"),
        (Location(location="x", pool="nowhere", place=CHICAGO), "items.0.pool"),
        (Vehicle(vehicle="x", location="nowhere", capacity_grams=1), "items.0.location"),
    ],
)
def test_master_data_that_refers_to_nothing(entity: CatalogueEntity, field: str) -> None:
    with pytest.raises(Refused) as refusal:
        checks.check_entities([entity], catalogue(), "items.{}.")
    assert fields(refusal) == [field]


def test_what_the_ledger_has_booked_does_not_move() -> None:
    with pytest.raises(Conflict, match="'north' is on shard 1 and cannot move to 2"):
        checks.check_entities([Pool(pool="north", shard=2)], catalogue())
    moved = Location(location="n1", pool="south", place=CHICAGO)
    with pytest.raises(Conflict, match="'n1' is of pool 'north'"):
        checks.check_entities([moved], catalogue())
    with pytest.raises(Conflict, match="'new'"):
        checks.check_entities([Pool(pool="new", shard=2), Pool(pool="new", shard=3)], catalogue())
    checks.check_entities([Pool(pool="north", shard=1, name="renamed")], catalogue())
