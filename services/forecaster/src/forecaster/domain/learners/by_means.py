"""A learner that tells means alone; the spread about them is learned here, alike for all of them.

So that a learner is small: it keeps its own few bytes of a series and says what the next 7, 14 and
28 days bring on average.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from forecaster.domain import spread
from forecaster.domain.grid import day_factors, spread_out
from forecaster.domain.history import FloatArray
from forecaster.domain.learner import LEARNED_DAYS, Forecast, Share, View
from forecaster.domain.spread import Spread

_SPREAD = spread.RECORD.itemsize


class ByMeans(ABC):
    """What such learners have in common; a state is the spread's bytes and then their own."""

    name: str
    version = 1

    def __init__(self) -> None:
        self._spread = Spread()

    @abstractmethod
    def means(self, states: Sequence[bytes], view: View) -> FloatArray:
        """Return the mean demand of the next 7, 14 and 28 days: (n, 3) units."""

    def step(self, states: Sequence[bytes], view: View) -> list[bytes]:
        """Return each series' own state after its new days; as it is, where there is none."""
        del view
        return list(states)

    def learn_shared(self, states: Sequence[bytes], view: View) -> None:
        """Learn what all series share from the scheduled ones; nothing, where there is none."""
        del states, view

    def dump(self) -> bytes:
        """Return what all series share, besides the spread."""
        return b""

    def load(self, dumped: bytes) -> None:
        """Take up again what `dump` returned."""
        del dumped

    def learn(self, states: Sequence[bytes], view: View) -> list[bytes]:
        """Learn a day; return each series' new state."""
        rows = spread.decoded([state[:_SPREAD] for state in states])
        own = self.step([state[_SPREAD:] for state in states], view)
        chosen = np.flatnonzero(view.scheduled)
        if len(chosen):
            some, mine = view.some(chosen), rows[chosen]
            means = self.means([own[row] for row in chosen], some)
            self._spread.learn(mine, some.histories, view.day, means)
            rows[chosen] = mine
        self.learn_shared(own, view)
        whole = rows.tobytes()
        return [
            whole[place * _SPREAD : (place + 1) * _SPREAD] + state
            for place, state in enumerate(own)
        ]

    def forecast(self, states: Sequence[bytes], view: View) -> Forecast:
        """Return the distribution of what comes after the day."""
        rows = spread.decoded([state[:_SPREAD] for state in states])
        own = [state[_SPREAD:] for state in states]
        means = np.maximum(self.means(own, view), 1e-4)
        histories = view.histories
        uplift = histories.uplift(histories.sums())
        factors = day_factors(view.ahead, uplift, histories.promoted_most)
        index = self._spread.index(rows, means)
        return spread_out(means, index, factors, np.ones_like(factors))

    def explain(self, states: Sequence[bytes], view: View) -> list[tuple[Share, ...]]:
        """Return for each series what its mean is made of: one part, where no more is known."""
        means = self.means([state[_SPREAD:] for state in states], view)
        return [
            (Share(self.name, float(mean)),) for mean in means[:, LEARNED_DAYS.index(14)].tolist()
        ]

    def shared(self) -> bytes:
        """Return what is known of all series together."""
        mine = self._spread.dump()
        return len(mine).to_bytes(4, "little") + mine + self.dump()

    def restore(self, shared: bytes) -> None:
        """Take up again what `shared` returned."""
        size = int.from_bytes(shared[:4], "little")
        self._spread.restore(shared[4 : 4 + size])
        self.load(shared[4 + size :])
