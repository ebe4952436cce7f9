"""What an (s, S) policy does in the long run, on a grid of positions, for n skus at once.

Between two orders the position falls from S by the demand of each review period; the renewal mass
m(j) is how often it is expected to stand j below S. With g(y) what a review period costs that
begins at position y, the mean cost of a period under (s, S), D = S - s, is

    c(s, S) = (K + sum_{j < D} m(j) g(S - j)) / sum_{j < D} m(j)

Exact for demand that is alike and independent from period to period, with backorders, whatever the
lead time. Source: Zheng & Federgruen (1991).
"""

from dataclasses import dataclass

import numpy as np

from replenisher.domain.policies.distribution import masses
from replenisher.domain.policies.economic_order import LONGEST_DAYS
from replenisher.domain.policies.protocol import Situation
from replenisher.domain.policy import IntArray
from replenisher.domain.protection import Demand, FloatArray

POINTS_MAX = 256
"""Positions a sku is looked at: where its demand needs more, it is counted in larger steps."""
_FINER = 8
"""Steps of demand within one of positions, at most."""
_DEVIATIONS = 6.0
_NODES = 3


@dataclass(frozen=True, slots=True)
class Grid:
    """Positions to look at: start + unit * (0 .. points - 1).

    Attributes:
        start: (n,) units, the lowest; whole steps below 0.
        unit: (n,) units a step, whole, >= 1.
        fine: (n,) units a step of demand; whole, `unit` is a multiple of it.
        own_drops: (n,) How many steps below S are looked at.
        own_points: (n,) How many positions; beyond them the grid only pads.
        reach: (n,) How many fine steps of demand are looked at.
    """

    start: FloatArray
    unit: FloatArray
    fine: FloatArray
    own_drops: IntArray
    own_points: IntArray
    reach: IntArray

    @property
    def drops(self) -> int:
        """Return the most steps below S."""
        return int(self.own_drops.max(initial=1))

    @property
    def points(self) -> int:
        """Return the most positions."""
        return int(self.own_points.max(initial=1))

    @property
    def positions(self) -> FloatArray:
        """Return the positions: (n, points) units."""
        return self.start[:, None] + self.unit[:, None] * np.arange(self.points)


def grid_of(protection: Demand, review: Demand, lot: FloatArray) -> Grid:
    """Return positions from below any sensible s to above any sensible S.

    Args:
        protection: (n,) demand over lead time + review.
        review: (n,) demand of one review period.
        lot: (n,) units, about what is ordered at once.
    """
    reach = np.ceil(2.0 * lot + 2 * review.mean + 3 * review.sd) + 2
    below = np.ceil(np.minimum(lot / 2, protection.mean)) + 2
    high = np.ceil(protection.mean + _DEVIATIONS * protection.sd) + 2
    span = below + high + reach
    unit = np.maximum(np.ceil(span / POINTS_MAX), 1.0)
    fine = np.where(unit > _FINER, np.ceil(unit / _FINER), 1.0)
    unit = np.where(unit > _FINER, fine * _FINER, unit)
    return Grid(
        start=-unit * np.ceil(below / unit),
        unit=unit,
        fine=fine,
        own_drops=np.ceil(reach / unit).astype(np.int64),
        own_points=np.ceil(span / unit).astype(np.int64) + 2,
        reach=np.ceil((high + reach) / fine).astype(np.int64) + 2 * _FINER,
    )


def shortages(demand: Demand, grid: Grid) -> FloatArray:
    """Return E[(demand - position)^+]: (n, points) units."""
    parts = (grid.unit / grid.fine).astype(np.int64)
    zero = (-grid.start / grid.unit).astype(np.int64)
    above = 1 - masses(demand, grid.fine, grid.reach).cumsum(axis=1)
    # The mean less what lies up to each position: E[min(D, y)] is the sum of P(D > k), k < y.
    within = np.zeros_like(above)
    within[:, 1:] = (grid.fine[:, None] * np.maximum(above, 0.0)).cumsum(axis=1)[:, :-1]
    places = np.arange(grid.points) - zero[:, None]
    at = np.clip(places * parts[:, None], 0, grid.reach[:, None] - 1)
    served = np.take_along_axis(within, at, axis=1)
    owed = np.minimum(places, 0) * grid.unit[:, None]
    short: FloatArray = np.maximum(demand.mean[:, None] - served, 0.0) - owed
    return short


def falls(demand: Demand, grid: Grid) -> FloatArray:
    """Return the probabilities of so many steps of demand, each to its nearest: (n, drops)."""
    parts = grid.unit / grid.fine
    below = masses(demand, grid.fine, grid.reach).cumsum(axis=1)
    half = np.floor((np.arange(grid.drops) + 0.5) * parts[:, None]).astype(np.int64)
    half = np.minimum(half, grid.reach[:, None] - 1)
    found: FloatArray = np.diff(np.take_along_axis(below, half, axis=1), axis=1, prepend=0.0)
    return found


def renewal_mass(review: Demand, grid: Grid) -> FloatArray:
    """Return m(j), how often the position stands j steps below S before it is ordered for.

    Returns:
        (n, grid.drops), in review periods.
    """
    fallen = falls(review, grid)
    # Where next to nothing sells, the position stays for (almost) ever.
    stays = 1 / np.maximum(1 - fallen[:, 0], 1e-6)
    found = np.zeros_like(fallen)
    found[:, 0] = stays
    for drop in range(1, grid.drops):
        came = (found[:, :drop] * fallen[:, drop:0:-1]).sum(axis=1)
        found[:, drop] = came * stays
    return found


@dataclass(frozen=True, slots=True)
class PeriodFigures:
    """What is expected of one review period that begins at each position: (n, points) each.

    The period is the one that the order of this review can still help: it begins after the lead
    time.

    Attributes:
        unmet: Units asked for in the period that cannot be served at once.
        short_days: Units owed at the ends of days, summed over the days.
        held_days: Units held at the ends of days, summed over the days.
    """

    unmet: FloatArray
    short_days: FloatArray
    held_days: FloatArray


def period_figures(situation: Situation, grid: Grid) -> PeriodFigures:
    """Return what is expected of a review period, by the position at its beginning.

    Days are looked at by their ends. Of long periods some days stand for all.
    """
    positions = grid.positions
    review = situation.review_days
    before = shortages(situation.lead_time_demand(), grid)
    after = shortages(situation.protection_demand(), grid)
    short = np.zeros_like(positions)
    held = np.zeros_like(positions)
    nodes = np.minimum(np.ceil(review), _NODES)
    for node in range(int(nodes.max(initial=1))):
        # The middle of each of so many parts of the days 1 .. review.
        day = 0.5 + review * (2 * np.minimum(node, nodes - 1) + 1) / (2 * nodes)
        demand = situation.lead_time_demand(day)
        lost = after if np.array_equal(day, review) else shortages(demand, grid)
        share = np.where(node < nodes, review / nodes, 0.0)[:, None]
        short += share * lost
        held += share * (positions - demand.mean[:, None] + lost)
    return PeriodFigures(np.maximum(after - before, 0.0), short, np.maximum(held, 0.0))


def period_costs(situation: Situation, figures: PeriodFigures) -> FloatArray:
    """Return g, what a review period costs by the position it begins at: (n, points) money."""
    costs = situation.costs
    return (
        costs.holding[:, None] * figures.held_days
        + costs.backorder[:, None] * figures.short_days
        + costs.lost_sale[:, None] * figures.unmet
    )


@dataclass(frozen=True, slots=True)
class Cheapest:
    """The levels of least mean cost.

    Attributes:
        reorder_point: (n,) units.
        order_up_to_level: (n,) units.
        cost: (n,) money a review period.
    """

    reorder_point: IntArray
    order_up_to_level: IntArray
    cost: FloatArray


def cheapest(
    order_cost: FloatArray, costs: FloatArray, renewal: FloatArray, grid: Grid
) -> Cheapest:
    """Return the best of all s < S on the grid.

    Args:
        order_cost: (n,) money.
        costs: (n, points) of a period, by position.
        renewal: (n, drops) the renewal mass.
        grid: The positions.
    """
    n = len(order_cost)
    rows = np.arange(n)
    spent = np.tile(order_cost[:, None], (1, grid.points))
    periods = np.zeros(n)
    padding = np.arange(grid.points) >= grid.own_points[:, None]
    best = np.full(n, np.inf)
    upper = np.zeros(n, dtype=np.intp)
    drop = np.zeros(n, dtype=np.intp)
    for step in range(grid.drops):
        # From here on `spent` knows positions S down to S - step; those below the grid are not.
        spent[:, step:] += renewal[:, step, None] * costs[:, : grid.points - step]
        periods += renewal[:, step]
        mean = spent[:, step + 1 :] / periods[:, None]
        mean[padding[:, step + 1 :]] = np.inf
        place = mean.argmin(axis=1)
        least = mean[rows, place]
        better = (least < best) & (step < grid.own_drops)
        best = np.where(better, least, best)
        upper = np.where(better, place + step + 1, upper)
        drop = np.where(better, step + 1, drop)
    high = grid.start + grid.unit * upper
    low = high - grid.unit * drop
    return Cheapest(low.astype(np.int64), high.astype(np.int64), best)


def mean_over_cycle(values: FloatArray, renewal: FloatArray, drops: IntArray) -> FloatArray:
    """Return the mean of a period's figure over a cycle from each S: (n, points).

    Positions below the grid count as its lowest.

    Args:
        values: (n, points) by position.
        renewal: (n, drops) the renewal mass.
        drops: (n,) steps from S to s, >= 1, at most as many as there are drops.
    """
    held = np.where(np.arange(renewal.shape[1]) < drops[:, None], renewal, 0.0)
    total = np.zeros_like(values)
    for step in range(int(drops.max(initial=0))):
        weight = held[:, step, None]
        total[:, step:] += weight * values[:, : values.shape[1] - step]
        total[:, :step] += weight * values[:, :1]
    mean: FloatArray = total / held.sum(axis=1, keepdims=True)
    return mean


def economic_lot(situation: Situation) -> FloatArray:
    """Return about what one order should be where being short costs too: (n,) units.

    Between the lot without and with backorders; bounds the grid, and decides nothing else.
    """
    costs, rate = situation.costs, situation.daily_rate()
    holding = np.maximum(costs.holding, 1e-12)
    owed = costs.backorder + costs.lost_sale / np.maximum(
        situation.lead_time_days + situation.review_days, 1.0
    )
    share = np.where(owed > 0, np.sqrt((holding + owed) / np.maximum(owed, 1e-12)), 1.0)
    lot = np.sqrt(2 * costs.order * rate / holding) * np.minimum(share, 3.0)
    bounded: FloatArray = np.clip(lot, situation.review_demand().mean, LONGEST_DAYS * rate)
    return bounded
