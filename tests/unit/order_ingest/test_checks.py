"""What is refused for what the catalogue or the clock says."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.unit.order_ingest.sample import CHICAGO, NOW, catalogue, known, request

from order_ingest.domain import checks
from order_ingest.domain.findings import Conflict, Refused
from order_ingest.domain.requests import (
    AdjustmentRequest,
    AmendmentRequest,
    CountRequest,
    ExpectedReceiptRequest,
    HoldRequest,
    OrderRequest,
    ReceiptRequest,
    ReturnRequest,
    TransferReceiptRequest,
    TransferRequest,
    TransferShipmentRequest,
    parse,
)
from restock_common.contracts.catalogue import CatalogueEntity, Location, Pool, Product, Vehicle
from restock_common.contracts.ledger import Component, TransferLine, TransferOrdered


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


def test_a_sku_is_counted_once_in_each_lot_and_condition() -> None:
    tea: dict[str, Any] = {"sku": "tea", "quantity": 1}
    lines = [tea, {**tea, "lot": "1"}, {**tea, "lot": "2"}, {**tea, "condition": "damaged"}]
    count: dict[str, Any] = {"count": "c", "location": "n1", "counted_at": NOW}
    checks.check_count(CountRequest(**count, lines=lines), known())
    with pytest.raises(Refused) as refusal:
        checks.check_count(CountRequest(**count, lines=[*lines, lines[1]]), known())
    assert fields(refusal) == ["lines.4.sku"]


def test_a_kit_stands_on_no_shelf() -> None:
    kit: dict[str, Any] = {"sku": "breakfast", "quantity": 1}
    receipt: dict[str, Any] = {"receipt": "r", "location": "n1", "received_at": NOW}
    with pytest.raises(Refused, match="is a kit"):
        checks.check_receipt(ReceiptRequest(**receipt, lines=[kit]), known())
    with pytest.raises(Refused, match="sku: is a kit"):
        checks.check_policy("breakfast", "n1", known())
    returned: dict[str, Any] = {"returned": "r", "order": "1", "location": "n1"}
    with pytest.raises(Refused, match=r"lines\.0\.sku: is a kit"):
        checks.check_return(
            ReturnRequest(**returned, returned_at=NOW, lines=[{**kit, "line": "1"}]), known()
        )


def test_a_serial_number_stands_once_for_a_sku() -> None:
    receipt: dict[str, Any] = {"receipt": "r", "location": "n1", "received_at": NOW}
    tea = {"sku": "tea", "quantity": 1, "serials": ["1"]}
    checks.check_receipt(ReceiptRequest(**receipt, lines=[tea, {**tea, "sku": "milk"}]), known())
    with pytest.raises(Refused) as refusal:
        checks.check_receipt(ReceiptRequest(**receipt, lines=[tea, tea]), known())
    assert fields(refusal) == ["lines.1.serials"]


def test_an_adjustment_moves_units() -> None:
    adjustment: dict[str, Any] = {"adjustment": "a", "location": "n1", "adjusted_at": NOW}
    line = {"sku": "tea", "quantity": 1, "source": "sellable"}
    good = AdjustmentRequest(**adjustment, lines=[{**line, "target": "damaged"}])
    checks.check_adjustment(good, known())
    still = AdjustmentRequest(**adjustment, lines=[{**line, "target": "sellable"}])
    with pytest.raises(Refused, match=r"lines\.0\.target: is the source: 'sellable'"):
        checks.check_adjustment(still, known())


def test_a_receipt_may_be_expected_next_month_but_not_in_years() -> None:
    expected: dict[str, Any] = {"location": "n1", "sku": "tea", "quantity": 5}
    soon = ExpectedReceiptRequest(**expected, expected_at=NOW + timedelta(days=30))
    checks.check_expected_receipt(soon, known())
    late = ExpectedReceiptRequest(**expected, expected_at=NOW + timedelta(days=400))
    with pytest.raises(Refused) as refusal:
        checks.check_expected_receipt(late, known())
    assert fields(refusal) == ["expected_at"]


def test_a_policy_is_of_a_known_sku_and_location() -> None:
    checks.check_policy("tea", "n1", known())
    with pytest.raises(Refused) as refusal:
        checks.check_policy("coffee", "mars", known())
    assert fields(refusal) == ["sku", "location"]


def test_all_that_is_wrong_with_a_return_is_told() -> None:
    tea = {"line": "1", "sku": "tea", "quantity": 2, "serials": ["1"]}
    coffee = {"line": "2", "sku": "coffee", "quantity": 1}
    wrong = ReturnRequest.model_validate(
        {
            "returned": "r",
            "order": "1",
            "location": "mars",
            "returned_at": NOW + timedelta(days=2),
            "lines": [tea, coffee],
            "replacements": [coffee, coffee],
        }
    )
    with pytest.raises(Refused) as refusal:
        checks.check_return(wrong, known())
    assert fields(refusal) == [
        "lines.1.sku",
        "returned_at",
        "location",
        "lines.0.serials",
        "replacements.0.sku",
        "replacements.1.sku",
        "replacements.1.line",
    ]


def test_all_that_is_wrong_with_a_cart_is_told() -> None:
    wrong = HoldRequest.model_validate(
        {
            "hold": "h",
            "destination": CHICAGO,
            "lines": [{"sku": "coffee", "quantity": 1}, {"sku": "coffee", "quantity": 1}],
            "ttl_s": 60,
            "held_at": NOW + timedelta(days=2),
            "pool": "mars",
        }
    )
    with pytest.raises(Refused) as refusal:
        checks.check_hold(wrong, known())
    assert fields(refusal) == ["lines.0.sku", "lines.1.sku", "held_at", "pool", "lines.1.sku"]


def test_all_that_is_wrong_with_an_amendment_is_told() -> None:
    coffee = {"line": "x", "sku": "coffee", "quantity": 1}
    lines = [coffee, {**coffee, "sku": "tea"}]
    wrong = AmendmentRequest.model_validate(
        {"revision": 1, "lines": lines, "amended_at": NOW + timedelta(days=2)}
    )
    with pytest.raises(Refused) as refusal:
        checks.check_amendment(wrong, known())
    assert fields(refusal) == ["lines.0.sku", "amended_at", "lines.1.line"]


def test_what_an_order_was_promised_may_lie_ahead() -> None:
    checks.check_order(request(promised_by=NOW + timedelta(days=30)), known())
    with pytest.raises(Refused) as refusal:
        checks.check_order(request(promised_by=NOW + timedelta(days=400)), known())
    assert fields(refusal) == ["promised_by"]


@pytest.mark.parametrize(
    ("entity", "field"),
    [
        (
            Product(
                sku="x",
                supplier="acme",
                components=[{"sku": "tea", "quantity": 1}, {"sku": "cocoa", "quantity": 1}],
            ),
            "items.0.components.1.sku",
        ),
        (
            Product(sku="x", supplier="acme", components=[{"sku": "breakfast", "quantity": 1}]),
            "items.0.components.0.sku",
        ),
        (
            Product(sku="x", supplier="acme", components=[{"sku": "x", "quantity": 1}]),
            "items.0.components.0.sku",
        ),
        (Product(sku="x", supplier="nobody"), "items.0.supplier"),
        (Location(location="x", pool="nowhere", place=CHICAGO), "items.0.pool"),
        (Vehicle(vehicle="x", location="nowhere", capacity_grams=1), "items.0.location"),
    ],
)
def test_master_data_that_refers_to_nothing(entity: CatalogueEntity, field: str) -> None:
    with pytest.raises(Refused) as refusal:
        checks.check_entities([entity], catalogue(), ["items.0."])
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
    kit = Product(sku="tea", supplier="acme", components=(Component(sku="milk", quantity=1),))
    with pytest.raises(Conflict, match="'tea' may have been stocked"):
        checks.check_entities([kit], catalogue())


def test_a_kit_may_be_written_with_its_components_and_may_change() -> None:
    def product(sku: str, *components: str) -> Product:
        made_of = tuple(Component(sku=one, quantity=1) for one in components)
        return Product(sku=sku, supplier="acme", components=made_of)

    checks.check_entities([product("set", "cup", "tea"), product("cup")], catalogue())
    checks.check_entities([product("breakfast", "milk")], catalogue())
    with pytest.raises(Refused, match=r"items\.1\.components\.0\.sku: is a kit itself"):
        checks.check_entities(
            [product("set", "tea"), product("sets", "set")], catalogue(), ["items.0.", "items.1."]
        )


def transfer(**changes: Any) -> TransferRequest:
    return TransferRequest.model_validate(
        {
            "transfer": "t",
            "source": "n1",
            "target": "s1",
            "ordered_at": NOW,
            "lines": [{"line": "1", "sku": "tea", "quantity": 2}],
            **changes,
        }
    )


def test_all_that_is_wrong_with_a_transfer_is_told() -> None:
    checks.check_transfer(transfer(), known())
    line = {"line": "1", "sku": "breakfast", "quantity": 1}
    with pytest.raises(Refused) as refusal:
        checks.check_transfer(transfer(source="mars", lines=[line, line]), known())
    assert fields(refusal) == ["lines.0.sku", "lines.1.sku", "source", "lines.1.line"]
    with pytest.raises(Refused, match="target: is the source: 'n1'"):
        checks.check_transfer(transfer(target="n1"), known())


def test_what_is_shipped_and_received_is_of_the_transfer() -> None:
    lines = (TransferLine(line="1", sku="tea", quantity=2),)
    here = known()
    ordered = TransferOrdered(
        transfer="t", source=here.end("n1"), target=here.end("s1"), ordered_at=NOW, lines=lines
    )
    shipment: dict[str, Any] = {"shipment": "s", "shipped_at": NOW}
    checks.check_transfer_shipment(TransferShipmentRequest(**shipment), ordered, here)
    strange = [
        {"line": "9", "sku": "tea", "quantity": 1},
        {"line": "1", "sku": "milk", "quantity": 1},
    ]
    with pytest.raises(Refused) as refusal:
        checks.check_transfer_shipment(
            TransferShipmentRequest(**shipment, lines=strange), ordered, here
        )
    assert fields(refusal) == ["lines.0.line", "lines.1.sku"]
    receipt: dict[str, Any] = {"receipt": "r", "received_at": NOW}
    done = TransferReceiptRequest(**receipt, complete=True)
    checks.check_transfer_receipt(done, ordered, here)
    with pytest.raises(Refused, match="lines: are none, and complete is not set"):
        checks.check_transfer_receipt(TransferReceiptRequest(**receipt), ordered, here)


@pytest.mark.parametrize(
    ("raw", "told"),
    [(b"not json", "not json"), (b"\xff{", "\\xff{"), (b"x" * 100, "x" * 80 + "...")],
)
def test_what_is_not_json_is_shown_as_it_was_sent(raw: bytes, told: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(OrderRequest, raw)
    assert [one.value for one in refused.value.findings] == [told]
