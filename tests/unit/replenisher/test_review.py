from tests.unit.replenisher.world import DAY, MIDNIGHT, World, catalogue, forecast, level, only

from replenisher.domain.plan.orders import MAX_LINES
from restock_common.contracts.catalogue import Catalogue, Product, Supplier


def test_one_order_a_supplier_and_location_with_lines_by_sku() -> None:
    known = Catalogue.of(
        [
            Supplier(supplier="north"),
            Supplier(supplier="south"),
            *[Product(sku=sku, supplier="north") for sku in ("c", "a")],
            Product(sku="b", supplier="south"),
        ]
    )
    world = World(known)
    for sku in ("b", "c", "a"):
        for location in ("W2", "W1"):
            world.take(level(sku, 0, location=location), forecast(sku, 2, location=location))
    orders = world.review()
    assert [
        (order.supplier, order.location, [line.sku for line in order.lines]) for order in orders
    ] == [
        ("north", "W1", ["a", "c"]),
        ("north", "W2", ["a", "c"]),
        ("south", "W1", ["b"]),
        ("south", "W2", ["b"]),
    ]
    assert len({order.purchase_order for order in orders}) == 4


def test_the_reason_holds_every_figure_of_the_sum() -> None:
    world = World(catalogue(["a"], pack_size=6, minimum=12))
    world.take(level("a", 5, reserved=2, backordered=1), forecast("a", 2.0))
    line = only(world.review()).lines[0]
    reason = line.reason
    assert reason.inventory_position == 5 - 2 - 1 == 2
    assert reason.protection_interval_days == 3.0 + 1.0
    assert reason.protection_demand_mean == 8.0
    # V(3) = 6 + 36/5, V(7) = 14 + 196/5, a quarter of the way; the lead time adds (2 x 1)^2.
    variance = 13.2 + (53.2 - 13.2) / 4 + 4
    assert reason.protection_demand_sd == round(variance**0.5, 4)
    assert reason.order_up_to_level == reason.reorder_point + 14
    assert line.quantity == -(-max(reason.order_up_to_level - 2, 12) // 6) * 6
    assert reason.forecast_learned_until == MIDNIGHT
    assert "lead time 3.00 d (sd 1.00) + review 1 d" in reason.formula


def test_a_date_is_reviewed_once() -> None:
    world = World(catalogue(["a", "b"]))
    world.take(level("a", 0), forecast("a", 2.0))
    assert len(world.review()) == 1
    world.take(level("b", 0), forecast("b", 2.0))
    assert world.review(MIDNIGHT + DAY / 2) == []
    assert len(world.review(MIDNIGHT + DAY)) == 1


def test_a_day_without_needs_places_nothing() -> None:
    world = World(catalogue(["a"]))
    world.take(level("a", 1000), forecast("a", 2.0))
    assert world.review() == []
    assert world.state.reviews
    assert (world.state.reviews[-1].purchase_orders, world.state.reviews[-1].deferred) == (0, 0)


def test_units_on_order_keep_the_position_up_and_a_second_fall_is_a_second_need() -> None:
    world = World(catalogue(["a"]))
    world.take(level("a", 0), forecast("a", 2.0))
    first = only(world.review()).lines[0]
    assert world.position("a").on_order == first.quantity
    assert world.review(MIDNIGHT + DAY) == []
    world.take(level("a", 0, backordered=first.quantity))
    second = only(world.review(MIDNIGHT + 2 * DAY)).lines[0]
    assert second.need != first.need
    assert second.reason.on_order == first.quantity


def test_a_large_review_is_cut_into_orders_that_fit_the_topic() -> None:
    skus = [f"{number:04}" for number in range(MAX_LINES + 1)]
    world = World(catalogue(skus))
    world.take(*[level(sku, 0) for sku in skus], *[forecast(sku, 2.0) for sku in skus])
    first, second = world.review()
    assert (len(first.lines), len(second.lines)) == (MAX_LINES, 1)
    assert first.purchase_order != second.purchase_order
    assert len(first.model_dump_json()) < 700_000
