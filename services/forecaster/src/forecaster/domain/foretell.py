"""What is expected of keys after the last closed day: the model's word, and a planner's over it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.domain import overrides
from forecaster.domain.grid import day_factors
from forecaster.domain.history import FloatArray
from forecaster.domain.learner import HORIZONS_DAYS, Key, Share
from forecaster.domain.learners.champions import Champions
from forecaster.domain.state import PartitionState

_AT_ONCE = 4096
_LITTLE = 1e-4


@dataclass(frozen=True, slots=True)
class Foretold:
    """What is expected of one key.

    Attributes:
        key: Whose demand.
        model: Which learner foretells it.
        mean: (len(HORIZONS_DAYS),) units.
        size: (len(HORIZONS_DAYS),) the negative binomial's r.
        daily: (AHEAD_DAYS,) units, each day by itself; they add up to the means.
        model_daily: The same as the model says it.
        model_size: (len(HORIZONS_DAYS),) The same as the model says it.
        shares: What the model's mean over 14 days is made of, the largest first.
        override: Which of a planner's overrides it takes in.
        learned_days: Days since the first demand, that day included.
        last_sale: The last day with demand; None before the first.
    """

    key: Key
    model: str
    mean: FloatArray
    size: FloatArray
    daily: FloatArray
    model_daily: FloatArray
    model_size: FloatArray
    shares: tuple[Share, ...]
    override: str | None
    learned_days: int
    last_sale: int | None


def foretell(
    state: PartitionState, keys: Sequence[Key], day: int, *, explained: bool = True
) -> Iterator[Foretold]:
    """Yield what is expected of keys after the end of `day`, the last that is closed."""
    known = [key for key in keys if key in state.partition.histories]
    for at in range(0, len(known), _AT_ONCE):
        yield from _foretell(state, known[at : at + _AT_ONCE], day, explained=explained)
    for key in keys:
        if key not in state.partition.histories:
            yield _of_nothing(state, key, day)


def _foretell(
    state: PartitionState, keys: Sequence[Key], day: int, *, explained: bool
) -> Iterator[Foretold]:
    partition = state.partition
    view = partition.view(keys, day)
    states = [partition.states.get(key, b"") for key in keys]
    found = partition.learner.forecast(states, view)
    shares = partition.learner.explain(states, view) if explained else [()] * len(keys)
    histories = view.histories
    weights = day_factors(view.ahead, histories.uplift(histories.sums()), histories.promoted_most)
    ages = histories.age().tolist()
    sales = histories.rows["last_sale"].tolist()
    firsts = histories.rows["first_day"].tolist()
    daily = overrides.daily_means(found.mean, weights)
    models = found.models or (partition.learner.name,) * len(keys)
    for row, key in enumerate(keys):
        yield _with_override(
            state,
            key,
            models[row],
            day,
            (found.mean[row], found.size[row], daily[row]),
            tuple(sorted(shares[row], key=lambda one: (-abs(one.units), one.feature))),
            (ages[row], sales[row] if sales[row] >= firsts[row] else None),
        )


def _of_nothing(state: PartitionState, key: Key, day: int) -> Foretold:
    """Return what is expected of a key that has never sold: next to nothing, unless it is set."""
    count = len(HORIZONS_DAYS)
    mean = _LITTLE * np.array(HORIZONS_DAYS, float)
    even = np.full(HORIZONS_DAYS[-1], _LITTLE)
    learner = state.partition.learner
    model = learner.champion if isinstance(learner, Champions) else learner.name
    return _with_override(state, key, model, day, (mean, np.ones(count), even), (), (0, None))


def _with_override(
    state: PartitionState,
    key: Key,
    name: str,
    day: int,
    model: tuple[FloatArray, FloatArray, FloatArray],
    shares: tuple[Share, ...],
    learned: tuple[int, int | None],
) -> Foretold:
    mean, size, daily = model
    model_daily = daily
    set_by = state.overrides.get(key, ())
    override = None
    model_size = size
    if set_by:
        changed = overrides.days_with(set_by, day, daily)
        if changed is not None:
            daily = changed
            override = overrides.in_force(set_by, day)
            mean, size = overrides.on_grid(daily, size)
    return Foretold(
        key, name, mean, size, daily, model_daily, model_size, shares, override, *learned
    )
