"""The (s, S) policy: reorder point, order-up-to level, and the quantity in whole packs."""

import numpy as np
import numpy.typing as npt
from scipy.stats import nbinom, norm, poisson

from replenisher.domain.protection import Demand, FloatArray
from restock_common.units import MAX_UNITS_PER_LINE

IntArray = npt.NDArray[np.int64]

NOTHING_EXPECTED = -1
"""The reorder point where no demand is expected: only units that are owed trip it."""

_POISSON_BELOW = 1e-9
"""Relative excess of the variance over the mean below which the size has no digits left."""


def demand_quantile(demand: Demand, probability: FloatArray) -> IntArray:
    """Return the smallest quantity that demand stays within with a probability: (n,) units.

    The negative binomial with demand's mean m and variance v: size = m^2 / (v - m), success
    probability = m / v; the Poisson where v <= m, which a negative binomial cannot be.

    Args:
        demand: (n,) with mean > 0.
        probability: (n,) in (0, 1).
    """
    mean, variance = demand.mean, demand.variance
    excess = variance - mean
    spread = excess > _POISSON_BELOW * mean
    quantile = np.empty_like(mean)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        for rows, quantiles, shape in (
            (spread, nbinom.ppf, (mean**2 / excess, mean / variance)),
            (~spread, poisson.ppf, (mean,)),
        ):
            if rows.any():
                quantile[rows] = quantiles(probability[rows], *(one[rows] for one in shape))
    # Shapes beyond double precision have no such quantile: take the normal with these moments.
    normal = np.ceil(mean + norm.ppf(probability) * demand.sd)
    units = np.where(np.isfinite(quantile), quantile, np.maximum(normal, 0))
    return np.asarray(units, dtype=np.int64)


def reorder_point(protection_demand: Demand, cycle_service_level: FloatArray) -> IntArray:
    """Return s: (n,) units; an inventory position at or below it is too low.

    Source: the quantile of demand over the protection interval; Silver, Pyke & Thomas (2017).

    Args:
        protection_demand: (n,) demand over lead time + review period.
        cycle_service_level: (n,) P(no stockout in a cycle), in [0.5, 1); not fill rate.
    """
    expected = protection_demand.mean > 0
    asked = Demand(
        np.where(expected, protection_demand.mean, 1.0),
        np.where(expected, protection_demand.variance, 1.0),
    )
    return np.where(expected, demand_quantile(asked, cycle_service_level), NOTHING_EXPECTED)


def order_up_to_level(
    reorder_point: IntArray, minimum_order_quantity: IntArray, cover_demand_mean: FloatArray
) -> IntArray:
    """Return S: (n,) units; s plus what one order should last for.

    Args:
        reorder_point: (n,) units, s.
        minimum_order_quantity: (n,) units, each >= 1.
        cover_demand_mean: (n,) units expected over the cover period, each >= 0.
    """
    cover = np.ceil(cover_demand_mean).astype(np.int64)
    return reorder_point + np.maximum(minimum_order_quantity, cover)


def order_quantity(
    inventory_position: IntArray,
    order_up_to_level: IntArray,
    minimum_order_quantity: IntArray,
    pack_size: IntArray,
) -> IntArray:
    """Return Q: (n,) units; the smallest whole packs >= S - position and >= the minimum order.

    Cut to the largest whole packs that one order line may carry; less than the minimum order
    where no quantity can be ordered at all, see `orderable`.

    Args:
        inventory_position: (n,) units; negative where units are owed.
        order_up_to_level: (n,) units, S.
        minimum_order_quantity: (n,) units, each >= 1.
        pack_size: (n,) units, each >= 1.
    """
    wanted = np.maximum(order_up_to_level - inventory_position, minimum_order_quantity)
    packs = -(-wanted // pack_size)
    quantity: IntArray = np.minimum(packs, MAX_UNITS_PER_LINE // pack_size) * pack_size
    return quantity


def orderable(minimum_order_quantity: int, pack_size: int) -> bool:
    """Return whether a whole number of packs reaches the minimum and fits on an order line."""
    return -(-minimum_order_quantity // pack_size) * pack_size <= MAX_UNITS_PER_LINE
