"""A small recurrent network over all series, trained as days come; needs the extra `[neural]`.

A gated recurrent unit (Cho et al., 2014) reads the last two weeks of a series relative to its
level; what it makes of them, the series' levels and what is planned give the demand ahead relative
to the level. One step of Adam (Kingma & Ba, 2015) a day and horizon, on the keys whose day it is.

Its bytes are the numbers alone, so they do not depend on PyTorch's version; that another version or
processor would learn the same to the byte is not promised.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from forecaster.domain.calendar import DAYS_PER_WEEK
from forecaster.domain.features import Features, Moment, now, scheduled
from forecaster.domain.history import RING_DAYS, FloatArray
from forecaster.domain.learner import LEARNED_DAYS, View
from forecaster.domain.learners.by_days import open_days
from forecaster.domain.learners.by_means import ByMeans
from forecaster.domain.learners.rows import RATIO_MAX, RATIO_MIN, ended

_SEEN_DAYS = 14
_INPUTS, _HIDDEN, _BESIDES = 5, 16, 9
_STEP, _SEED = 2e-3, 1
_NORM_MAX = 1.0


class _Network:
    """Demand relative to the level; exactly the level before anything is learned."""

    def __init__(self) -> None:
        self._reads = nn.GRU(_INPUTS, _HIDDEN, batch_first=True)
        self._joins = nn.Linear(_HIDDEN + _BESIDES, _HIDDEN)
        self._tells = nn.Linear(_HIDDEN, 1)
        nn.init.zeros_(self._tells.weight)
        nn.init.zeros_(self._tells.bias)

    def weights(self) -> list[Tensor]:
        """Return what is trained, in one order."""
        parts = (self._reads, self._joins, self._tells)
        return [weight for part in parts for weight in part.parameters()]

    def ratios(self, days: Tensor, besides: Tensor) -> Tensor:
        """Return (n,) from (n, _SEEN_DAYS, _INPUTS) and (n, _BESIDES)."""
        _, last = self._reads(days)
        joined = torch.relu(self._joins(torch.cat([last[0], besides], 1)))
        return 1 + self._tells(joined)[:, 0]


class GatedRecurrent(ByMeans):
    """One network for all series of a partition."""

    name = "gated-recurrent"

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_SEED)
            self._network = _Network()
        self._weights = self._network.weights()
        self._optimizer = torch.optim.Adam(self._weights, _STEP)
        for weight in self._weights:
            # a step of nothing, so that there is a state to write from the first day on
            weight.grad = torch.zeros_like(weight)
        self._optimizer.step()

    def learn_shared(self, states: Sequence[bytes], view: View) -> None:
        """Take a step for each horizon on the days that have come to an end."""
        del states
        if not view.scheduled.any():
            return
        moment = scheduled(view)
        for days in LEARNED_DAYS:
            come = ended(moment, days)
            if come.told.any():
                ratios = np.where(come.told, come.ratios, 1.0)
                self._take_step(come.before, days, ratios, come.weights * come.told)

    def means(self, states: Sequence[bytes], view: View) -> FloatArray:
        """Return the mean demand of the next 7, 14 and 28 days."""
        del states
        moment = now(view)
        found: FloatArray = open_days(view) * Features(moment).level[:, None]
        for place, days in enumerate(LEARNED_DAYS):
            with torch.no_grad():
                ratios = self._network.ratios(*_inputs(moment, days)).numpy().astype(np.float64)
            found[:, place] *= np.clip(ratios, RATIO_MIN, RATIO_MAX)
        return found

    def dump(self) -> bytes:
        """Return weights, both of Adam's moments, and its steps."""
        return np.concatenate([one.detach().numpy().ravel() for one in self._numbers()]).tobytes()

    def load(self, dumped: bytes) -> None:
        """Take up again what `dump` returned."""
        numbers, at = np.frombuffer(dumped, np.float32), 0
        with torch.no_grad():
            for one in self._numbers():
                size = one.numel()
                one.copy_(torch.from_numpy(numbers[at : at + size].copy()).reshape(one.shape))
                at += size

    def _take_step(
        self, moment: Moment, days: int, ratios: FloatArray, weights: FloatArray
    ) -> None:
        self._optimizer.zero_grad()
        errors = self._network.ratios(*_inputs(moment, days)) - _tensor(ratios)
        loss = (_tensor(weights) * errors**2).sum() / _tensor(weights).sum().clamp_min(1e-6)
        loss.backward()
        nn.utils.clip_grad_norm_(self._weights, _NORM_MAX)
        self._optimizer.step()

    def _numbers(self) -> list[Tensor]:
        """Return every tensor of the state, in one order."""
        found = list(self._weights)
        for weight in self._weights:
            state = self._optimizer.state[weight]
            found += [state["exp_avg"], state["exp_avg_sq"], state["step"]]
        return found


def _inputs(moment: Moment, days: int) -> tuple[Tensor, Tensor]:
    """Return what the network sees: of each of the last days, and of the whole."""
    known, histories, back = Features(moment), moment.histories, moment.back
    window = slice(RING_DAYS - back - _SEEN_DAYS, RING_DAYS - back)
    level = known.level[:, None]
    angle = 2 * np.pi * np.arange(moment.day - _SEEN_DAYS + 1, moment.day + 1) / DAYS_PER_WEEK
    daily = np.stack(
        [
            np.clip(histories.units[:, window] / level, 0, 8),
            histories.days[:, window],
            histories.promoted[:, window],
            np.broadcast_to(np.sin(angle), (len(level), _SEEN_DAYS)),
            np.broadcast_to(np.cos(angle), (len(level), _SEEN_DAYS)),
        ],
        2,
    )
    most = histories.promoted_most[:, None]
    planned = np.minimum((moment.display[:, :days] + moment.mailing[:, :days]) / most, 1.0)
    besides = np.concatenate(
        [
            np.clip(known.rates / level, 0, 6),
            np.log(level) / 3,
            planned.mean(1)[:, None],
            np.full((len(level), 1), np.log(days) / 3),
        ],
        1,
    )
    return _tensor(daily), _tensor(besides)


def _tensor(values: FloatArray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))
