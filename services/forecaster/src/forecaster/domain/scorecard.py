"""How yesterday's forecasts have fared today: of a bounded sample, and for people to watch alone.

Nothing is decided by it, so it is no part of a partition's state: a process that starts scores from
the first day that it closes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.domain.learner import Key
from forecaster.domain.negative_binomial import cdf, quantiles
from restock_common.contracts.forecasts import DemandForecast

KEYS_MAX = 1_000
LEVEL = 0.9


@dataclass(frozen=True, slots=True)
class Score:
    """What forecasts of one day have cost.

    Attributes:
        forecasts: How many were scored.
        covered: How many days brought no more than the quantile at `LEVEL`.
        promised: How many should have: the probabilities of that, which whole units make more than
            `LEVEL`.
        pinball: The loss of that quantile, in units.
        absolute_error: Between the mean and what came, in units.
        units: What came.
    """

    forecasts: int = 0
    covered: int = 0
    promised: float = 0.0
    pinball: float = 0.0
    absolute_error: float = 0.0
    units: int = 0


class Scorecard:
    """Of one partition: keeps what was foretold as a day closed until the next one has."""

    def __init__(self) -> None:
        self._expected: dict[Key, tuple[float, float]] = {}

    def expect(self, events: Iterable[object]) -> None:
        """Remember the forecasts of one day ahead among what was published, some of them."""
        for event in events:
            if len(self._expected) >= KEYS_MAX:
                return
            if isinstance(event, DemandForecast) and event.horizons[0].days == 1:
                first = event.horizons[0]
                self._expected[Key(event.sku, event.location)] = (first.mean, first.size)

    def closed(self, days: Sequence[Mapping[Key, int]]) -> Score:
        """Compare with the first of the days that closed, and forget what was expected.

        Args:
            days: What came on each of them, by key; later ones were foretold further ahead.
        """
        expected, self._expected = self._expected, {}
        if not expected or not days:
            return Score()
        came = np.array([days[0].get(key, 0) for key in expected], dtype=float)
        mean, size = np.array(list(expected.values())).T
        mean = np.maximum(mean, 1e-9)
        bound = quantiles(mean, size, np.array([LEVEL]))[:, 0]
        short = came - bound
        return Score(
            forecasts=len(expected),
            covered=int((short <= 0).sum()),
            promised=float(cdf(bound, mean, size).sum()),
            pinball=float(np.maximum(LEVEL * short, (LEVEL - 1) * short).sum()),
            absolute_error=float(np.abs(came - mean).sum()),
            units=int(came.sum()),
        )
