"""The recommended design: one regression for all series, mixed with what is known of each.

Three experts tell the mean of the next 7, 14 and 28 days, relative to the series' own level:

- its exponentially weighted demand, made free of past promotions and multiplied by those planned;
- a Bayesian linear regression on what is known of it, its sku, its category and the calendar;
- the same with random rectified features beside, which finds bends and interactions.

Each is weighted by how it has done on all series (Cesa-Bianchi & Lugosi 2006, exponentially
weighted averages). The two regressions share their sums. What each learns from is a series' last
7, 14 and 28 days against its features as they were before them, once a week for each series.
"""

from collections.abc import Sequence

import numpy as np

from forecaster.domain import spread
from forecaster.domain.features import Features, Moment, earlier, known, scheduled
from forecaster.domain.grid import day_factors, spread_out
from forecaster.domain.history import FloatArray
from forecaster.domain.learner import LEARNED_DAYS, Forecast, Share, View
from forecaster.domain.learners.rectified import COUNT, rectified
from forecaster.domain.learners.regression import Regression
from forecaster.domain.spread import Spread

_EXPERTS = ("its own demand", "regression", "regression with bends")
_PRIOR = {"inflated 0": 1 / 3, "inflated 1": 1 / 3, "inflated 2": 1 / 3}
_PRECISION, _RARE_PRECISION, _BENT_PRECISION = 100.0, 3000.0, 300.0
_RARE = ("holiday", "eve")
"""What comes a few times a year must show itself often before it is believed."""
_KEPT = 0.997
_RATIO_MAX, _RATIO_LEAST, _RATIO_MOST = 4.0, 0.02, 6.0
_ROWS_MIN = 300
_AGE_MIN_DAYS = 7
_DRIVERS = ("planned", "more", "lately", "since")
_ETA, _LOSS_KEPT = 3.0, 0.5 ** (1 / 60.0)
_SHARES = 8


class GlobalMixture:
    """One regression for all series of a partition, mixed with each one's own demand."""

    name = "global-mixture"
    version = 1

    def __init__(self) -> None:
        self._names: tuple[str, ...] = Features.names()
        precision = [
            _RARE_PRECISION if name.startswith(_RARE) else _PRECISION for name in self._names
        ]
        self._plain = len(self._names)
        priors = [_PRIOR.get(name, 0.0) for name in self._names]
        self._regressions = [
            Regression(
                np.array(precision + [_BENT_PRECISION] * COUNT),
                np.array(priors + [0.0] * COUNT),
                _KEPT,
            )
            for _ in LEARNED_DAYS
        ]
        self._spread = Spread(len(_DRIVERS))
        self._losses = np.zeros((len(LEARNED_DAYS), len(_EXPERTS)))
        self._loss_weight = np.zeros(len(LEARNED_DAYS))
        self._rows = np.zeros(len(LEARNED_DAYS))
        self._day = -1

    def learn(self, states: Sequence[bytes], view: View) -> list[bytes]:
        """Learn a day; return each series' new state."""
        self._fade(view.day)
        rows = spread.decoded(states)
        chosen = np.flatnonzero(view.scheduled)
        if len(chosen):
            moment = scheduled(view)
            drivers = [
                self._learn_horizon(place, days, moment) for place, days in enumerate(LEARNED_DAYS)
            ]
            means, _ = self._means(Features(moment))
            mine = rows[chosen]
            self._spread.learn(mine, moment.histories, view.day, means, drivers)
            rows[chosen] = mine
        whole, size = rows.tobytes(), spread.RECORD.itemsize
        return [whole[at : at + size] for at in range(0, len(whole), size)]

    def forecast(self, states: Sequence[bytes], view: View) -> Forecast:
        """Return the distribution of what comes after the day."""
        means, drivers = self._means(known(view))
        histories = view.histories
        index = self._spread.index(spread.decoded(states), means, drivers)
        uplift = histories.uplift(histories.sums())
        factors = day_factors(view.ahead, uplift, histories.promoted_most)
        return spread_out(means, index, factors, np.ones_like(factors))

    def explain(self, states: Sequence[bytes], view: View) -> list[tuple[Share, ...]]:
        """Return what each expert's part of the mean is made of, the largest first."""
        del states
        place = LEARNED_DAYS.index(14)
        features = known(view)
        table = features.table(14)
        ratios = self._ratios(place, table)
        trust = self._trust(place)
        scale = features.level * 14
        mean = np.clip(trust @ ratios, _RATIO_LEAST, _RATIO_MOST) * scale
        weights = self._regressions[place].weights(self._plain + COUNT)[: self._plain]
        plain = self._regressions[place].weights(self._plain)
        learned = self._rows[place] >= _ROWS_MIN
        by_feature = table * (trust[1] * plain + trust[2] * weights) * scale[:, None] * learned
        found = []
        for row in range(len(table)):
            order = np.argsort(-np.abs(by_feature[row]))[: _SHARES if learned else 0]
            shares = [Share(_EXPERTS[0], float(trust[0] * ratios[0, row] * scale[row]))]
            shares += [Share(self._names[one], float(by_feature[row, one])) for one in order]
            rest = float(mean[row]) - sum(share.units for share in shares)
            found.append((*shares, Share("all else", rest)))
        return found

    def shared(self) -> bytes:
        """Return what is known of all series together."""
        mine = [np.array([self._day]), self._losses.ravel(), self._loss_weight, self._rows]
        mine += [one.dump() for one in self._regressions]
        return np.concatenate(mine).tobytes() + self._spread.dump()

    def restore(self, shared: bytes) -> None:
        """Take up again what `shared` returned."""
        parts = [self._losses, self._loss_weight, self._rows]
        size = 1 + sum(part.size for part in parts)
        size += sum(one.dumped_size for one in self._regressions)
        values, at = np.frombuffer(shared[: 8 * size]), 1
        self._day = int(values[0])
        for part in parts:
            part[...] = values[at : at + part.size].reshape(part.shape)
            at += part.size
        for one in self._regressions:
            one.restore(values[at : at + one.dumped_size])
            at += one.dumped_size
        self._spread.restore(shared[8 * size :])

    def _fade(self, day: int) -> None:
        passed = day - self._day if self._day >= 0 else 0
        self._day = day
        if passed:
            self._losses *= _LOSS_KEPT**passed
            self._loss_weight *= _LOSS_KEPT**passed

    def _learn_horizon(self, place: int, days: int, moment: Moment) -> FloatArray:
        """Learn what came in the last days; return what the spread is told of their beginning."""
        features = Features(earlier(moment, days))
        table = features.table(days)
        units, bought = moment.histories.total(0, days)
        told = (moment.histories.age(days) >= _AGE_MIN_DAYS) & (bought >= days / 2)
        if told.any():
            scale = features.level[told] * days
            rate = units[told] / bought[told] * days
            self._learn_rows(
                place, moment.day, table[told], np.minimum(rate / scale, _RATIO_MAX), scale
            )
        return table[:, [self._names.index(name) for name in _DRIVERS]]

    def _learn_rows(
        self, place: int, day: int, table: FloatArray, response: FloatArray, scale: FloatArray
    ) -> None:
        """Learn rows, each weighing what its series sells: (n, features), (n,), (n,)."""
        errors = np.minimum((response - self._ratios(place, table)) ** 2, 4.0)
        self._losses[place] += errors @ scale
        self._loss_weight[place] += scale.sum()
        bent = np.concatenate([table, rectified(table, self._names)], 1)
        self._regressions[place].learn(day, bent, response, scale)
        self._rows[place] += len(table)

    def _means(self, features: Features) -> tuple[FloatArray, list[FloatArray]]:
        """Return the mean of each learned horizon, and what the spread is told."""
        means, drivers = [], []
        for place, days in enumerate(LEARNED_DAYS):
            table = features.table(days)
            mixed = self._trust(place) @ self._ratios(place, table)
            means.append(np.clip(mixed, _RATIO_LEAST, _RATIO_MOST) * features.level * days)
            drivers.append(table[:, [self._names.index(name) for name in _DRIVERS]])
        return np.stack(means, 1), drivers

    def _ratios(self, place: int, table: FloatArray) -> FloatArray:
        """Return what each expert foretells, relative to the level: (experts, n)."""
        own = table[:, [self._names.index(name) for name in _PRIOR]].mean(1)
        if self._rows[place] < _ROWS_MIN:
            return np.stack([own] * len(_EXPERTS))
        regression = self._regressions[place]
        bent = np.concatenate([table, rectified(table, self._names)], 1)
        return np.stack(
            [
                own,
                np.maximum(table @ regression.weights(self._plain), _RATIO_LEAST),
                np.maximum(bent @ regression.weights(self._plain + COUNT), _RATIO_LEAST),
            ]
        )

    def _trust(self, place: int) -> FloatArray:
        """Return the weight of each expert: (experts,), its sum 1."""
        if self._loss_weight[place] <= 0:
            return np.full(len(_EXPERTS), 1 / len(_EXPERTS))
        losses = self._losses[place] / self._loss_weight[place]
        weights = np.exp(-_ETA * (losses - losses.min()) / max(losses.min(), 1e-6))
        trust: FloatArray = weights / weights.sum()
        return trust
