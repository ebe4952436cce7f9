"""Stock under a policy, day by day, for n skus at once: a pure function of what is put in.

A day: what has arrived is put away and serves who waits; what is past its shelf life is written
off; then orders may be placed; then demand comes. An order with a lead time of L days that is
placed in the morning is there on the L-th morning after.
"""

from dataclasses import dataclass, field

import numpy as np

from replenisher.domain.policies.protocol import Costs
from replenisher.domain.policy import IntArray
from replenisher.domain.protection import FloatArray

KEEPS_FOR_EVER = 10**6


@dataclass(frozen=True, slots=True)
class World:
    """What comes from outside.

    Attributes:
        demand: (n, days) units asked for.
        lead_days: (n, days) whole days that an order placed on each day takes, >= 1.
        initial: (n,) units on the shelf on the first morning.
        shelf_life_days: (n,) >= 1; from receipt.
        costs: In money.
        lost_sales: Whether what is not there is lost, not owed.
    """

    demand: IntArray
    lead_days: IntArray
    initial: IntArray
    shelf_life_days: IntArray
    costs: Costs
    lost_sales: bool


@dataclass(slots=True)
class Tally:
    """What it came to, of each sku: (n,) each, over the days that count.

    Attributes:
        days: How many those were.
        asked: Units asked for.
        unmet: Of them not served at once.
        orders_asked: Days with demand; each counts as one order.
        orders_unmet: Of them not served whole.
        cycles: Between two arrivals, the last included.
        cycles_short: Of them with something unmet.
        stockout_days: Days that ended without stock.
        held_days: Units on the shelf at the ends of days.
        owed_days: Units owed at the ends of days.
        ordered: Order lines placed.
        units_ordered: In them.
        written_off: Units past their shelf life.
    """

    days: int
    asked: IntArray
    unmet: IntArray
    orders_asked: IntArray
    orders_unmet: IntArray
    cycles: IntArray
    cycles_short: IntArray
    stockout_days: IntArray
    held_days: IntArray
    owed_days: IntArray
    ordered: IntArray
    units_ordered: IntArray
    written_off: IntArray

    @classmethod
    def of(cls, n: int) -> "Tally":
        """Return a tally of nothing."""
        return cls(0, *(np.zeros(n, dtype=np.int64) for _ in range(12)))

    def holding_cost(self, costs: Costs) -> FloatArray:
        """Return what holding cost: (n,) money."""
        return costs.holding * self.held_days

    def ordering_cost(self, costs: Costs) -> FloatArray:
        """Return what ordering cost: (n,) money."""
        return costs.order * self.ordered

    def shortage_cost(self, costs: Costs) -> FloatArray:
        """Return what being short cost: (n,) money."""
        return costs.backorder * self.owed_days + costs.lost_sale * self.unmet

    def write_off_cost(self, costs: Costs) -> FloatArray:
        """Return what was written off: (n,) money."""
        return costs.unit * self.written_off

    def cost(self, costs: Costs) -> FloatArray:
        """Return all of it: (n,) money.

        Units bought are not in it: what was sold paid for itself under every policy, and what is
        left is worth what it cost.
        """
        return (
            self.holding_cost(costs)
            + self.ordering_cost(costs)
            + self.shortage_cost(costs)
            + self.write_off_cost(costs)
        )


@dataclass(slots=True)
class Warehouse:
    """n skus, their shelves and their pipelines; changed by each day.

    Attributes:
        world: What comes from outside.
        tally: Of the days that counted.
        on_hand: (n,) units.
        owed: (n,) units.
        on_order: (n,) units.
    """

    world: World
    tally: Tally = field(init=False)
    on_hand: IntArray = field(init=False)
    owed: IntArray = field(init=False)
    on_order: IntArray = field(init=False)
    _arriving: IntArray = field(init=False)
    _received: IntArray = field(init=False)
    _gone: IntArray = field(init=False)
    _cycle_short: IntArray = field(init=False)

    def __post_init__(self) -> None:
        """Put the initial stock on the shelf."""
        n, days = self.world.demand.shape
        self.tally = Tally.of(n)
        self.on_hand = self.world.initial.astype(np.int64)
        self.owed = np.zeros(n, dtype=np.int64)
        self.on_order = np.zeros(n, dtype=np.int64)
        longest = int(self.world.lead_days.max(initial=1))
        self._arriving = np.zeros((n, days + longest + 1), dtype=np.int64)
        # Received up to each morning, so that what is older than the shelf life can be counted:
        # the oldest leave first.
        self._received = np.zeros((n, days + 1), dtype=np.int64)
        self._received[:] = self.on_hand[:, None]
        self._gone = np.zeros(n, dtype=np.int64)
        self._cycle_short = np.zeros(n, dtype=np.int64)

    @property
    def inventory_position(self) -> IntArray:
        """Return on_hand + on_order - owed: (n,) units."""
        return self.on_hand + self.on_order - self.owed

    def open(self, day: int, *, counts: bool) -> IntArray:
        """Put away what has arrived and write off what is too old; return arrivals: (n,) units."""
        came = self._arriving[:, day]
        self.on_hand += came
        self.on_order -= came
        self._received[:, day:] += came[:, None]
        served = np.minimum(self.on_hand, self.owed)
        self.on_hand -= served
        self.owed -= served
        self._gone += served
        self._write_off(day, counts=counts)
        if counts:
            ended = came > 0
            self.tally.cycles += ended
            self.tally.cycles_short += ended & (self._cycle_short > 0)
            self._cycle_short[ended] = 0
        return came

    def order(self, day: int, quantity: IntArray, *, counts: bool) -> None:
        """Place an order for each quantity above 0: (n,) units."""
        rows = np.flatnonzero(quantity > 0)
        units = quantity[rows]
        # A row stands there once, so adding in place counts each order.
        self._arriving[rows, day + self.world.lead_days[rows, day]] += units
        self.on_order[rows] += units
        if counts:
            self.tally.ordered[rows] += 1
            self.tally.units_ordered[rows] += units

    def sell(self, day: int, *, counts: bool) -> IntArray:
        """Serve the day's demand; return what could not be served at once: (n,) units."""
        asked = self.world.demand[:, day]
        served = np.minimum(self.on_hand, asked)
        unmet = asked - served
        self.on_hand -= served
        self._gone += served
        if not self.world.lost_sales:
            self.owed += unmet
        if counts:
            self._count(asked, unmet)
        return unmet

    def close(self) -> None:
        """Count the cycles that are still open."""
        self.tally.cycles += 1
        self.tally.cycles_short += self._cycle_short > 0

    def _write_off(self, day: int, *, counts: bool) -> None:
        life = self.world.shelf_life_days
        born = day - life
        rows = np.flatnonzero(born >= 0)
        if not len(rows):
            return
        expired = np.maximum(self._received[rows, born[rows]] - self._gone[rows], 0)
        expired = np.minimum(expired, self.on_hand[rows])
        self.on_hand[rows] -= expired
        self._gone[rows] += expired
        if counts:
            self.tally.written_off[rows] += expired

    def _count(self, asked: IntArray, unmet: IntArray) -> None:
        tally = self.tally
        tally.days += 1
        tally.asked += asked
        tally.unmet += unmet
        tally.orders_asked += asked > 0
        tally.orders_unmet += unmet > 0
        tally.stockout_days += self.on_hand == 0
        tally.held_days += self.on_hand
        tally.owed_days += self.owed
        self._cycle_short += unmet
