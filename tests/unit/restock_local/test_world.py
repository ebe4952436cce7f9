from datetime import UTC, datetime, timedelta

from restock_common.contracts.catalogue import Supplier
from restock_common.contracts.dispatch import RoutePlanned, Stop
from restock_common.contracts.ledger import Place, ShipmentDispatched
from restock_common.contracts.replenishment import (
    OrderReason,
    PurchaseOrderLine,
    PurchaseOrderPlaced,
)
from restock_local.demo.world import Carriers, Receipt, Suppliers

MIDNIGHT = datetime(2017, 1, 3, tzinfo=UTC)
FAR = MIDNIGHT + timedelta(days=60)
SUPPLIERS = {"s": Supplier(supplier="s", lead_time_days_mean=3.0, lead_time_days_sd=1.0)}
REASON = OrderReason(
    formula="",
    inventory_position=0,
    on_hand=0,
    reserved=0,
    backordered=0,
    on_order=0,
    reorder_point=1,
    order_up_to_level=2,
    protection_interval_days=4,
    protection_demand_mean=1,
    protection_demand_sd=1,
    cycle_service_level=0.95,
    minimum_order_quantity=1,
    pack_size=1,
    forecast_learned_until=None,
)


def _order(number: int, *, lines: int = 3, quantity: int = 10) -> PurchaseOrderPlaced:
    return PurchaseOrderPlaced(
        supplier="s",
        purchase_order=f"po-{number}",
        location="here",
        placed_at=MIDNIGHT,
        lines=tuple(
            PurchaseOrderLine(
                order_line=f"po-{number}-{line}",
                need=f"need-{number}-{line}",
                sku=f"sku-{line}",
                quantity=quantity,
                reason=REASON,
            )
            for line in range(lines)
        ),
    )


def _all_receipts(seed: int = 1, orders: int = 200) -> list[Receipt]:
    suppliers = Suppliers(SUPPLIERS, seed=seed)
    for number in range(orders):
        suppliers.take_order(_order(number))
    return suppliers.due(FAR)


def test_every_ordered_unit_arrives_exactly_once() -> None:
    arrived: dict[str, int] = {}
    for receipt in _all_receipts():
        for order_line, _, units in receipt.lines:
            assert units >= 1
            arrived[order_line] = arrived.get(order_line, 0) + units
    assert arrived == {f"po-{n}-{line}": 10 for n in range(200) for line in range(3)}


def test_a_few_deliveries_are_short_and_the_rest_comes_later() -> None:
    by_order: dict[str, list[Receipt]] = {}
    for receipt in _all_receipts():
        by_order.setdefault(receipt.purchase_order, []).append(receipt)
    in_parts = [receipts for receipts in by_order.values() if len(receipts) == 2]
    assert 5 < len(in_parts) < 40
    assert all(first.received_at < rest.received_at for first, rest in in_parts)


def test_lead_times_scatter_around_the_supplier_s_mean() -> None:
    first = {receipt.purchase_order: receipt for receipt in reversed(_all_receipts())}
    days = [(receipt.received_at - MIDNIGHT) / timedelta(days=1) for receipt in first.values()]
    assert min(days) > 0
    assert 2.4 * 0.8 < sum(days) / len(days) < 3.2 * 1.3
    assert len(set(days)) > 10


def test_what_arrives_depends_neither_on_the_order_of_the_news_nor_on_repeats() -> None:
    suppliers = Suppliers(SUPPLIERS, seed=1)
    for number in reversed(range(200)):
        suppliers.take_order(_order(number))
        suppliers.take_order(_order(number))
    assert suppliers.due(FAR) == _all_receipts()
    assert _all_receipts(seed=2) != _all_receipts()


def test_due_hands_over_each_receipt_once_and_in_time_order() -> None:
    suppliers = Suppliers(SUPPLIERS, seed=1)
    for number in range(50):
        suppliers.take_order(_order(number))
    early = suppliers.due(MIDNIGHT + timedelta(days=3))
    late = suppliers.due(FAR)
    assert early
    assert late
    assert all(receipt.received_at < MIDNIGHT + timedelta(days=3) for receipt in early)
    assert all(receipt.received_at >= MIDNIGHT + timedelta(days=3) for receipt in late)
    moments = [receipt.received_at for receipt in early + late]
    assert moments == sorted(moments)
    assert suppliers.due(FAR) == []


def _route(version: int, stops: dict[str, datetime]) -> RoutePlanned:
    return RoutePlanned(
        location="here",
        route="r",
        wave="w",
        plan_version=version,
        vehicle="v",
        departs_at=MIDNIGHT + timedelta(hours=8),
        returns_at=MIDNIGHT + timedelta(hours=17),
        distance_km=10,
        load_grams=100,
        stops=tuple(
            Stop(
                allocation=allocation,
                order="o",
                destination=Place(latitude=39, longitude=-84),
                arrives_at=moment,
                distance_km=1,
            )
            for allocation, moment in stops.items()
        ),
    )


def _departure(allocation: str) -> ShipmentDispatched:
    return ShipmentDispatched(
        allocation=allocation,
        order="o",
        location="here",
        route="r",
        dispatched_at=MIDNIGHT + timedelta(hours=8),
    )


def test_carriers_confirm_what_left_on_board_once_and_not_before_its_arrival() -> None:
    ten, noon = MIDNIGHT + timedelta(hours=10), MIDNIGHT + timedelta(hours=12)
    carriers = Carriers(seed=1)
    carriers.take_route(_route(1, {"a": ten, "b": noon, "withdrawn": noon}))
    for allocation in ("a", "b"):
        carriers.take_departure(_departure(allocation))
    assert carriers.due(ten - timedelta(seconds=1)) == []
    (first,) = carriers.due(ten + timedelta(minutes=20))
    assert first.allocation == "a"
    assert ten <= first.delivered_at <= ten + timedelta(minutes=20)
    assert [each.allocation for each in carriers.due(FAR)] == ["b"]
    assert carriers.due(FAR) == []


def test_the_latest_version_of_a_route_counts() -> None:
    ten, noon = MIDNIGHT + timedelta(hours=10), MIDNIGHT + timedelta(hours=12)
    carriers = Carriers(seed=1)
    carriers.take_route(_route(2, {"a": noon}))
    carriers.take_route(_route(1, {"a": ten, "b": ten}))
    carriers.take_departure(_departure("a"))
    (delivery,) = carriers.due(FAR)
    assert delivery.delivered_at >= noon
