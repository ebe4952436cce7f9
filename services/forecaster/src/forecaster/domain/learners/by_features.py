"""A learner that knows no series by itself: one regression of River's over all of them.

It is asked for the mean demand of some days ahead, relative to the level of the series, and told so
for 7, 14 and 28 days, whichever came to an end: one model for all horizons. The rows are those of
the key's weekly day alone. Features are scaled online (`StandardScaler`), without which the linear
ones diverge, and clipped: the first promotion ever is many standard deviations from none.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from river.base import Regressor
from river.preprocessing import StandardScaler

from forecaster.domain import pickled
from forecaster.domain.features import Features, known, scheduled
from forecaster.domain.history import FloatArray
from forecaster.domain.learner import HORIZONS_DAYS, LEARNED_DAYS, Share, View
from forecaster.domain.learners.by_days import open_days
from forecaster.domain.learners.by_means import ByMeans
from forecaster.domain.learners.rows import RATIO_MAX, RATIO_MIN, ended

_SCALED_MAX = 4.0
_DEVIATION_MIN = 1e-9
_BELIEVED_ROWS = 600.0
"""With so many rows learned, a model is believed as much as the level."""
_TOLD_SHARES = 8


class ByFeatures(ByMeans):
    """What such learners have in common."""

    def __init__(self) -> None:
        super().__init__()
        self.model: Any = self.new_model()
        self._scaler: Any = StandardScaler()
        self._rows = 0

    @abstractmethod
    def new_model(self) -> Regressor:
        """Return a model that has learned nothing yet; the same one every time."""

    def learn_row(self, row: dict[int, float], ratio: float, weight: float) -> None:
        """Show the model one row.

        Args:
            row: Scaled features by place.
            ratio: Units a day, relative to the level.
            weight: In (0, 1].
        """
        self.model.learn_one(row, ratio, w=weight)

    def predict_row(self, row: dict[int, float]) -> float:
        """Return the demand relative to the level."""
        return float(self.model.predict_one(row))

    def learn_shared(self, states: Sequence[bytes], view: View) -> None:
        """Learn from the scheduled keys' days that have come to an end."""
        del states
        if not view.scheduled.any():
            return
        moment = scheduled(view)
        for days in LEARNED_DAYS:
            come = ended(moment, days)
            table = self._table(come.features, days)
            for place in np.flatnonzero(come.told).tolist():
                row = dict(enumerate(table[place].tolist()))
                self._scaler.learn_one(row)
                scaled = dict(enumerate(self._scaled(table[place]).tolist()))
                self.learn_row(scaled, float(come.ratios[place]), float(come.weights[place]))
                self._rows += 1

    def means(self, states: Sequence[bytes], view: View) -> FloatArray:
        """Return the mean demand of the next 7, 14 and 28 days."""
        del states
        features = known(view)
        found: FloatArray = open_days(view) * features.level[:, None]
        for place, days in enumerate(LEARNED_DAYS):
            found[:, place] *= self._ratios(self._scaled(self._table(features, days)))
        return found

    def explain(self, states: Sequence[bytes], view: View) -> list[tuple[Share, ...]]:
        """Return what the mean would lack if a feature were as it usually is."""
        features = known(view)
        names = [*Features.names(), "days"]
        scaled = self._scaled(self._table(features, 14))
        means = self.forecast(states, view).mean[:, HORIZONS_DAYS.index(14)]
        found = []
        for row, level, days, mean in zip(
            scaled, features.level, open_days(view)[:, LEARNED_DAYS.index(14)], means, strict=True
        ):
            without = np.repeat(row[None, :], len(row), 0)
            np.fill_diagonal(without, 0.0)
            whole = self._ratios(row[None, :])[0]
            adds = (whole - self._ratios(without)) * level * days
            most = np.argsort(-np.abs(adds), kind="stable")[:_TOLD_SHARES]
            shares = [Share(names[place], float(adds[place])) for place in most if adds[place]]
            rest = float(mean) - sum(share.units for share in shares)
            found.append((*shares, Share("level and all else", rest)))
        return found

    def dump(self) -> bytes:
        """Return model and scaler."""
        return pickled.dump((Features.names(), self._rows, self._scaler, self.model))

    def load(self, dumped: bytes) -> None:
        """Take model and scaler up again; another River's, or of other features, begin anew."""
        told = pickled.load(dumped)
        if told is not None and told[0] == Features.names():
            _, self._rows, self._scaler, self.model = told
        else:
            self._rows, self._scaler, self.model = 0, StandardScaler(), self.new_model()

    def _ratios(self, scaled: FloatArray) -> FloatArray:
        """Return demand relative to the level: (n,)."""
        if not self._rows:
            return np.ones(len(scaled))
        told = [self.predict_row(dict(enumerate(row))) for row in scaled.tolist()]
        ratios = np.clip(np.nan_to_num(told, nan=1.0), RATIO_MIN, RATIO_MAX)
        believed = self._rows / (self._rows + _BELIEVED_ROWS)
        found: FloatArray = 1 + believed * (ratios - 1)
        return found

    def _scaled(self, values: FloatArray) -> FloatArray:
        """Return features as standard deviations from their means; 0 before any is known."""
        if not self._rows and not self._scaler.means:
            return np.zeros_like(values)
        places = range(values.shape[-1])
        means = np.array([self._scaler.means[place] for place in places])
        deviations = np.sqrt([self._scaler.vars[place] for place in places])
        known = deviations > _DEVIATION_MIN
        scaled = np.where(known, (values - means) / np.where(known, deviations, 1.0), 0.0)
        found: FloatArray = np.clip(scaled, -_SCALED_MAX, _SCALED_MAX)
        return found

    @staticmethod
    def _table(features: Features, days: int) -> FloatArray:
        table = features.table(days)
        return np.concatenate([table, np.full((len(table), 1), np.log(days))], 1)
