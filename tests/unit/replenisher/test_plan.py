"""What binds a supplier's orders, and what a choice of blocks is worth beside its bound."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gamma
from tests.unit.replenisher.world import DAY, MIDNIGHT, World, catalogue, forecast, level, only

from replenisher.domain.model import NeedState
from replenisher.domain.plan.blocks import Blocks, Wish, cut
from replenisher.domain.plan.joint import choose
from replenisher.domain.plan.value import expected_shortage, stakes
from replenisher.domain.protection import Demand
from restock_common.contracts.catalogue import (
    Catalogue,
    CatalogueEntity,
    Location,
    SupplierTerms,
)
from restock_common.contracts.insights import RiskKind
from restock_common.contracts.ledger import Place as Spot
from restock_common.contracts.replenishment import PurchaseOrderPlaced

SKUS = ("a", "b", "c", "d")


def known(*entities: CatalogueEntity, pack_size: int = 1) -> Catalogue:
    found = catalogue(SKUS, pack_size=pack_size)
    for sku in SKUS:
        found.apply(found.products[sku].model_copy(update={"unit_cost": 10.0}))
    for entity in entities:
        found.apply(entity)
    return found


def short(world: World, *skus: str, per_day: float = 4.0) -> None:
    world.take(*[level(sku, 0) for sku in skus], *[forecast(sku, per_day) for sku in skus])


def quantities(orders: list[PurchaseOrderPlaced]) -> dict[str, int]:
    return {line.sku: line.quantity for order in orders for line in order.lines}


def test_the_shortage_is_the_gammas() -> None:
    demand = Demand(np.array([8.0, 8.0, 8.0, 0.0, 3.0]), np.array([20.0, 20.0, 20.0, 0.0, 0.0]))
    level_of = np.array([10.0, -2.0, 0.0, 4.0, 1.0])
    grid = np.linspace(0, 120, 200_001)
    density = gamma.pdf(grid, 8**2 / 20, scale=20 / 8)
    by_hand = np.trapezoid(np.maximum(grid - 10, 0) * density, grid)
    assert expected_shortage(demand, level_of) == pytest.approx([by_hand, 10, 8, 0, 2], abs=1e-4)


def test_a_budget_is_spent_where_it_saves_most_and_the_rest_waits_with_its_reason() -> None:
    free = World(known())
    short(free, *SKUS)
    everything = quantities(free.review())
    terms = SupplierTerms(terms="t", supplier="acme", weekly_budget=sum(everything.values()) * 5.0)
    world = World(known(terms))
    short(world, *SKUS)
    order = only(world.review())
    assert order.value is not None
    assert 0.8 * 5 * sum(everything.values()) < order.value <= 5 * sum(everything.values())
    bound = [line for line in order.lines if line.quantity < everything[line.sku]]
    assert bound
    assert all("weekly budget" in (line.reason.constraint or "") for line in bound)
    (review,) = world.state.reviews
    assert review.value is not None
    assert review.bound is not None
    assert 0 <= review.bound - review.value <= 0.01 * review.bound


def test_a_spent_budget_defers_until_the_next_week() -> None:
    world = World(known(SupplierTerms(terms="t", supplier="acme", weekly_budget=5.0)))
    short(world, "a")
    assert world.review() == []
    need = world.position("a").need
    assert need is not None
    assert need.state is NeedState.DEFERRED
    assert "weekly budget of 5.00" in (need.reason or "")
    world.take(level("a", 0))
    assert world.position("a").need == need, "only a review can tell whether there is money again"


def test_a_full_location_takes_no_more_than_it_has_room_for() -> None:
    spot = Spot(latitude=0, longitude=0)
    world = World(known(Location(location="W1", pool="P", place=spot, storage_capacity_units=30)))
    short(world, *SKUS)
    assert sum(quantities(world.review()).values()) <= 30


def test_a_minimum_above_capacity_holds_a_sku_out_and_the_rest_is_planned() -> None:
    spot = Spot(latitude=0, longitude=0)
    found = known(
        Location(location="W1", pool="P", place=spot, storage_capacity_units=500),
        SupplierTerms(terms="b", supplier="acme", sku="b", minimum_order_quantity=600),
    )
    world = World(found)
    short(world, "a", "b")
    events = world.take_review()
    assert [line.sku for line in only(events.orders).lines] == ["a"]
    (risk,) = [one for one in events.risks if one.kind is RiskKind.HELD_OUT]
    assert risk.sku == "b"
    assert "above the location's capacity of 500" in risk.reason


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"unit_cost": -1.0}, "a unit costs -1"),
        ({"lead_time_days_mean": -2.0}, "no lead time"),
    ],
)
def test_terms_that_no_sum_can_be_done_with_hold_a_sku_out(
    broken: dict[str, float], reason: str
) -> None:
    """The contracts refuse them at the door; planning stands even where one came through."""
    terms = SupplierTerms(terms="b", supplier="acme", sku="b").model_copy(update=broken)
    world = World(known(terms))
    short(world, "a", "b")
    events = world.take_review()
    assert [line.sku for line in only(events.orders).lines] == ["a"]
    (risk,) = [one for one in events.risks if one.kind is RiskKind.HELD_OUT]
    assert (risk.sku, risk.location) == ("b", "W1")
    assert reason in risk.reason


def test_an_old_forecast_holds_a_sku_out_until_a_new_one_comes() -> None:
    world = World(known())
    old = MIDNIGHT - 100 * DAY
    world.take(level("a", 0), forecast("a", 2.0, learned_until=old))
    assert world.review() == []
    assert "100 days old" in str(world.position("a").need)
    world.take(forecast("a", 2.0))
    assert len(world.review(MIDNIGHT + DAY)) == 1


def test_an_order_below_the_minimum_value_takes_others_along_or_waits() -> None:
    terms = SupplierTerms(terms="t", supplier="acme", minimum_order_value=700.0)
    world = World(known(terms))
    short(world, "a")
    world.take(level("b", 40), forecast("b", 4.0))
    assert world.position("b").need is None, "near its reorder point, not below"
    order = only(world.review())
    assert order.value is not None
    assert order.value >= 700.0
    along = {line.sku: line for line in order.lines}["b"]
    assert along.reason.wanted_quantity == 0
    assert "minimum order value of 700.00" in (along.reason.constraint or "")

    dear = SupplierTerms(terms="t", supplier="acme", minimum_order_value=1e6)
    waiting = World(known(dear))
    short(waiting, "a")
    assert waiting.review() == []
    assert "below the supplier's minimum" in str(waiting.position("a").need)


def test_pallets_are_filled_up_and_goods_that_expire_are_not_piled_up() -> None:
    plain = World(known())
    short(plain, "a")
    wish = quantities(plain.review())["a"]
    pallet = SupplierTerms(terms="a", supplier="acme", sku="a", pallet_units=wish + 3)
    world = World(known(pallet))
    short(world, "a")
    line = only(world.review()).lines[0]
    assert (line.quantity, line.reason.rounding) == (wish + 3, f"1 pallets of {wish + 3}")

    fresh = World(known(SupplierTerms(terms="a", supplier="acme", sku="a", shelf_life_days=4)))
    short(fresh, "a")
    line = only(fresh.review()).lines[0]
    assert line.quantity == 4 * (3 + 4), "what is expected over lead time and shelf life"
    assert "shelf life of 4 days" in (line.reason.constraint or "")


def test_price_breaks_are_what_an_order_is_worth() -> None:
    terms = SupplierTerms.model_validate(
        {
            "terms": "a",
            "supplier": "acme",
            "sku": "a",
            "price_breaks": [{"from_units": 20, "unit_cost": 8.0}],
        }
    )
    world = World(known(terms))
    short(world, "a")
    order = only(world.review())
    assert order.lines[0].quantity >= 20
    assert order.lines[0].reason.unit_cost == 8.0
    assert order.value == 8.0 * order.lines[0].quantity


@settings(max_examples=40, deadline=None)
@given(
    wants=st.lists(
        st.tuples(st.integers(1, 8), st.integers(1, 3), st.floats(0.5, 20), st.floats(1, 20)),
        min_size=1,
        max_size=4,
    ),
    share=st.floats(0.05, 0.95),
)
def test_no_choice_is_better_than_the_bound_and_none_breaks_the_budget(
    wants: list[tuple[int, int, float, float]], share: float
) -> None:
    wishes = [Wish(0, packs * pack, pack, pack, cost) for packs, pack, cost, _ in wants]
    mean = np.array([one[3] for one in wants])
    costs = np.array([one[2] for one in wants])
    at_stake = stakes(
        Demand(mean, 2 * mean), costs, np.full(len(wants), 0.95), 0.25, np.full(len(wants), 10.0)
    )
    blocks = cut(wishes, at_stake)
    budget = share * float(blocks.cost.sum())
    choice = choose(blocks, budget, ["W1"] * len(wants), {})
    assert blocks.cost[choice.chosen].sum() <= budget * (1 + 1e-9)
    best = best_of_all(blocks, budget)
    assert choice.value <= best + 1e-9
    assert best <= choice.bound + 1e-9
    assert choice.value >= best - 0.01 * abs(best) - 1e-9


def best_of_all(blocks: Blocks, budget: float) -> float:
    """Return the best value over every number of blocks of each line."""
    lines = sorted(set(blocks.line.tolist()))
    values = [np.cumsum([0.0, *blocks.value[blocks.line == line]]) for line in lines]
    costs = [np.cumsum([0.0, *blocks.cost[blocks.line == line]]) for line in lines]
    return max(
        float(sum(values[n][k] for n, k in enumerate(taken)))
        for taken in product(*(range(len(one)) for one in values))
        if sum(costs[n][k] for n, k in enumerate(taken)) <= budget * (1 + 1e-9)
    )
