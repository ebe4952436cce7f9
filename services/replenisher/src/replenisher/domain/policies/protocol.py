"""What every replenishment policy is asked, and what it answers, for n skus at once.

A policy turns what is known of demand, lead time, costs and targets into levels of the inventory
position: at or below the reorder point s something is ordered, up to S or in lots of Q. It knows
nothing of the position itself, nor of what binds an order (budgets, trucks): what is ordered of
the wish that `Levels.wanted` is, is the plan's affair.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from replenisher.domain.policy import IntArray
from replenisher.domain.protection import Demand, FloatArray, HorizonGrid


@dataclass(frozen=True, slots=True)
class Costs:
    """What things cost, in money; (n,) each, >= 0.

    Attributes:
        order: Of placing one order line, however large (K).
        unit: Of one unit bought (c).
        holding: Of one unit held for a day (h).
        backorder: Of one unit owed for a day (b); 0 where nobody waits.
        lost_sale: Of one unit asked for that cannot be served at once, whatever comes later (p).
    """

    order: FloatArray
    unit: FloatArray
    holding: FloatArray
    backorder: FloatArray
    lost_sale: FloatArray


@dataclass(frozen=True, slots=True)
class Targets:
    """What service is wanted; (n,) each. A policy reads the one that it is made for.

    Attributes:
        cycle_service_level: P(no stockout in an order cycle), in (0, 1).
        fill_rate: Units served at once / units asked for, in (0, 1).
    """

    cycle_service_level: FloatArray
    fill_rate: FloatArray


@dataclass(frozen=True, slots=True)
class Situation:
    """n skus at their locations, as they are known at a review.

    Attributes:
        horizons: What is forecast of each.
        lead_time_days: (n,) Mean, from order to receipt, >= 0.
        lead_time_sd_days: (n,) Its spread, >= 0.
        review_days: (n,) Between two chances to order, > 0.
        cover_days: (n,) How long one order should last where no cost says it.
        costs: In money.
        targets: In service.
        minimum_order_quantity: (n,) Units, >= 1.
        pack_size: (n,) Units, >= 1.
    """

    horizons: HorizonGrid
    lead_time_days: FloatArray
    lead_time_sd_days: FloatArray
    review_days: FloatArray
    cover_days: FloatArray
    costs: Costs
    targets: Targets
    minimum_order_quantity: IntArray
    pack_size: IntArray

    def __len__(self) -> int:
        return len(self.lead_time_days)

    def some(self, rows: IntArray) -> "Situation":
        """Return some of the skus, in the order given."""
        horizons, costs, targets = self.horizons, self.costs, self.targets
        return Situation(
            horizons=HorizonGrid(
                horizons.days[rows], horizons.mean[rows], horizons.size[rows], horizons.count[rows]
            ),
            lead_time_days=self.lead_time_days[rows],
            lead_time_sd_days=self.lead_time_sd_days[rows],
            review_days=self.review_days[rows],
            cover_days=self.cover_days[rows],
            costs=Costs(
                costs.order[rows],
                costs.unit[rows],
                costs.holding[rows],
                costs.backorder[rows],
                costs.lost_sale[rows],
            ),
            targets=Targets(targets.cycle_service_level[rows], targets.fill_rate[rows]),
            minimum_order_quantity=self.minimum_order_quantity[rows],
            pack_size=self.pack_size[rows],
        )

    def lead_time_demand(self, further_days: FloatArray | float = 0.0) -> Demand:
        """Return the demand over the (random) lead time and so many days more: (n,)."""
        interval = np.maximum(self.lead_time_days + further_days, 1e-9)
        return self.horizons.protection_demand(interval, self.lead_time_sd_days)

    def protection_demand(self) -> Demand:
        """Return the demand over lead time + review period: (n,)."""
        return self.lead_time_demand(self.review_days)

    def review_demand(self) -> Demand:
        """Return the demand of one review period: (n,)."""
        return self.horizons.demand_over(self.review_days)

    def cover_demand_mean(self) -> FloatArray:
        """Return what is expected over the cover period: (n,) units."""
        return self.horizons.demand_over(self.cover_days).mean

    def daily_rate(self) -> FloatArray:
        """Return the mean demand a day over the protection interval: (n,) units."""
        interval = np.maximum(self.lead_time_days + self.review_days, 1e-9)
        return self.horizons.demand_over(interval).mean / interval


@dataclass(frozen=True, slots=True)
class Trace:
    """The sum behind one sku's levels: policy, formula, and the numbers that were put in."""

    policy: str
    formula: str
    numbers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Levels:
    """What a policy answers; each array is (n,).

    Invariant: order_up_to_level >= reorder_point.

    Attributes:
        reorder_point: s, units; a position at or below it is too low.
        order_up_to_level: S, units; with lots, s + Q.
        lot: Q, units, >= 0; 0 where the order reaches up to S instead.
        policies: Names of those that had a say.
        formulas: Of each, in the names of `numbers`.
        formula: (n,) Which of them each sku's levels follow from.
        numbers: What was put into them, and what they gave on the way; NaN where a name is not
            of the sku's formula.
    """

    reorder_point: IntArray
    order_up_to_level: IntArray
    lot: IntArray
    policies: tuple[str, ...]
    formulas: tuple[str, ...]
    formula: IntArray
    numbers: Mapping[str, FloatArray]

    @classmethod
    def of(
        cls,
        reorder_point: IntArray,
        order_up_to_level: IntArray,
        policy: str,
        formula: str,
        numbers: Mapping[str, FloatArray],
        *,
        lot: IntArray | None = None,
    ) -> "Levels":
        """Return the levels that one formula gives."""
        none = np.zeros(len(reorder_point), dtype=np.int64)
        return cls(
            reorder_point=reorder_point,
            order_up_to_level=np.maximum(order_up_to_level, reorder_point),
            lot=none if lot is None else lot,
            policies=(policy,),
            formulas=(formula,),
            formula=none,
            numbers=numbers,
        )

    def wanted(self, inventory_position: IntArray) -> IntArray:
        """Return what the policy would order: (n,) units, 0 above s; before packs and minima."""
        short = inventory_position <= self.reorder_point
        gap = self.order_up_to_level - inventory_position
        # (s, nQ): the fewest lots that bring the position above s.
        lots = np.maximum(self.reorder_point - inventory_position, 0) // np.maximum(self.lot, 1) + 1
        wanted: IntArray = np.where(short, np.where(self.lot > 0, lots * self.lot, gap), 0)
        return wanted

    def trace(self, index: int) -> Trace:
        """Return the sum behind one sku's levels."""
        numbers = {
            name: float(values[index])
            for name, values in self.numbers.items()
            if not np.isnan(values[index])
        }
        which = int(self.formula[index])
        return Trace(self.policies[which], self.formulas[which], numbers)


class Policy(Protocol):
    """A way of setting levels; pure, and the same for one sku as for many at once.

    Attributes:
        name: Under which segments name it.
    """

    name: str

    def levels(self, situation: Situation) -> Levels:
        """Return the levels of n skus; nothing is changed."""
