"""Demand as a negative binomial with given mean and variance: probabilities and expectations.

The Poisson where the variance is not above the mean, which a negative binomial cannot be.
"""

import numpy as np
from scipy.special import betainc, betaincc, gammainc, gammaincc, gammaln

from replenisher.domain.policy import IntArray
from replenisher.domain.protection import Demand, FloatArray

_POISSON_BELOW = 1e-9
_POISSON_SIZE = 1e6
"""From this size on the logarithms of the negative binomial have fewer digits than the Poisson."""


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


def masses(demand: Demand, step: FloatArray, counts: IntArray) -> FloatArray:
    """Return the probabilities of 0, 1, .. steps: (n, largest count).

    A step of one unit is exact. Of longer ones each stands for the units about it by its own
    probability; what the sum then lacks is spread over all.

    Args:
        demand: (n,)
        step: (n,) units, >= 1.
        counts: (n,) How many; what lies beyond is left out.
    """
    places = np.arange(int(counts.max(initial=1)))
    units = step[:, None] * places
    mean = np.maximum(demand.mean, 1e-300)[:, None]
    excess = demand.variance - demand.mean
    spread = excess > _POISSON_BELOW * np.maximum(demand.mean, 1e-12)
    size = np.where(spread, demand.mean**2 / np.where(spread, excess, 1.0), np.inf)
    size = np.where(demand.mean > 0, size, np.inf)
    with np.errstate(under="ignore"):
        logs = units * np.log(mean) - gammaln(units + 1)
        some = np.flatnonzero(size < _POISSON_SIZE)
        few = np.setdiff1d(np.arange(len(size)), some)
        logs[few] -= demand.mean[few, None]
        r = size[some, None]
        logs[some] += gammaln(units[some] + r) - gammaln(r)
        logs[some] -= units[some] * np.log(r + mean[some]) + r * np.log1p(mean[some] / r)
        found = step[:, None] * np.exp(logs)
    found[places >= counts[:, None]] = 0.0
    coarse = np.flatnonzero(step > 1)
    found[coarse] /= np.maximum(found[coarse].sum(axis=1, keepdims=True), 1e-300)
    whole: FloatArray = found
    return whole


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
