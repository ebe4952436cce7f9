"""How good forecasts are: scaled pinball loss, coverage, and the point measures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from restock_local.backtest.dataset import BoolArray, FloatArray

LEVELS = np.array([0.5, 0.8, 0.9, 0.95, 0.99])
TOTALS_DAYS = (7, 14)
_SCALE_MIN = 0.2


@dataclass(frozen=True)
class Truth:
    """What came after each origin, and what is little and much for a series.

    Attributes:
        totals: (n_origins, n_series, 2) units of the 7 and 14 days.
        scales: (n_series, 2) mean absolute difference of neighbouring totals before all origins.
        squares: (n_series,) mean squared difference of neighbouring days before all origins.
        scored: (n_series,) Those that sold enough before all origins to have a scale.
    """

    totals: FloatArray
    scales: FloatArray
    squares: FloatArray
    scored: BoolArray


def truth(units: FloatArray, origins: Sequence[int]) -> Truth:
    """Return what came, and the scales, from (n_series, n_days) units."""
    totals = np.stack(
        [
            np.stack([units[:, origin : origin + days].sum(1) for days in TOTALS_DAYS], -1)
            for origin in origins
        ]
    )
    scales = np.zeros((len(units), len(TOTALS_DAYS)))
    squares = np.zeros(len(units))
    for row, series in enumerate(units[:, : origins[0]]):
        sold = np.flatnonzero(series > 0)
        lived = series[sold[0] :] if len(sold) else series[-1:]
        steps = np.diff(lived)
        squares[row] = np.mean(steps**2) if len(steps) else 0.0
        for place, days in enumerate(TOTALS_DAYS):
            if len(lived) >= 2 * days + 7:
                sums = np.convolve(lived, np.ones(days), "valid")
                scales[row, place] = np.mean(np.abs(sums[days:] - sums[:-days]))
    scored = (squares > 0) & (scales.min(1) > _SCALE_MIN)
    return Truth(totals, scales, squares, scored)


def pinball(totals: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Return the pinball loss at LEVELS: (..., n_levels), from (...) totals."""
    over = totals[..., None] - quantiles
    loss: FloatArray = np.maximum(LEVELS * over, (LEVELS - 1) * over)
    return loss


def scaled_losses(seen: Truth, quantiles: FloatArray) -> FloatArray:
    """Return each scored series' scaled pinball loss: (n_scored, 2), the mean over origins.

    Args:
        seen: What came.
        quantiles: (n_origins, n_series, 2, n_levels).
    """
    losses = pinball(seen.totals, np.maximum(quantiles, 0.0)).mean(-1)
    found: FloatArray = (losses / np.where(seen.scored[:, None], seen.scales, 1.0)).mean(0)
    return found[seen.scored]
