"""What learners over features learn from: days that have come to an end, and what came before them.

A row is one key: what was known before the days, and the demand in them relative to its level.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecaster.domain.features import Features, Moment, earlier
from forecaster.domain.history import FloatArray

RATIO_MIN, RATIO_MAX = 0.02, 4.0
"""Of a day's demand to the level: what is further off is learned and told as so much."""
_AGE_MIN_DAYS = 14
_ROW_UNITS = 20.0
"""What a row weighs ascends with the demand expected in it, up to about so much."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Some keys' last days, as they are learned from.

    Attributes:
        before: The keys as they were before the days.
        features: Of the same moment.
        told: (n,) Which of them tell anything: old enough, and to be had on half of the days.
        ratios: (n,) Units a day, relative to the level.
        weights: (n,) In (0, 1].
    """

    before: Moment
    features: Features
    told: NDArray[np.bool_]
    ratios: FloatArray
    weights: FloatArray


def ended(moment: Moment, days: int) -> Ended:
    """Return the rows of the `days` that end at a moment."""
    before = earlier(moment, days)
    features = Features(before)
    units, bought = moment.histories.total(0, days)
    told = (bought >= days / 2) & (moment.histories.age(days) >= _AGE_MIN_DAYS)
    ratios = np.minimum(units / np.maximum(bought, 1.0) / features.level, RATIO_MAX)
    volume = features.level * bought
    return Ended(before, features, told, ratios, volume / (volume + _ROW_UNITS))
