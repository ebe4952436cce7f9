"""The mean of four exponentially weighted means, and not below a quarter of a slow one."""

from collections.abc import Sequence

import numpy as np

from forecaster.domain.history import FloatArray
from forecaster.domain.learner import LEARNED_DAYS, Share, View
from forecaster.domain.learners.by_means import ByMeans

HALF_LIVES_DAYS = (7.0, 14.0, 28.0, 56.0)
_SLOW_DAYS, _FLOOR_SHARE = 120.0, 0.25
_RATE_MIN = 1e-4


class ExponentiallyWeighted(ByMeans):
    """What sold lately, by four memories; needs nothing of its own."""

    name = "exponentially-weighted"

    def means(self, states: Sequence[bytes], view: View) -> FloatArray:
        """Return the mean demand of the next 7, 14 and 28 days."""
        del states
        rates = np.maximum(sum(self._levels(view)) / len(HALF_LIVES_DAYS), self._floor(view))
        open_days = np.stack(
            [(view.ahead.factors[:, :days] > 0).sum(1) for days in LEARNED_DAYS], 1
        )
        means: FloatArray = rates[:, None] * open_days
        return means

    def explain(self, states: Sequence[bytes], view: View) -> list[tuple[Share, ...]]:
        """Return what each memory adds."""
        means = self.means(states, view)[:, LEARNED_DAYS.index(14)]
        levels = np.stack(self._levels(view), 1) + 1e-12
        shares = levels / levels.sum(1, keepdims=True) * means[:, None]
        return [
            tuple(
                Share(f"sold within {half_life:g} days", units)
                for half_life, units in zip(HALF_LIVES_DAYS, row, strict=True)
            )
            for row in shares.tolist()
        ]

    @staticmethod
    def _levels(view: View) -> list[FloatArray]:
        sums = view.histories.sums()
        return [view.histories.level(sums, half_life) for half_life in HALF_LIVES_DAYS]

    @staticmethod
    def _floor(view: View) -> FloatArray:
        slow = view.histories.level(view.histories.sums(), _SLOW_DAYS)
        floor: FloatArray = np.maximum(_FLOOR_SHARE * slow, _RATE_MIN)
        return floor
