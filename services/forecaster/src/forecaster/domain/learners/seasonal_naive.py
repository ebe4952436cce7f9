"""Next week is as last week was: what every other learner is measured against."""

from collections.abc import Sequence

import numpy as np

from forecaster.domain.calendar import DAYS_PER_WEEK
from forecaster.domain.history import FloatArray
from forecaster.domain.learner import LEARNED_DAYS, View
from forecaster.domain.learners.by_means import ByMeans


class SeasonalNaive(ByMeans):
    """Repeats the last seven days, for as long as is asked for."""

    name = "seasonal-naive"

    def means(self, states: Sequence[bytes], view: View) -> FloatArray:
        """Return the mean demand of the next 7, 14 and 28 days."""
        del states
        units, days = view.histories.total(0, DAYS_PER_WEEK)
        rate = units / np.maximum(days, 1.0)
        means: FloatArray = rate[:, None] * np.array(LEARNED_DAYS, float)[None, :]
        return means
