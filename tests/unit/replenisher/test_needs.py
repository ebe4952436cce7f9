from tests.unit.replenisher.world import DAY, MIDNIGHT, World, catalogue, forecast, level, only

from replenisher.domain.model import NeedState
from restock_common.contracts.catalogue import Catalogue, Product, Supplier


def test_falling_to_the_reorder_point_opens_one_need_and_rising_above_it_ends_it() -> None:
    world = World(catalogue(["a"]))
    world.take(forecast("a", 2.0), level("a", 100))
    assert world.position("a").need is None
    explained = world.take(level("a", 1))
    assert explained == []
    need = world.position("a").need
    assert need is not None
    assert need.state is NeedState.OPEN
    world.take(level("a", 0))
    assert world.position("a").need == need, "still the same need"
    world.take(level("a", 100))
    assert world.position("a").need is None


def test_the_position_at_the_reorder_point_is_short_and_one_above_is_not() -> None:
    world = World(catalogue(["a"]))
    world.take(forecast("a", 2.0), level("a", 0))
    point = only(world.review()).lines[0].reason.reorder_point
    at, above = World(catalogue(["a"])), World(catalogue(["a"]))
    at.take(forecast("a", 2.0), level("a", point))
    above.take(forecast("a", 2.0), level("a", point + 1))
    assert at.position("a").need is not None
    assert above.position("a").need is None


def test_reserved_and_backordered_units_count_against_the_position() -> None:
    world = World(catalogue(["a"]))
    world.take(forecast("a", 1.0), level("a", 50, reserved=50, backordered=3))
    assert world.position("a").inventory_position == -3
    line = only(world.review()).lines[0]
    assert line.quantity >= line.reason.order_up_to_level + 3


def test_what_cannot_be_ordered_is_deferred_with_its_reason() -> None:
    known = Catalogue.of(
        [
            Supplier(supplier="acme"),
            Product(sku="orphan", supplier="nobody"),
            Product(sku="huge", supplier="acme", minimum_order_quantity=100_000, pack_size=7),
        ]
    )
    world = World(known)
    world.take(
        *[level(sku, 0, backordered=1) for sku in ("orphan", "huge", "unheard of")],
        *[forecast(sku, 2.0) for sku in ("orphan", "huge", "unheard of")],
    )
    assert world.review() == []
    reasons = {
        place.sku: one.need and one.need.reason for place, one in world.state.positions.items()
    }
    assert reasons == {
        "orphan": "unknown supplier 'nobody'",
        "huge": "the minimum order of 100000 in packs of 7 does not fit on one order line",
        "unheard of": "unknown product 'unheard of'",
    }
    assert world.state.reviews
    assert world.state.reviews[-1].deferred == 3


def test_a_deferred_need_is_ordered_for_once_its_reason_is_gone() -> None:
    world = World(Catalogue())
    world.take(level("a", 0), forecast("a", 2.0))
    assert world.review() == []
    deferred = world.position("a").need
    assert deferred is not None
    world.catalogue = catalogue(["a"])
    line = only(world.review(MIDNIGHT + DAY)).lines[0]
    assert line.need == deferred.id


def test_what_is_owed_where_nobody_asks_for_it_is_ordered_and_nothing_more() -> None:
    """A count recalls units that were to serve another location's demand: no forecast will come."""
    world = World(catalogue(["a"]))
    world.take(level("a", 3, reserved=3, backordered=2))
    line = only(world.review()).lines[0]
    assert (line.quantity, line.reason.forecast_learned_until) == (2, None)
    assert world.review(MIDNIGHT + DAY) == []


def test_nobody_asks_for_it_so_nobody_orders_it() -> None:
    world = World(catalogue(["a"]))
    world.take(level("a", 0), forecast("a", 0.0))
    assert world.position("a").need is None
    assert world.review() == []
