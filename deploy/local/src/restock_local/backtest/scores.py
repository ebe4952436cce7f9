"""How good forecasts are: scaled pinball loss, coverage, and the measures of the mean.

All are of totals of 7 and 14 days, over those series that sold enough before the first origin to
have a scale. The scale is the mean absolute difference of neighbouring totals (Hyndman & Koehler
2006, taken for totals).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.domain.loss import LEVELS, pinball
from forecaster.domain.negative_binomial import cdf, quantiles
from restock_local.backtest.dataset import BoolArray, FloatArray

TOTALS_DAYS = (7, 14)
COVERAGE_LEVELS = (0.9, 0.95, 0.99)
_SCALE_MIN = 0.2
_RESAMPLES = 1000


@dataclass(frozen=True)
class Truth:
    """What came after each origin, and what is little and much for a series.

    Attributes:
        totals: (n_origins, n_series, 2) units of the 7 and 14 days.
        scales: (n_series, 2) mean absolute difference of neighbouring totals before all origins.
        squares: (n_series, 2) mean squared difference of the same.
        scored: (n_series,) Those that sold enough before all origins to have a scale.
    """

    totals: FloatArray
    scales: FloatArray
    squares: FloatArray
    scored: BoolArray


@dataclass(frozen=True)
class Told:
    """What was foretold of those totals.

    Attributes:
        mean: (n_origins, n_series, 2).
        quantiles: (n_origins, n_series, 2, n_levels).
        pit: (n_origins, n_series, 2) Where in its distribution what came lies, at random within a
            step of it; None where there is no distribution.
    """

    mean: FloatArray
    quantiles: FloatArray
    pit: FloatArray | None = None


def truth(units: FloatArray, origins: Sequence[int]) -> Truth:
    """Return what came, and the scales, from (n_series, n_days) units."""
    totals = np.stack(
        [
            np.stack([units[:, origin : origin + days].sum(1) for days in TOTALS_DAYS], -1)
            for origin in origins
        ]
    )
    scales, squares = np.zeros((2, len(units), len(TOTALS_DAYS)))
    varies = np.zeros(len(units), bool)
    for row, series in enumerate(units[:, : origins[0]]):
        sold = np.flatnonzero(series > 0)
        lived = series[sold[0] :] if len(sold) else series[-1:]
        varies[row] = len(lived) > 1 and bool(np.any(np.diff(lived)))
        for place, days in enumerate(TOTALS_DAYS):
            if len(lived) >= 2 * days + 7:
                sums = np.convolve(lived, np.ones(days), "valid")
                steps = sums[days:] - sums[:-days]
                scales[row, place] = np.mean(np.abs(steps))
                squares[row, place] = np.mean(steps**2)
    scored = varies & (scales.min(1) > _SCALE_MIN)
    return Truth(totals, scales, squares, scored)


def of_negative_binomials(seen: Truth, mean: FloatArray, size: FloatArray) -> Told:
    """Return what negative binomials tell: (n_origins, n_series, 2) means and sizes."""
    known = mean > 0
    safe = np.maximum(mean, 1e-9)
    found = np.where(known[..., None], quantiles(safe, size, LEVELS), 0.0)
    below, upto = cdf(seen.totals - 1, safe, size), cdf(seen.totals, safe, size)
    # the same draw for the same total, so that two runs agree
    draws = np.random.default_rng(0).random(below.shape)
    return Told(mean, found, below + draws * (upto - below))


def scaled_losses(seen: Truth, told: Told) -> FloatArray:
    """Return each scored series' scaled pinball loss, the mean over origins: (n_scored, 2)."""
    losses = pinball(seen.totals, np.maximum(told.quantiles, 0.0))
    scales = np.where(seen.scored[:, None], seen.scales, 1.0)
    found: FloatArray = (losses / scales).mean(0)[seen.scored]
    return found


def measures(seen: Truth, told: Told) -> dict[str, float]:
    """Return every measure by name, with the days of the total behind it."""
    spl = scaled_losses(seen, told).mean(0)
    scored = seen.scored
    found: dict[str, float] = {}
    for place, days in enumerate(TOTALS_DAYS):
        came = seen.totals[:, scored, place]
        errors = came - told.mean[:, scored, place]
        scales, squares = seen.scales[scored, place], seen.squares[scored, place]
        losses = pinball(came, told.quantiles[:, scored, place])
        found |= {
            f"spl_{days}": float(spl[place]),
            f"pinball_{days}": float(losses.mean()),
            f"wape_{days}": float(np.abs(errors).sum() / came.sum()),
            f"mase_{days}": float((np.abs(errors).mean(0) / scales).mean()),
            f"rmsse_{days}": float(np.sqrt((errors**2).mean(0) / squares).mean()),
            f"mae_{days}": float(np.abs(errors).mean()),
            f"mse_{days}": float((errors**2).mean()),
            f"bias_{days}": float(-errors.sum() / came.sum()),
        }
        for level in COVERAGE_LEVELS:
            name = f"coverage_{round(100 * level)}_{days}"
            if told.pit is not None:
                found[name] = float((told.pit[:, scored, place] <= level).mean())
            else:
                reached = told.quantiles[:, scored, place, LEVELS.tolist().index(level)]
                found[name] = float((came <= reached).mean())
    return found


def ratio_intervals(mine: FloatArray, theirs: FloatArray, seed: int) -> list[tuple[float, float]]:
    """Return 95 % intervals of the ratio of mean losses, by drawing series: one per horizon.

    Args:
        mine: (n_scored, 2) losses of the same series as `theirs`.
        theirs: (n_scored, 2).
        seed: Of the draws.
    """
    draws = np.random.default_rng(seed).integers(0, len(mine), (_RESAMPLES, len(mine)))
    ratios = mine[draws].mean(1) / theirs[draws].mean(1)
    low, high = np.quantile(ratios, [0.025, 0.975], axis=0)
    return [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
