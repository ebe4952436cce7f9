"""The dynamic programme over a finite horizon that maximises expected profit.

    V_t(x) = max_{y >= x} -K 1[y > x] - c (y - x) + E[r served - q served - h over - b short]
             + discount E[V_{t+1}(next position)]

Exact on the inventory position where what is short is owed, whatever the lead time; and where sales
are lost and the lead time is 0. With lost sales and a lead time the pipeline belongs to the state:
then the position alone is an approximation, and `Plan.exact` says so.

Source: Scarf (1960); Snyder & Shen (2019), section 4.4.
"""

from dataclasses import dataclass

import numpy as np

from replenisher.domain.policy import IntArray
from replenisher.domain.protection import FloatArray


@dataclass(frozen=True, slots=True)
class Prices:
    """What things bring and cost, in money; (n,) each.

    Attributes:
        price: Of one unit sold (r).
        order: Of one order, however large (K), >= 0.
        unit: Of one unit bought (c).
        delivery: Of one unit handed over (q).
        holding: Of one unit left at the end of a period (h), >= 0.
        short: Of one unit short at the end of a period (b), >= 0.
        end_holding: As holding, once more, of what is left at the very end (negative: a credit).
        end_short: As short, once more, of what is owed at the very end.
    """

    price: FloatArray
    order: FloatArray
    unit: FloatArray
    delivery: FloatArray
    holding: FloatArray
    short: FloatArray
    end_holding: FloatArray
    end_short: FloatArray


@dataclass(frozen=True, slots=True)
class Plan:
    """What is best in each period, from each position.

    Attributes:
        positions: (k,) units, ascending.
        order_up_to: (n, periods, k) units to bring the position to; itself where nothing is best.
        profit: (n, k) expected of all periods, in money, by the position at the beginning.
        exact: Whether the position is all of the state.
    """

    positions: IntArray
    order_up_to: IntArray
    profit: FloatArray
    exact: bool

    def reorder_point(self, period: int) -> IntArray:
        """Return the highest position that is ordered from: (n,); below all of them where none."""
        ordered = self.order_up_to[:, period] > self.positions
        last = ordered.shape[1] - 1 - ordered[:, ::-1].argmax(axis=1)
        none = self.positions[0] - 1
        found: IntArray = np.where(ordered.any(axis=1), self.positions[last], none)
        return found


def solve(
    demand: FloatArray,
    gains: FloatArray,
    prices: Prices,
    positions: IntArray,
    *,
    discount: float = 1.0,
    lost_sales: bool = False,
    lead_time_periods: int = 0,
) -> Plan:
    """Return the plan of most expected profit, of n skus.

    Args:
        demand: (n, periods, d) probabilities of 0 .. d - 1 units, by period.
        gains: (n, periods, k) what is expected of a period by the position after ordering, all but
            the order itself; see `period_gain`.
        prices: In money.
        positions: (k,) consecutive whole units; a position that falls below counts as the lowest.
        discount: Of one period, in (0, 1].
        lost_sales: Whether what is short is lost, not owed.
        lead_time_periods: From order to receipt; says only whether the plan is exact.
    """
    n, periods, _ = demand.shape
    k = len(positions)
    start = _ending(prices, positions, lost_sales=lost_sales)
    value = np.broadcast_to(start, (n, k)).copy()
    plan = np.empty((n, periods, k), dtype=np.int64)
    for period in range(periods - 1, -1, -1):
        after = _expected(demand[:, period], value, positions, lost_sales=lost_sales)
        at_level = gains[:, period] + discount * after - prices.unit[:, None] * positions
        best, where = _best_above(at_level)
        orders = best - prices.order[:, None] > at_level
        plan[:, period] = np.where(orders, positions[where], positions)
        value = np.where(orders, best - prices.order[:, None], at_level)
        value += prices.unit[:, None] * positions
    return Plan(positions, plan, value, exact=not (lost_sales and lead_time_periods > 0))


def _ending(prices: Prices, positions: IntArray, *, lost_sales: bool) -> FloatArray:
    over, short = np.maximum(positions, 0), np.maximum(-positions, 0)
    owed = 0 * short if lost_sales else short
    left: FloatArray = prices.end_holding[:, None] * over + prices.end_short[:, None] * owed
    return -left


def period_gain(
    masses: FloatArray, prices: Prices, positions: IntArray, *, lost_sales: bool = False
) -> FloatArray:
    """Return what a period is expected to bring from each position after ordering: (n, k) money.

    With a lead time of L periods the position of a period meets the demand of L + 1 periods: what
    an order of now can still help is the end of the last of them.

    Args:
        masses: (n, e) probabilities of 0 .. e - 1 units, over lead time + one period.
        prices: In money.
        positions: (k,) units.
        lost_sales: Whether what is short is lost, not owed.
    """
    units = np.arange(masses.shape[1])
    short = np.maximum(units[:, None] - positions, 0)
    over = np.maximum(positions - units[:, None], 0)
    mean = masses @ units
    lost, left = masses @ short, masses @ over
    margin = (prices.price - prices.delivery)[:, None]
    # What is owed is sold later: with backorders all of the demand is sold in the end.
    sold = mean[:, None] - lost if lost_sales else np.broadcast_to(mean[:, None], lost.shape)
    gain: FloatArray = margin * sold - prices.holding[:, None] * left - prices.short[:, None] * lost
    return gain


def _expected(
    masses: FloatArray, value: FloatArray, positions: IntArray, *, lost_sales: bool
) -> FloatArray:
    """Return the expected value of the position after demand: (n, k)."""
    k = len(positions)
    places = np.arange(k)
    floor = int(np.clip(-positions[0], 0, k - 1)) if lost_sales else 0
    found = np.zeros_like(value)
    for units in range(masses.shape[1]):
        # Lost sales leave nothing owed: the position stops at 0, unless it begins below.
        target = np.maximum(places - units, np.minimum(places, floor) if lost_sales else 0)
        found += masses[:, units, None] * value[:, target]
    return found


def _best_above(values: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return for each position the largest value at it or above, and where that is: (n, k) each."""
    back = values[:, ::-1]
    best = np.maximum.accumulate(back, axis=1)
    places = np.where(back == best, np.arange(values.shape[1]), 0)
    where = np.maximum.accumulate(places, axis=1)
    return best[:, ::-1], values.shape[1] - 1 - where[:, ::-1]
