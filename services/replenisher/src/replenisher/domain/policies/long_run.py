"""Policies that look at the long run of an (s, S): the cheapest, and the one of a fill rate."""

from collections.abc import Callable

import numpy as np

from replenisher.domain.policies.economic_order import economic_lots
from replenisher.domain.policies.protocol import Levels, Situation
from replenisher.domain.policies.renewal import (
    cheapest,
    economic_lot,
    grid_of,
    mean_over_cycle,
    period_costs,
    period_figures,
    renewal_mass,
)
from replenisher.domain.policy import NOTHING_EXPECTED

_AT_ONCE = 128


class LeastCost:
    """(s, S) of the least mean cost: ordering, holding, units owed, units not served at once.

    Exact on stationary demand with backorders where the grid has single units; where sales are
    lost it is an approximation, since the position then goes on falling in the model by what no
    longer waits.
    """

    name = "least-cost"

    def levels(self, situation: Situation) -> Levels:
        """Return the levels, and their mean cost a day."""
        return _in_parts(situation, self._levels)

    @staticmethod
    def _levels(situation: Situation) -> Levels:
        protection, review = situation.protection_demand(), situation.review_demand()
        grid = grid_of(protection, review, economic_lot(situation))
        costs = period_costs(situation, period_figures(situation, grid))
        found = cheapest(situation.costs.order, costs, renewal_mass(review, grid), grid)
        expected = protection.mean > 0
        lower = np.where(expected, found.reorder_point, NOTHING_EXPECTED)
        upper = np.where(expected, found.order_up_to_level, 0)
        return Levels.of(
            lower,
            upper,
            LeastCost.name,
            "(s, S) of least (order_cost + sum m(j) g(S - j)) / sum m(j), j < S - s: m the renewal "
            "mass of a review period's demand, g holding, backorders and lost sales of a period",
            {
                "order_cost": situation.costs.order,
                "holding_cost": situation.costs.holding,
                "backorder_cost": situation.costs.backorder,
                "lost_sale_cost": situation.costs.lost_sale,
                "protection_demand_mean": protection.mean,
                "protection_demand_sd": protection.sd,
                "expected_cost_per_day": found.cost / situation.review_days,
            },
        )


class FillRate:
    """(s, S) with the smallest s whose expected fill rate is the target; S = s + economic lot.

    The fill rate through the loss function, over a whole cycle: not P(no stockout).
    """

    name = "fill-rate"

    def levels(self, situation: Situation) -> Levels:
        """Return the levels, and the fill rate that they are expected to give."""
        return _in_parts(situation, self._levels)

    @staticmethod
    def _levels(situation: Situation) -> Levels:
        protection, review = situation.protection_demand(), situation.review_demand()
        lot = economic_lots(situation).astype(np.float64)
        grid = grid_of(protection, review, lot)
        drops = np.clip(np.ceil(lot / grid.unit).astype(np.int64), 1, grid.own_drops)
        unmet = mean_over_cycle(
            period_figures(situation, grid).unmet, renewal_mass(review, grid), drops
        )
        share = unmet / np.maximum(review.mean, 1e-12)[:, None]
        # Held to be falling in S: what rounding leaves on it must not stop the search.
        share = np.minimum.accumulate(share, axis=1)
        allowed = 1 - situation.targets.fill_rate
        good = share <= allowed[:, None]
        place = np.minimum(
            np.where(good.any(axis=1), good.argmax(axis=1), grid.own_points - 1),
            grid.own_points - 1,
        )
        upper = (grid.start + grid.unit * place).astype(np.int64)
        lower = upper - drops * grid.unit.astype(np.int64)
        expected = protection.mean > 0
        return Levels.of(
            np.where(expected, lower, NOTHING_EXPECTED),
            np.where(expected, upper, 0),
            FillRate.name,
            "S = s + lot; s the smallest with sum m(j) (E[(D_protection - S + j)^+] - "
            "E[(D_lead - S + j)^+]) / (review_demand sum m(j)) <= 1 - fill_rate, j < lot",
            {
                "fill_rate": situation.targets.fill_rate,
                "expected_fill_rate": 1 - share[np.arange(len(share)), place],
                "lot": lot,
                "review_demand": review.mean,
                "protection_demand_mean": protection.mean,
                "protection_demand_sd": protection.sd,
            },
        )


def _in_parts(situation: Situation, levels: Callable[[Situation], Levels]) -> Levels:
    """Return the levels of all, each looked at with others of about its reach: grids stay small."""
    n = len(situation)
    if n == 0:
        return levels(situation)
    order = np.argsort(situation.protection_demand().mean + economic_lot(situation), kind="stable")
    back = np.argsort(order, kind="stable")
    found = [
        levels(situation.some(order[start : start + _AT_ONCE])) for start in range(0, n, _AT_ONCE)
    ]
    return Levels.of(
        np.concatenate([one.reorder_point for one in found])[back],
        np.concatenate([one.order_up_to_level for one in found])[back],
        found[0].policies[0],
        found[0].formulas[0],
        {
            name: np.concatenate([one.numbers[name] for one in found])[back]
            for name in found[0].numbers
        },
    )
