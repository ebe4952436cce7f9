"""The newsvendor: one chance to buy, before demand is known.

Q* = F^-1(Cu / (Cu + Co)), Cu the cost of one short, Co of one over. Source: Snyder & Shen (2019),
chapter 4.
"""

import numpy as np
from scipy.stats import norm

from replenisher.domain.policies.distribution import shortage
from replenisher.domain.policies.protocol import Levels, Situation
from replenisher.domain.policy import NOTHING_EXPECTED, IntArray, demand_quantile
from replenisher.domain.protection import Demand, FloatArray


def critical_ratio(short_cost: FloatArray, over_cost: FloatArray) -> FloatArray:
    """Return Cu / (Cu + Co): (n,); 0 where neither costs anything.

    Args:
        short_cost: (n,) money a unit short, >= 0.
        over_cost: (n,) money a unit over, >= 0.
    """
    both = short_cost + over_cost
    return np.where(both > 0, short_cost / np.where(both > 0, both, 1.0), 0.0)


def newsvendor_normal(
    mean: FloatArray, sd: FloatArray, short_cost: FloatArray, over_cost: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the quantity, (n,) units, and its expected cost, (n,) money, for normal demand.

    Args:
        mean: (n,) units.
        sd: (n,) units, > 0.
        short_cost: (n,) money a unit, > 0.
        over_cost: (n,) money a unit, > 0.
    """
    z = norm.ppf(critical_ratio(short_cost, over_cost))
    return mean + z * sd, (short_cost + over_cost) * norm.pdf(z) * sd


def newsvendor_discrete(
    demand: Demand, short_cost: FloatArray, over_cost: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Return the whole quantity, (n,) units, and its expected cost, (n,) money.

    Args:
        demand: (n,) with mean > 0; negative binomial, or Poisson where it cannot be one.
        short_cost: (n,) money a unit, > 0.
        over_cost: (n,) money a unit, > 0.
    """
    quantity = demand_quantile(demand, critical_ratio(short_cost, over_cost))
    lost = shortage(demand, quantity[:, None].astype(np.float64))[:, 0]
    left = quantity - demand.mean + lost
    return quantity, short_cost * lost + over_cost * left


def newsvendor_of_masses(
    masses: FloatArray, short_cost: FloatArray, over_cost: FloatArray
) -> IntArray:
    """Return the whole quantity for demand given by its probabilities: (n,) units.

    Args:
        masses: (n, k) P(demand = 0 .. k - 1), each row adding up to 1.
        short_cost: (n,) money a unit, > 0.
        over_cost: (n,) money a unit, > 0.
    """
    # 1e-12: a sum of probabilities that should be equal to the ratio may fall short of it.
    enough = masses.cumsum(axis=1) >= critical_ratio(short_cost, over_cost)[:, None] - 1e-12
    quantity: IntArray = np.where(enough.any(axis=1), enough.argmax(axis=1), masses.shape[1] - 1)
    return quantity


def newsvendor_of_quantiles(
    levels: FloatArray, quantiles: FloatArray, short_cost: FloatArray, over_cost: FloatArray
) -> FloatArray:
    """Return the quantity for demand given by quantiles: (n,) units.

    Straight between two quantiles; beyond the outermost the outermost, since nothing is known
    there.

    Args:
        levels: (k,) ascending, in (0, 1).
        quantiles: (n, k) units, ascending along each row.
        short_cost: (n,) money a unit, > 0.
        over_cost: (n,) money a unit, > 0.
    """
    ratio = np.clip(critical_ratio(short_cost, over_cost), levels[0], levels[-1])
    above = np.clip(np.searchsorted(levels, ratio), 1, len(levels) - 1)
    rows = np.arange(len(ratio))
    share = (ratio - levels[above - 1]) / (levels[above] - levels[above - 1])
    low, high = quantiles[rows, above - 1], quantiles[rows, above]
    found: FloatArray = low + share * (high - low)
    return found


class Newsvendor:
    """One chance for what perishes: up to the critical ratio's quantile of demand.

    A unit that is over costs what it costs to hold, and its own price when it is not sold within
    the cover period; so it is written for what does not keep.
    """

    name = "newsvendor"

    def levels(self, situation: Situation) -> Levels:
        """Return S as the critical quantile, and s one below it: every review orders."""
        costs = situation.costs
        protection = situation.protection_demand()
        short_cost = costs.lost_sale + costs.backorder * situation.review_days
        over_cost = costs.unit + costs.holding * situation.review_days
        ratio = critical_ratio(short_cost, over_cost)
        expected = (protection.mean > 0) & (ratio > 0)
        asked = Demand(
            np.where(expected, protection.mean, 1.0), np.where(expected, protection.variance, 1.0)
        )
        quantity = demand_quantile(asked, np.clip(ratio, 1e-9, 1 - 1e-9))
        upper = np.where(expected, quantity, 0)
        return Levels.of(
            np.where(expected, upper - 1, NOTHING_EXPECTED),
            upper,
            self.name,
            "S = quantile(short_cost / (short_cost + over_cost)) of the demand over lead time + "
            "review; s = S - 1",
            {
                "short_cost": short_cost,
                "over_cost": over_cost,
                "critical_ratio": ratio,
                "protection_demand_mean": protection.mean,
                "protection_demand_sd": protection.sd,
            },
        )
