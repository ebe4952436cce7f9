"""Demand as a negative binomial with given mean and variance: probabilities and expectations.

The Poisson where the variance is not above the mean, which a negative binomial cannot be.
"""

import numpy as np
from scipy.special import betainc, betaincc, gammainc, gammaincc

from replenisher.domain.protection import Demand, FloatArray

_POISSON_BELOW = 1e-9


def cdf(demand: Demand, units: FloatArray) -> FloatArray:
    """Return P(demand <= units): (n, k); 0 below zero.

    Args:
        demand: (n,)
        units: (n, k); fractions are cut off.
    """
    return _probability(demand, units, 0.0, upper=False)


def shortage(demand: Demand, units: FloatArray) -> FloatArray:
    """Return E[(demand - units)^+]: (n, k), the loss function.

    With p the probabilities of the negative binomial of size r, k p_r(k) = mean p_(r+1)(k - 1);
    so the sum is mean P(D_(r+1) > y - 1) - y P(D_r > y). For the Poisson r is infinite.

    Args:
        demand: (n,)
        units: (n, k) whole numbers, of any sign.
    """
    above = _probability(demand, units, 0.0, upper=True)
    shifted = _probability(demand, units - 1, 1.0, upper=True)
    lost = demand.mean[:, None] * shifted - units * above
    return np.maximum(lost, 0.0)


def mass(demand: Demand, unit: FloatArray, count: int) -> FloatArray:
    """Return the probabilities of demand in steps of `unit`, each to its nearest: (n, count).

    Args:
        demand: (n,)
        unit: (n,) >= 1, whole.
        count: How many steps from 0 on; what lies beyond the last is left out.
    """
    steps = np.arange(count, dtype=np.float64)
    below = cdf(
        demand, np.floor((steps + 0.5) * unit[:, None] - np.where(unit > 1, 0, 0.5)[:, None])
    )
    return np.diff(below, axis=1, prepend=0.0)


def _probability(demand: Demand, units: FloatArray, more: float, *, upper: bool) -> FloatArray:
    """Return P(demand <= units), or above, of the size enlarged by `more`."""
    mean, excess = demand.mean, demand.variance - demand.mean
    spread = excess > _POISSON_BELOW * np.maximum(mean, 1e-12)
    whole = np.floor(units)
    found = np.empty_like(whole)
    rows = np.flatnonzero(spread & (mean > 0))
    if len(rows):
        base = mean[rows] ** 2 / excess[rows]
        success = (mean[rows] / demand.variance[rows])[:, None]
        tail = betaincc if upper else betainc
        found[rows] = tail((base + more)[:, None], np.maximum(whole[rows], 0.0) + 1, success)
    rows = np.flatnonzero(~spread & (mean > 0))
    if len(rows):
        tail = gammainc if upper else gammaincc
        found[rows] = tail(np.maximum(whole[rows], 0.0) + 1, mean[rows, None])
    found[mean <= 0] = 0.0 if upper else 1.0
    return np.where(whole < 0, 1.0 if upper else 0.0, found)
