"""Days that end: keys learn, what planners set is measured, and what has changed is told again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecaster.domain import facts, overrides
from forecaster.domain.foretell import foretell
from forecaster.domain.insights import insights
from forecaster.domain.learner import HORIZONS_DAYS, Key
from forecaster.domain.overrides import Override, in_force
from forecaster.domain.state import NEVER, OVERRIDES, REPLANNED, PartitionState
from restock_common.contracts.insights import DriftDetected, ModelSwitched

REFRESH_DAYS = 14
"""A key without demand is published again after so many days, on its own day of the week."""


@dataclass(frozen=True, slots=True)
class Closed:
    """What has come of closing days.

    Attributes:
        keys: To be published, in order.
        measured: Overrides whose period has ended, by key.
        noticed: Drifts, and models that took over.
    """

    keys: tuple[Key, ...] = ()
    measured: tuple[tuple[Key, Override], ...] = ()
    noticed: tuple[DriftDetected | ModelSwitched, ...] = ()


def close_days(state: PartitionState, today: int) -> Closed:
    """Close every day before `today`; published is as of the last of them, and each key once."""
    if state.open_day is None:
        state.open_day = min([today, *state.asked])
        facts.derive(state.facts, state.partition, state.open_day)
    if state.open_day >= today:
        return Closed()
    came: set[Key] = set()
    visited: set[Key] = set()
    measured: list[tuple[Key, Override]] = []
    noticed: list[DriftDetected | ModelSwitched] = []
    for day in range(state.open_day, today):
        units = state.asked.get(day, {})
        some, others = state.close_day(day)
        came |= some
        visited.update(others)
        noticed += insights(state.partition, state.number, others, day)
        state.open_day = day + 1
        facts.take_effect(state.facts, state.partition, day + 1)
        measured += _look_at_overrides(state, day, units)
    state.shared = state.partition.learner.shared()
    last = today - 1
    quiet = {key for key in visited if last - state.published.get(key, NEVER) >= REFRESH_DAYS}
    replanned = {key for key, day in state.published.items() if day == REPLANNED}
    set_by = {key for key, known in state.overrides.items() if in_force(known, last)}
    keys = tuple(sorted(came | quiet | replanned | set_by | {key for key, _ in measured}))
    for key in keys:
        state.touch(key)
        state.published[key] = last
    return Closed(keys, tuple(measured), tuple(noticed))


def begin_override(state: PartitionState, key: Key, override: Override) -> None:
    """Take an override in; where its period has begun, note what the model says of it."""
    state.touch_part((OVERRIDES, *key))
    if state.open_day is not None and override.first_day <= state.open_day:
        override = _noted(state, key, replace(override, first_day=state.open_day))
    state.overrides[key] = overrides.put(state.overrides.get(key, ()), override)


def _look_at_overrides(
    state: PartitionState, day: int, units: dict[Key, int]
) -> list[tuple[Key, Override]]:
    """Count what came in the periods that run, measure those that end, begin those that begin."""
    ended: list[tuple[Key, Override]] = []
    for key, known in state.overrides.items():
        if not any(_is_due(one, day) for one in known):
            continue
        state.touch_part((OVERRIDES, *key))
        now = [_on_day(state, key, one, day, units.get(key, 0)) for one in known]
        ended += [
            (key, new) for old, new in zip(known, now, strict=True) if new.measured > old.measured
        ]
        state.overrides[key] = tuple(now)
    return ended


def _is_due(one: Override, day: int) -> bool:
    return one.withdrawn is None and one.first_day <= day + 1 and one.last_day >= day


def _on_day(state: PartitionState, key: Key, one: Override, day: int, units: int) -> Override:
    if not _is_due(one, day):
        return one
    if one.model is None:
        return _noted(state, key, one) if one.first_day == day + 1 else one
    one = replace(one, units=one.units + units)
    return overrides.ended(one) if day == one.last_day else one


def _noted(state: PartitionState, key: Key, one: Override) -> Override:
    """Return an override with what the model says of its period, as of the last closed day."""
    assert state.open_day is not None
    last = state.open_day - 1
    (model,) = foretell(state, [key], last, explained=False)
    days = one.last_day - one.first_day + 1
    size = float(np.interp(days, HORIZONS_DAYS, model.model_size))
    return overrides.noted(one, last, model.model_daily, size)


def replan(state: PartitionState, keys: Sequence[Key]) -> None:
    """Have keys published when the next day closes: something about their future has changed."""
    for key in keys:
        if state.published.get(key, NEVER) > NEVER:
            state.touch(key)
            state.published[key] = REPLANNED
