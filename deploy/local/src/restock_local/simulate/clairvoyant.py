"""What it would have cost to know demand and lead times: a bound, as context.

Each sku by itself, without packs and budgets. Orders come when they come, and each serves what is
asked for after it; a dynamic programme over the orders, in the order of their arrival, chooses
which to place. What lies on the shelf at the beginning serves first. Source: Wagner & Whitin
(1958), with backorders Zangwill (1966).
"""

import numpy as np

from replenisher.domain.policy import IntArray
from replenisher.domain.protection import FloatArray
from restock_local.simulate.setting import Setting


def least_cost(setting: Setting) -> FloatArray:
    """Return the least possible cost of each sku: (n,) money."""
    demand = setting.demand[:, setting.start :]
    left, held = _after_initial(demand, setting.initial)
    holding = setting.costs.holding * held
    reviews = np.array(setting.reviews) - setting.start
    leads = setting.lead_days[:, setting.start :][:, reviews]
    costs = setting.costs
    found = np.empty(len(demand))
    for row in range(len(demand)):
        found[row] = _of_one(
            left[row],
            np.sort(reviews + leads[row]),
            float(costs.order[row]),
            float(costs.holding[row]),
            float(costs.backorder[row]),
            float(costs.lost_sale[row]),
        )
    return found + holding


def _after_initial(demand: IntArray, initial: IntArray) -> tuple[IntArray, IntArray]:
    """Return what the initial stock does not serve, (n, days), and its unit-days held, (n,)."""
    total = demand.cumsum(axis=1)
    shelf = np.maximum(initial[:, None] - total, 0)
    unserved = np.maximum(total - initial[:, None], 0)
    return np.diff(unserved, axis=1, prepend=0), shelf.sum(axis=1)


def _of_one(
    demand: IntArray,
    arrivals: IntArray,
    order_cost: float,
    holding: float,
    backorder: float,
    lost_sale: float,
) -> float:
    """Return the least cost of serving `demand`, (days,), from orders that arrive on given days.

    Between two orders that are placed, each day's demand is served by the first, held until then,
    or by the second, owed until then, or not at all: whatever costs least.
    """
    days = len(demand)
    arrivals = np.unique(arrivals[arrivals < days])
    day = np.arange(days)
    nodes = [-1, *arrivals.tolist()]
    ends = [*arrivals.tolist(), days]
    best = np.full(len(nodes), np.inf)
    best[0] = 0.0
    finished = np.inf
    for place, node in enumerate(nodes):
        if not np.isfinite(best[place]):
            continue
        start = max(node, 0)
        held = holding * (day - start) if node >= 0 else np.full(days, np.inf)
        for end in ends[place:]:
            span = slice(start, end)
            # At the very end too: what is owed then has been owed until then.
            later = backorder * (end - day[span]) if lost_sale == 0 else lost_sale
            cost = best[place] + float((demand[span] * np.minimum(held[span], later)).sum())
            if end == days:
                finished = min(finished, cost)
            else:
                at = nodes.index(end)
                best[at] = min(best[at], cost + order_cost)
    return finished
