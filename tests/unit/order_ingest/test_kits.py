"""Kits are taken apart at the door, and an order stays made of what it was."""

import pytest
from tests.unit.order_ingest.sample import BREAKFAST, NOW, PRIVACY, catalogue, known, request

from order_ingest.domain import kits, orders
from order_ingest.domain.findings import Refused
from order_ingest.domain.requests import AmendmentRequest, ReturnRequest
from order_ingest.handlers import take_order
from restock_common.contracts.catalogue import Catalogue, Product
from restock_common.contracts.ledger import Component, HoldLine, OrderLine, ReturnedLine

OTHER_BREAKFAST = (Component(sku="milk", quantity=3),)


def with_other_breakfast() -> Catalogue:
    changed = catalogue()
    changed.apply(Product(sku="breakfast", supplier="acme", components=OTHER_BREAKFAST))
    return changed


def hold_lines(*lines: tuple[str, int]) -> list[tuple[str, int]]:
    asked = [HoldLine(sku=sku, quantity=quantity) for sku, quantity in lines]
    return [(one.sku, one.quantity) for one in kits.hold_lines(asked, catalogue())]


def amendment(*lines: dict[str, object]) -> AmendmentRequest:
    return AmendmentRequest.model_validate({"revision": 1, "lines": lines})


def test_a_kit_carries_its_components_and_a_product_none() -> None:
    lines = [{"sku": "breakfast", "quantity": 4, "split": False}, {"sku": "tea", "quantity": 1}]
    kit, tea = take_order("shop", request(lines=lines), known(), PRIVACY).event.lines
    assert kit == OrderLine(
        line="1", sku="breakfast", quantity=4, components=BREAKFAST, split=False
    )
    assert tea == OrderLine(line="2", sku="tea", quantity=1)


def test_a_repeat_of_an_order_does_not_depend_on_what_its_kit_is_made_of_by_then() -> None:
    asked = request(lines=[{"sku": "breakfast", "quantity": 1}])
    sourcing = take_order("shop", asked, known(), PRIVACY).event.sourcing
    first = orders.place("shop", asked, catalogue(), sourcing, PRIVACY)
    again = orders.place("shop", asked, with_other_breakfast(), sourcing, PRIVACY)
    assert again.event != first.event
    assert orders.settle(first, again) is first


def test_an_amended_kit_stays_what_was_ordered_and_a_new_one_is_what_it_is_now() -> None:
    placement = take_order(
        "shop", request(lines=[{"sku": "breakfast", "quantity": 1}]), known(), PRIVACY
    )
    more = amendment(
        {"line": "1", "sku": "breakfast", "quantity": 2},
        {"line": "2", "sku": "breakfast", "quantity": 1},
    )
    before = {line.line: line for line in placement.event.lines}
    old, new = kits.order_lines(more.lines, with_other_breakfast(), before)
    assert (old.quantity, old.components) == (2, BREAKFAST)
    assert new.components == OTHER_BREAKFAST


def test_another_sku_cannot_have_an_old_name() -> None:
    placement = take_order(
        "shop", request(lines=[{"sku": "breakfast", "quantity": 1}]), known(), PRIVACY
    )
    instead = amendment({"line": "1", "sku": "tea", "quantity": 1})
    before = {line.line: line for line in placement.event.lines}
    with pytest.raises(Refused, match=r"lines\.0\.sku: was 'breakfast' in this line"):
        kits.order_lines(instead.lines, catalogue(), before)


def test_too_many_units_of_a_component_are_refused() -> None:
    lines = [{"sku": "tea", "quantity": 1}, {"sku": "breakfast", "quantity": 50_001}]
    with pytest.raises(Refused) as refusal:
        take_order("shop", request(lines=lines), known(), PRIVACY)
    [finding] = refusal.value.findings
    assert (finding.field, finding.value) == ("lines.1.quantity", 50_001)
    lines[1]["quantity"] = 50_000
    take_order("shop", request(lines=lines), known(), PRIVACY)


def test_a_cart_takes_each_sku_once() -> None:
    assert hold_lines(("breakfast", 3), ("milk", 2)) == [("tea", 6), ("milk", 5)]
    assert hold_lines(("milk", 2)) == [("milk", 2)]
    with pytest.raises(Refused, match="100000 units of 'tea'"):
        hold_lines(("breakfast", 49_999), ("tea", 3))


def test_a_cart_of_more_skus_than_a_hold_has_lines_is_refused() -> None:
    large = catalogue()
    lines = []
    for number in range(21):
        components = tuple(Component(sku=f"{number}-{one}", quantity=1) for one in range(50))
        large.apply(Product(sku=f"box-{number}", supplier="acme", components=components))
        lines.append(HoldLine(sku=f"box-{number}", quantity=1))
    with pytest.raises(Refused) as refusal:
        kits.hold_lines(lines, large)
    assert refusal.value.findings[0].value == 1050
    assert len(kits.hold_lines(lines[:20], large)) == 1000


def test_a_kit_that_came_back_is_what_it_is_made_of() -> None:
    asked = ReturnRequest(
        returned="r",
        order="o",
        location="n1",
        returned_at=NOW,
        lines=(ReturnedLine(line="1", sku="breakfast", quantity=50_000),),
    )
    told = kits.returned(asked, catalogue())
    assert [(one.sku, one.quantity) for one in told.lines[:1]] == [("tea", 100_000)]
    [line] = asked.lines
    more = asked.model_copy(update={"lines": (line.model_copy(update={"quantity": 50_001}),)})
    with pytest.raises(Refused, match="100000 units"):
        kits.returned(more, catalogue())
    many = asked.model_copy(update={"lines": (line.model_copy(update={"quantity": 1}),) * 1000})
    with pytest.raises(Refused, match="1000 parts"):
        kits.returned(many, catalogue())
