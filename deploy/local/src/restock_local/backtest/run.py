"""One back-test: a learner, what it is measured against, and the figures."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forecaster.domain.learner import HORIZONS_DAYS, Forecast
from forecaster.domain.learners import REGISTRY, new_learner
from restock_local.backtest import scores
from restock_local.backtest.dataset import Dataset, FloatArray
from restock_local.backtest.replay import replay
from restock_local.backtest.scores import TOTALS_DAYS, Told, Truth

LIGHTGBM, STATSFORECAST = "lightgbm", "statsforecast"
_TOTALS = [HORIZONS_DAYS.index(days) for days in TOTALS_DAYS]


@dataclass(frozen=True)
class Rival:
    """What a method foretold, and how long it took.

    Attributes:
        name: Of the method, with its variant.
        told: What it foretold.
        wall_s: Seconds.
    """

    name: str
    told: Told
    wall_s: float


@dataclass(frozen=True)
class Result:
    """A back-test's figures and what they were computed from."""

    data: Dataset
    origins: tuple[int, ...]
    seen: Truth
    mine: Rival
    theirs: tuple[Rival, ...]
    methods: Mapping[str, Mapping[str, float]]
    figures: Mapping[str, object]


def run(
    data: Dataset,
    origins: Sequence[int],
    *,
    learner: str,
    against: Sequence[str],
    promotions: bool,
    cache: Path | None,
    progress: Callable[[int], None] = lambda _: None,
) -> Result:
    """Return how a learner does on a data set.

    Args:
        data: What came.
        origins: The first days that are foretold, ascending, as columns of the data.
        learner: By its name in the registry.
        against: Other learners, LIGHTGBM, STATSFORECAST; the first is the reference.
        promotions: Whether what was planned is told.
        cache: A folder for what batch methods foretold.
        progress: Called with each column that the learner has closed.

    Raises:
        ValueError: There is no such method, or the origins leave nothing to learn or to score.
    """
    if not origins or origins[0] < 4 * max(TOTALS_DAYS):
        raise ValueError("the first origin leaves less than eight weeks to learn from")
    if origins[-1] + max(TOTALS_DAYS) > data.days:
        raise ValueError("the last origin leaves less than two weeks to score")
    seen = scores.truth(data.units, origins)
    if not seen.scored.any():
        raise ValueError("no series sold enough before the first origin to be scored")
    mine = _learner(data, seen, learner, origins, promotions, progress)
    theirs = tuple(_rival(data, seen, name, origins, promotions, cache) for name in against)
    methods = {
        one.name: {**scores.measures(seen, one.told), "wall_s": one.wall_s}
        for one in (mine, *theirs)
    }
    figures = _figures(seen, mine, theirs, methods)
    return Result(data, tuple(origins), seen, mine, theirs, methods, figures)


def _learner(
    data: Dataset,
    seen: Truth,
    name: str,
    origins: Sequence[int],
    promotions: bool,
    progress: Callable[[int], None] = lambda _: None,
) -> Rival:
    start = time.perf_counter()
    done = replay(data, new_learner(name), origins, promotions=promotions, progress=progress)
    mean, size = _totals(done.forecasts)
    wall_s = time.perf_counter() - start
    return Rival(name, scores.of_negative_binomials(seen, mean, size), wall_s)


def _totals(forecasts: Sequence[Forecast]) -> tuple[FloatArray, FloatArray]:
    return (
        np.stack([one.mean[:, _TOTALS] for one in forecasts]),
        np.stack([one.size[:, _TOTALS] for one in forecasts]),
    )


def _rival(
    data: Dataset,
    seen: Truth,
    name: str,
    origins: Sequence[int],
    promotions: bool,
    cache: Path | None,
) -> Rival:
    if REGISTRY.keys() >= {one.strip() for one in name.split(",")}:
        return _learner(data, seen, name, origins, promotions)
    if name == LIGHTGBM:
        return _lightgbm(data, seen, origins, promotions, cache)
    if name == STATSFORECAST:
        return _statsforecast(data, seen, origins)
    known = ", ".join([*sorted(REGISTRY), LIGHTGBM, STATSFORECAST])
    raise ValueError(f"{name!r} is no method; known: {known}")


def _lightgbm(
    data: Dataset, seen: Truth, origins: Sequence[int], promotions: bool, cache: Path | None
) -> Rival:
    from restock_local.backtest import reference

    found = reference.foretell(data, origins, promotions=promotions, cache=cache)
    rivals = []
    for variant, quantiles in found.quantiles.items():
        told = Told(quantiles[..., 0], quantiles)
        loss = scores.scaled_losses(seen, told).mean()
        rivals.append((float(loss), Rival(f"{LIGHTGBM}: {variant}", told, found.wall_s)))
    return min(rivals, key=lambda one: one[0])[1]


def _statsforecast(data: Dataset, seen: Truth, origins: Sequence[int]) -> Rival:
    from restock_local.backtest import croston

    start = time.perf_counter()
    mean, size = croston.foretell(data.units, origins)
    told = scores.of_negative_binomials(seen, mean, size)
    return Rival(f"{STATSFORECAST}: CrostonSBA", told, time.perf_counter() - start)


def _figures(
    seen: Truth,
    mine: Rival,
    theirs: Sequence[Rival],
    methods: Mapping[str, Mapping[str, float]],
) -> dict[str, object]:
    figures: dict[str, object] = {
        "learner": mine.name,
        "series": len(seen.scored),
        "scored": int(seen.scored.sum()),
        "origins": len(seen.totals),
        **methods[mine.name],
    }
    losses = scores.scaled_losses(seen, mine.told)
    for rival in theirs[:1]:
        their_losses = scores.scaled_losses(seen, rival.told)
        intervals = scores.ratio_intervals(losses, their_losses, seed=1)
        figures |= {"reference": rival.name, "reference_wall_s": rival.wall_s}
        for place, days in enumerate(TOTALS_DAYS):
            loss = float(their_losses.mean(0)[place])
            figures[f"reference_spl_{days}"] = loss
            figures[f"ratio_{days}"] = float(losses.mean(0)[place]) / loss
            figures[f"ratio_{days}_interval"] = intervals[place]
    figures["methods"] = {one.name: methods[one.name] for one in theirs}
    return figures
