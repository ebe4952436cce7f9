"""The same models as stockpyl has them, to 1e-6."""

import numpy as np
import pytest
from scipy import stats
from stockpyl import eoq, finite_horizon, newsvendor, ss
from tests.unit.replenisher.policies.situations import situation

from replenisher.domain.policies import economic_order
from replenisher.domain.policies import finite_horizon as programme
from replenisher.domain.policies import newsvendor as vendor
from replenisher.domain.policies.long_run import LeastCost
from replenisher.domain.policies.renewal import (
    cheapest,
    grid_of,
    mean_over_cycle,
    period_costs,
    period_figures,
    renewal_mass,
)
from replenisher.domain.protection import Demand

CASES = [(8.0, 0.225, 1300.0, 5.0), (100.0, 5.0, 10_000.0, 9.0), (3.0, 0.01, 0.4, 0.19)]


def one(value: float) -> np.ndarray:
    return np.array([value])


@pytest.mark.parametrize(("fixed", "holding", "rate", "backorder"), CASES)
def test_economic_order_quantities(
    fixed: float, holding: float, rate: float, backorder: float
) -> None:
    lot = economic_order.economic_order_quantity(one(rate), one(fixed), one(holding))
    assert lot[0] == pytest.approx(eoq.economic_order_quantity(fixed, holding, rate)[0], abs=1e-6)
    lots, owed = economic_order.economic_order_quantity_with_backorders(
        one(rate), one(fixed), one(holding), one(backorder)
    )
    known = eoq.economic_order_quantity_with_backorders(fixed, holding, backorder, rate)
    assert (lots[0], owed[0]) == pytest.approx(known[:2], abs=1e-6)


def test_the_example_that_much_read_articles_get_wrong() -> None:
    lot = economic_order.economic_order_quantity(one(10_000), one(100), one(5))
    assert lot[0] == pytest.approx(632.4555, abs=1e-4)


@pytest.mark.parametrize("rate", [1300.0, 200.0, 20_000.0])
def test_price_breaks_of_all_units(rate: float) -> None:
    breaks, prices = [0, 400, 800], [0.75, 0.72, 0.68]
    lots, costs = economic_order.economic_order_quantity_with_price_breaks(
        one(rate), one(8), one(0.3), np.array([breaks], float), np.array([prices])
    )
    known = eoq.economic_order_quantity_with_all_units_discounts(8, 0.3, rate, breaks, prices)
    assert (lots[0], costs[0]) == pytest.approx((known[0], known[2]), abs=1e-6)


def test_newsvendors() -> None:
    level, cost = vendor.newsvendor_normal(one(50), one(8), one(0.7), one(0.18))
    known = newsvendor.newsvendor_normal(0.18, 0.70, 50, 8)
    assert (level[0], cost[0]) == pytest.approx(known, abs=1e-6)
    demand = Demand(one(50.0), one(50.0))
    quantity, cost = vendor.newsvendor_discrete(demand, one(0.7), one(0.18))
    known = newsvendor.newsvendor_poisson(0.18, 0.70, 50)
    assert (quantity[0], cost[0]) == pytest.approx(known, abs=1e-6)
    masses = stats.nbinom.pmf(np.arange(400), 4.0, 0.1)
    known = newsvendor.newsvendor_discrete(
        1.0, 4.0, demand_pmf=dict(enumerate(masses / masses.sum()))
    )
    found = vendor.newsvendor_of_masses((masses / masses.sum())[None], one(4.0), one(1.0))
    assert found[0] == known[0]
    mean, variance = stats.nbinom.stats(4.0, 0.1)
    quantity, cost = vendor.newsvendor_discrete(
        Demand(one(mean), one(variance)), one(4.0), one(1.0)
    )
    assert (quantity[0], cost[0]) == pytest.approx(known, abs=1e-6)


@pytest.mark.parametrize(
    ("mean", "holding", "backorder", "fixed"), [(6, 1, 4, 5), (0.7, 0.1, 3, 2), (20, 1, 19, 64)]
)
def test_the_cheapest_levels_of_poisson_demand(
    mean: float, holding: float, backorder: float, fixed: float
) -> None:
    known = ss.s_s_discrete_exact(holding, backorder, fixed, True, demand_mean=mean)
    found = LeastCost().levels(
        situation(mean, holding=holding, backorder=backorder, order=fixed, lead=0.0, review=1.0)
    )
    cost = found.numbers["expected_cost_per_day"][0]
    assert cost == pytest.approx(known[2], abs=1e-6)
    of_mine = ss.s_s_cost_discrete(
        int(found.reorder_point[0]),
        int(found.order_up_to_level[0]),
        holding,
        backorder,
        fixed,
        True,
        demand_mean=mean,
    )
    assert of_mine == pytest.approx(known[2], abs=1e-6)


def test_the_cost_of_any_levels() -> None:
    where = situation(6.0, holding=1.0, backorder=4.0, order=5.0)
    protection = where.protection_demand()
    grid = grid_of(protection, where.review_demand(), one(12.0))
    costs = period_costs(where, period_figures(where, grid))
    masses = renewal_mass(where.review_demand(), grid)
    mean = mean_over_cycle(costs, masses, np.array([6]))
    place = int(10 - grid.start[0])
    fixed = 5.0 / masses[0, :6].sum()
    assert mean[0, place] + fixed == pytest.approx(8.034111561471642, abs=1e-6)
    best = cheapest(one(5.0), costs, masses, grid)
    assert best.cost[0] == pytest.approx(8.034111561471642, abs=1e-6)


def test_the_finite_horizon() -> None:
    periods, mean, sd = 5, 20.0, 2.5  # nothing below zero: stockpyl would take it as demand
    costs = (1.0, 20.0, 1.0, 20.0, 2.0, 50.0)
    _, _, _, costs_by_state, levels, positions = finite_horizon.finite_horizon_dp(
        periods, *costs, mean, sd, discount_factor=0.98, d_spread=8, x_range=np.arange(-60, 141)
    )
    positions = np.array(positions)
    units = np.arange(0, int(mean + 8 * sd) + 1)
    masses = stats.norm.cdf(units + 0.5, mean, sd) - stats.norm.cdf(units - 0.5, mean, sd)
    z = (positions - mean) / sd
    short = sd * (stats.norm.pdf(z) - z * stats.norm.sf(z))
    gain = -(costs[0] * (positions - mean + short) + costs[1] * short)
    prices = programme.Prices(
        price=one(0.0),
        order=one(costs[5]),
        unit=one(costs[4]),
        delivery=one(0.0),
        holding=one(costs[0]),
        short=one(costs[1]),
        end_holding=one(costs[2]),
        end_short=one(costs[3]),
    )
    plan = programme.solve(
        np.tile(masses, (1, periods, 1)),
        np.tile(gain, (1, periods, 1)),
        prices,
        positions,
        discount=0.98,
    )
    inner = slice(61, 140)  # the edges of both are cut
    np.testing.assert_allclose(-plan.profit[0, inner], costs_by_state[1, inner], atol=1e-6)
    np.testing.assert_array_equal(plan.order_up_to[0, 0, inner], levels[1, inner])
