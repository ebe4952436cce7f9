"""How much to order at once: what an order costs against what holding costs.

Source: Harris (1913); with backorders and all-units price breaks Snyder & Shen (2019), chapter 3.
"""

import numpy as np

from replenisher.domain.policies.protocol import Levels, Situation
from replenisher.domain.policy import IntArray, reorder_point
from replenisher.domain.protection import FloatArray

LONGEST_DAYS = 365.0
"""An economic order never covers more: what costs nothing to hold would be bought without end."""


def economic_order_quantity(
    rate: FloatArray, order_cost: FloatArray, holding_cost: FloatArray
) -> FloatArray:
    """Return sqrt(2 K d / h): (n,) units.

    Args:
        rate: (n,) units a day, >= 0.
        order_cost: (n,) money an order, >= 0.
        holding_cost: (n,) money a unit and day, > 0.
    """
    return np.sqrt(2 * order_cost * rate / holding_cost)


def economic_order_quantity_with_backorders(
    rate: FloatArray, order_cost: FloatArray, holding_cost: FloatArray, backorder_cost: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the lot, (n,) units, and the share of it that is owed when it comes, (n,).

    Args:
        rate: (n,) units a day, >= 0.
        order_cost: (n,) money an order, >= 0.
        holding_cost: (n,) money a unit and day, > 0.
        backorder_cost: (n,) money a unit owed and day, > 0.
    """
    both = holding_cost + backorder_cost
    lot = np.sqrt(2 * order_cost * rate * both / (holding_cost * backorder_cost))
    return lot, holding_cost / both


def economic_order_quantity_with_price_breaks(
    rate: FloatArray,
    order_cost: FloatArray,
    holding_rate: FloatArray,
    breaks: FloatArray,
    unit_costs: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the lot, (n,) units, and its cost, (n,) money a day, purchases included.

    All units of a lot cost what its size earns. For each price its own economic lot, raised to the
    break where it is below it; the cheapest of those that keep to their price.

    Args:
        rate: (n,) units a day, > 0.
        order_cost: (n,) money an order, >= 0.
        holding_rate: (n,) of the unit cost a day, > 0.
        breaks: (n, k) units from which each price holds, ascending from 0.
        unit_costs: (n, k) money a unit, descending.
    """
    demand, fixed = rate[:, None], order_cost[:, None]
    holding = holding_rate[:, None] * unit_costs
    lots = np.maximum(np.sqrt(2 * fixed * demand / holding), breaks)
    above = np.full((len(breaks), 1), np.inf)
    kept = lots < np.concatenate([breaks[:, 1:], above], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        costs = unit_costs * demand + fixed * demand / lots + holding * lots / 2
    costs = np.where(kept, costs, np.inf)
    best = costs.argmin(axis=1)
    rows = np.arange(len(best))
    return lots[rows, best], costs[rows, best]


def economic_lots(situation: Situation) -> IntArray:
    """Return whole economic lots, at least what demand asks between two reviews: (n,) units."""
    rate, costs = situation.daily_rate(), situation.costs
    lot = economic_order_quantity(rate, costs.order, np.maximum(costs.holding, 1e-12))
    lot = np.clip(lot, situation.review_demand().mean, LONGEST_DAYS * rate)
    whole: IntArray = np.maximum(np.ceil(lot), situation.minimum_order_quantity).astype(np.int64)
    return whole


class EconomicLots:
    """(s, Q): lots of the economic quantity whenever the position is at s or below."""

    name = "economic-lots"

    def levels(self, situation: Situation) -> Levels:
        """Return s by cycle service level, undershoot included, and Q in whole units."""
        protection = situation.protection_demand()
        level = situation.targets.cycle_service_level
        slip = undershoot(situation)
        point = reorder_point(protection, level)
        point = np.where(point >= 0, point + np.floor(slip).astype(np.int64), point)
        lot = economic_lots(situation)
        return Levels.of(
            point,
            point + lot,
            self.name,
            "s = quantile(cycle_service_level) of the demand over lead time + review + undershoot; "
            "Q = sqrt(2 order_cost rate / holding_cost), at least the minimum order",
            {
                "cycle_service_level": level,
                "protection_demand_mean": protection.mean,
                "protection_demand_sd": protection.sd,
                "undershoot": slip,
                "rate": situation.daily_rate(),
                "order_cost": situation.costs.order,
                "holding_cost": situation.costs.holding,
            },
            lot=lot,
        )


def undershoot(situation: Situation) -> FloatArray:
    """Return by how much the position is below s when a review finds it, beyond what is even.

    Mean undershoot of a renewal process, E[D^2] / (2 E[D]) with D the demand of one review period
    (Karlin 1958), less the half period of demand that the review period in the protection
    interval already covers; 0 where demand is not lumpy: (n,) units.
    """
    demand = situation.review_demand()
    mean = np.maximum(demand.mean, 1e-12)
    lumps = (demand.variance + mean**2) / (2 * mean) - mean / 2 - 0.5
    return np.where(demand.mean > 0, np.maximum(lumps, 0.0), 0.0)
