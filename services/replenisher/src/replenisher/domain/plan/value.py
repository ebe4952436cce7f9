"""What units are worth where they are wanted: the expected cost that they save."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincc

from replenisher.domain.policy import IntArray
from replenisher.domain.protection import Demand, FloatArray

_LEAST_COST = 1e-6
"""Where a unit's cost is not known, its shortage still costs something."""

_LEAST_DEMAND = 1e-9
"""Units: below it nothing is expected."""


@dataclass(frozen=True, slots=True)
class Stakes:
    """n places with what it costs there to have too much and too little until the next order.

    The demand is taken to be gamma distributed, with the moments of the forecast: its loss function
    is closed, and it is never negative.

    Attributes:
        demand: (n,) over the protection interval and the cover period.
        holding: (n,) of one unit that is left over, in money.
        shortage: (n,) of one unit that is missing, in money.
    """

    demand: Demand
    holding: FloatArray
    shortage: FloatArray

    def take(self, rows: IntArray) -> "Stakes":
        """Return some of the places, as often as they are named."""
        demand = Demand(self.demand.mean[rows], self.demand.variance[rows])
        return Stakes(demand, self.holding[rows], self.shortage[rows])

    def expected_cost(self, level: FloatArray) -> FloatArray:
        """Return h E[(y - D)+] + b E[(D - y)+] for positions y: (n,) money."""
        lost = expected_shortage(self.demand, level)
        over = level - self.demand.mean + lost
        return self.holding * over + self.shortage * lost


def stakes(
    demand: Demand,
    unit_cost: FloatArray,
    cycle_service_level: FloatArray,
    holding_rate_per_year: float,
    days: FloatArray,
) -> Stakes:
    """Return what is at stake where a service level says how much a shortage costs.

    Who wants no stockout with probability a acts as if a shortage cost b = h a / (1 - a).

    Args:
        demand: (n,) units over `days`.
        unit_cost: (n,) money, each >= 0.
        cycle_service_level: (n,) a, in [0.5, 1).
        holding_rate_per_year: Of the unit's cost.
        days: (n,) For how long.
    """
    holding = np.maximum(unit_cost, _LEAST_COST) * holding_rate_per_year * days / 365.0
    shortage = holding * cycle_service_level / (1.0 - cycle_service_level)
    return Stakes(demand, holding, shortage)


def is_spread(demand: Demand) -> npt.NDArray[np.bool_]:
    """Return where a demand has digits enough for a gamma's shape: (n,)."""
    return (demand.mean > _LEAST_DEMAND) & (demand.variance > _LEAST_DEMAND)


def expected_shortage(demand: Demand, level: FloatArray) -> FloatArray:
    """Return E[(D - y)+] for gamma demand: (n,) units.

    Source: E[(D - y)+] = m Q(a + 1, y/t) - y Q(a, y/t), with shape a = m^2/v and scale t = v/m;
    below zero nothing is left of D: m - y.
    """
    mean = demand.mean
    known = is_spread(demand)
    shape = np.where(known, mean**2 / np.where(known, demand.variance, 1.0), 1.0)
    scale = np.where(known, demand.variance / np.where(known, mean, 1.0), 1.0)
    above = np.maximum(level, 0.0) / scale
    lost = mean * gammaincc(shape + 1.0, above) - np.maximum(level, 0.0) * gammaincc(shape, above)
    lost = np.where(known, np.maximum(lost, 0.0), np.maximum(mean - np.maximum(level, 0.0), 0.0))
    return np.asarray(lost + np.maximum(-level, 0.0), dtype=np.float64)
