"""What planners set in place of a forecast, and how it fares beside what the model would have said.

An override says what a day brings, in units or as a multiple of the model's, from one day to
another. The forecast that is published takes it in; the model goes on learning as if nothing had
been set. As the period begins both are noted as distributions of its total, and when it has ended
each is measured by its absolute error and its pinball loss.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import orjson

from forecaster.domain.history import FloatArray
from forecaster.domain.learner import AHEAD_DAYS, HORIZONS_DAYS
from forecaster.domain.loss import LEVELS, pinball
from forecaster.domain.quantiles import quantiles

DAYS_MAX = AHEAD_DAYS
KEPT = 20
"""So many overrides of a key are remembered, the latest."""
_SIZE_MIN, _SIZE_MAX = 0.01, 1e6


@dataclass(frozen=True, slots=True)
class Measured:
    """How one forecast of a period's total has fared.

    Attributes:
        mean: Foretold, in units.
        size: The negative binomial's r.
        absolute_error: In units; None before the end of the period.
        pinball: Mean over the levels, in units; None before the end.
    """

    mean: float
    size: float
    absolute_error: float | None = None
    pinball: float | None = None

    def against(self, units: int) -> "Measured":
        """Return the same with its losses."""
        found = quantiles(self.mean, self.size, LEVELS.tolist())
        lost = float(pinball(np.array(float(units)), np.array(found, float)))
        return replace(self, absolute_error=abs(units - self.mean), pinball=lost)


@dataclass(frozen=True, slots=True)
class Override:
    """What a planner has set for one key.

    Attributes:
        name: Its id.
        first_day: The first day that it counts on.
        last_day: The last.
        units_a_day: What each day brings; or else
        factor: what the model's mean is multiplied by.
        by: Who set it.
        reason: Why.
        at: When, by RFC 3339.
        withdrawn: Who ended it, why and when, where someone has.
        units: What has come in its period so far.
        model: What the model said as the period began.
        planner: What the override said.
    """

    name: str
    first_day: int
    last_day: int
    units_a_day: float | None
    factor: float | None
    by: str
    reason: str
    at: str
    withdrawn: tuple[str, str, str] | None = None
    units: int = 0
    model: Measured | None = None
    planner: Measured | None = None

    @property
    def measured(self) -> bool:
        """Return whether its period has been measured."""
        return self.model is not None and self.model.pinball is not None

    def counts_on(self, day: int) -> bool:
        """Return whether it counts on a day."""
        return self.withdrawn is None and self.first_day <= day <= self.last_day


def dump(overrides: Sequence[Override]) -> bytes:
    """Return overrides as bytes; empty for none."""
    return orjson.dumps([asdict(one) for one in overrides]) if overrides else b""


def load(part: bytes) -> tuple[Override, ...]:
    """Return what was dumped."""
    found = []
    for one in orjson.loads(part):
        for who in ("model", "planner"):
            one[who] = None if one[who] is None else Measured(**one[who])
        one["withdrawn"] = None if one["withdrawn"] is None else tuple(one["withdrawn"])
        found.append(Override(**one))
    return tuple(found)


def put(known: Iterable[Override], override: Override) -> tuple[Override, ...]:
    """Return overrides with one more, in the place of one of the same name; the last counts."""
    others = [one for one in known if one.name != override.name]
    return (*others[-(KEPT - 1) :], override)


def days_with(overrides: Sequence[Override], day: int, daily: FloatArray) -> FloatArray | None:
    """Return what each day after `day` brings: (AHEAD_DAYS,) units; None where nothing counts.

    Args:
        overrides: Of one key; the last of several counts.
        day: The last that is closed.
        daily: (AHEAD_DAYS,) what the model expects of each day.
    """
    mine = daily.copy()
    found = False
    for one in overrides:
        if one.withdrawn is not None or one.last_day <= day:
            continue
        start, end = max(one.first_day - day - 1, 0), min(one.last_day - day, AHEAD_DAYS)
        if start >= end:
            continue
        found = True
        if one.units_a_day is not None:
            mine[start:end] = one.units_a_day
        else:
            assert one.factor is not None
            mine[start:end] = daily[start:end] * one.factor
    return mine if found else None


def in_force(overrides: Sequence[Override], day: int) -> str | None:
    """Return the override that counts first after `day`; the last set where several do."""
    ahead = [
        (max(one.first_day, day + 1), -place, one.name)
        for place, one in enumerate(overrides)
        if one.withdrawn is None and one.last_day > day and one.first_day <= day + AHEAD_DAYS
    ]
    return min(ahead)[2] if ahead else None


def daily_means(means: FloatArray, weights: FloatArray) -> FloatArray:
    """Return what each day brings, so that the days add up to the horizons: (n, AHEAD_DAYS) units.

    Args:
        means: (n, len(HORIZONS_DAYS)) cumulative.
        weights: (n, AHEAD_DAYS) how days compare within a stretch.
    """
    daily = np.empty((len(means), AHEAD_DAYS))
    starts = (0, *HORIZONS_DAYS[:-1])
    steps = np.diff(means, axis=1, prepend=0.0)
    for place, (start, end) in enumerate(zip(starts, HORIZONS_DAYS, strict=True)):
        share = weights[:, start:end]
        total = share.sum(1, keepdims=True)
        even = 1 / (end - start)
        share = np.where(total > 0, share / np.where(total > 0, total, 1.0), even)
        daily[:, start:end] = steps[:, place, None] * share
    return np.maximum(daily, 0.0)


def on_grid(daily: FloatArray, sizes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and size on the horizons of what each day brings, coherent across them.

    Args:
        daily: (AHEAD_DAYS,) units.
        sizes: (len(HORIZONS_DAYS),) of the model: relative variance beyond Poisson stays.
    """
    means = daily.cumsum()[[days - 1 for days in HORIZONS_DAYS]]
    variances = np.maximum.accumulate(means + means**2 / sizes)
    excess = np.maximum(variances - means, 1e-12)
    return means, np.clip(means**2 / excess, _SIZE_MIN, _SIZE_MAX)


def noted(override: Override, day: int, model: FloatArray, size: float) -> Override:
    """Return an override as its period begins: what the model says of it, and what it says.

    Args:
        override: Which one.
        day: The last that is closed.
        model: (AHEAD_DAYS,) what the model expects of each day.
        size: Of the model's, for a period of that length.
    """
    planner = days_with([override], day, model)
    assert planner is not None
    start, end = max(override.first_day - day - 1, 0), override.last_day - day
    return replace(
        override,
        model=Measured(float(model[start:end].sum()), size),
        planner=Measured(float(planner[start:end].sum()), size),
    )


def ended(override: Override) -> Override:
    """Return an override whose period is over, measured."""
    assert override.model is not None
    assert override.planner is not None
    return replace(
        override,
        model=override.model.against(override.units),
        planner=override.planner.against(override.units),
    )
