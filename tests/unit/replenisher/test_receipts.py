from datetime import timedelta

from tests.unit.replenisher.world import (
    DAY,
    MIDNIGHT,
    World,
    catalogue,
    forecast,
    level,
    only,
    receipt,
)

from replenisher.domain.lead_time import LeadTimeRecord
from restock_common.contracts.replenishment import PurchaseOrderClosed, PurchaseOrderPlaced


def ordered(*skus: str) -> tuple[World, PurchaseOrderPlaced]:
    world = World(catalogue(skus))
    world.take(*[level(sku, 0) for sku in skus], *[forecast(sku, 2.0) for sku in skus])
    return world, only(world.review())


def test_a_receipt_in_full_closes_the_order() -> None:
    world, order = ordered("a")
    [closed] = world.take(receipt(order, 0, order.lines[0].quantity))
    assert closed == PurchaseOrderClosed(
        supplier="acme",
        purchase_order=order.purchase_order,
        location="W1",
        closed_at=MIDNIGHT + 2 * DAY,
    )
    assert world.position("a").on_order == 0
    assert world.position("a").on_hand == order.lines[0].quantity


def test_the_order_closes_with_its_last_line_at_its_latest_receipt() -> None:
    world, order = ordered("a", "b")
    late = receipt(order, 0, order.lines[0].quantity, name="late", after=5 * DAY)
    assert world.take(late) == []
    [closed] = world.take(receipt(order, 1, order.lines[1].quantity))
    assert isinstance(closed, PurchaseOrderClosed)
    assert closed.closed_at == MIDNIGHT + 5 * DAY


def test_a_short_delivery_leaves_the_rest_on_order() -> None:
    world, order = ordered("a")
    quantity = order.lines[0].quantity
    assert world.take(receipt(order, 0, quantity - 2)) == []
    assert world.position("a").on_order == 2
    assert len(world.take(receipt(order, 0, 2, name="r2"))) == 1
    assert world.position("a").on_order == 0


def test_over_delivery_never_takes_on_order_below_zero() -> None:
    world, order = ordered("a")
    quantity = order.lines[0].quantity
    assert len(world.take(receipt(order, 0, quantity + 10))) == 1
    assert world.take(receipt(order, 0, 5, name="more")) == [], "closed once"
    assert world.position("a").on_order == 0
    assert world.state.lines[order.lines[0].order_line].received == quantity + 15


def test_the_same_receipt_counts_once() -> None:
    world, order = ordered("a")
    half = receipt(order, 0, 3)
    world.take(half)
    on_order = world.position("a").on_order
    world.take(half, half)
    assert world.position("a").on_order == on_order
    assert world.state.lead_times["acme"].observations == 1


def test_a_receipt_teaches_the_lead_time_once_however_many_lines_it_has() -> None:
    world, order = ordered("a", "b", "c")
    world.take(*[receipt(order, index, 1, after=3 * DAY) for index in range(3)])
    assert world.state.lead_times == {"acme": LeadTimeRecord(1, 3 * 1440, (3 * 1440) ** 2)}
    world.take(receipt(order, 0, 1, name="rest", after=4 * DAY))
    assert world.state.lead_times["acme"].observations == 2
    assert world.state.taught == world.state.lead_times


def test_a_receipt_before_its_order_counts_its_units_and_teaches_nothing() -> None:
    world, order = ordered("a")
    world.take(receipt(order, 0, 1, after=timedelta(hours=-1)))
    assert world.state.lead_times == {}
    assert world.position("a").on_order == order.lines[0].quantity - 1


def test_a_receipt_on_a_line_that_is_not_known_still_brings_the_level() -> None:
    world, order = ordered("a", "b")
    strange = receipt(order, 0, 9).model_copy(update={"order_line": "nobody's"})
    swapped = receipt(order, 0, 9).model_copy(update={"order_line": order.lines[1].order_line})
    assert world.take(strange, swapped) == []
    assert world.position("a").on_hand == 9
    assert [key.order_line for key in world.state.unmatched] == [
        "nobody's",
        order.lines[1].order_line,
    ]
    assert world.position("b").on_order == order.lines[1].quantity


def test_goods_that_arrive_elsewhere_are_no_longer_on_order_where_they_were_ordered() -> None:
    world, order = ordered("a")
    world.take(receipt(order, 0, 4).model_copy(update={"location": "W2"}))
    assert world.position("a").on_order == order.lines[0].quantity - 4
    assert world.position("a", "W2").on_hand == 4


def test_still_short_after_the_receipt_is_a_new_need() -> None:
    world, order = ordered("a")
    quantity = order.lines[0].quantity
    world.take(receipt(order, 0, quantity), level("a", 0, backordered=4))
    need = world.position("a").need
    assert need is not None
    assert need.id != order.lines[0].need
