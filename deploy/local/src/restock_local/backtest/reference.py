"""The batch reference: LightGBM fitted anew every four weeks on all that is known by then.

Three ways to quantiles (the prototype's): trees for each quantile; trees for the mean with a
negative binomial about it, whose dispersion is learned from the errors of a linear regression; and
the mean of the two. The best of them on a panel is what the product is measured against. The
parameters are fixed. What was foretold can be kept in a folder, by all that it depends on.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.domain.loss import LEVELS
from forecaster.domain.negative_binomial import quantiles
from restock_local.backtest import batch_features
from restock_local.backtest.batch_features import TOTALS_DAYS, Panel
from restock_local.backtest.dataset import Dataset, FloatArray

VARIANTS = ("quantiles", "mean", "both")
_VERSION = 1
_PARAMETERS: dict[str, Any] = {
    "learning_rate": 0.04,
    "num_leaves": 24,
    "min_data_in_leaf": 200,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "feature_fraction": 0.6,
    "num_threads": 1,
    "verbosity": -1,
    "seed": 1,
    "deterministic": True,
}
_ROUNDS = 200
_FIRST_ROW = 42
_REFIT_ORIGINS = 4
_ROWS_EVERY = {"top500": 3}
_BUCKETS = 12


@dataclass(frozen=True)
class Reference:
    """What the batch reference foretold.

    Attributes:
        quantiles: (n_origins, n_series, 2, n_levels) by variant.
        wall_s: Seconds that it took, when it was computed.
    """

    quantiles: dict[str, FloatArray]
    wall_s: float


def foretell(
    data: Dataset, origins: Sequence[int], *, promotions: bool, cache: Path | None
) -> Reference:
    """Return the reference's quantiles at each origin.

    Args:
        data: The panel.
        origins: The first days that are foretold, ascending, as columns of the data.
        promotions: Whether what is planned is known.
        cache: A folder that keeps results; None computes anew.
    """
    kept = cache / f"lightgbm-{_identity(data, origins, promotions)}.npz" if cache else None
    if kept is not None and kept.exists():
        with np.load(kept) as stored:
            found = {name: stored[name].astype(np.float64) for name in VARIANTS}
            return Reference(found, float(stored["wall_s"]))
    start = time.perf_counter()
    found = _fit_and_foretell(data, origins, promotions)
    wall_s = time.perf_counter() - start
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(kept, allow_pickle=False, wall_s=np.array(wall_s), **found)
    return Reference(found, wall_s)


def _identity(data: Dataset, origins: Sequence[int], promotions: bool) -> str:
    digest = hashlib.sha256(repr((_VERSION, _PARAMETERS, _ROUNDS, list(origins))).encode())
    digest.update(repr((data.name, data.keys, promotions)).encode())
    for values in (data.units, data.sales, data.rebates, data.display, data.mailing):
        digest.update(np.ascontiguousarray(values).tobytes())
    for group in sorted(data.groups):
        digest.update(repr(group).encode() + data.groups[group].tobytes())
    return digest.hexdigest()[:20]


def _fit_and_foretell(
    data: Dataset, origins: Sequence[int], promotions: bool
) -> dict[str, FloatArray]:
    one = batch_features.panel(data)
    shape = (len(origins), len(data.keys), len(TOTALS_DAYS), len(LEVELS))
    found = {name: np.zeros(shape) for name in VARIANTS}
    for place, days in enumerate(TOTALS_DAYS):
        table = batch_features.table(one, days, promotions=promotions, until=origins[0])
        index = _dispersion(one, table, days)
        models: list[Any] = []
        for at, origin in enumerate(origins):
            last = origin - 1
            if at % _REFIT_ORIGINS == 0:
                models = _fitted(one, table, days, last)
            scale = one.level[:, last] * days
            told = [model.predict(table[:, last].astype(np.float32)) for model in models]
            by_level = np.sort(np.stack(told[:-1], -1) * scale[:, None], -1)
            mean = np.maximum(told[-1] * scale, 0.02 * scale)
            phi = np.maximum(index[:, last], 1.02)
            by_mean = quantiles(mean, mean / (phi - 1), LEVELS)
            found["quantiles"][at, :, place] = np.maximum(by_level, 0)
            found["mean"][at, :, place] = by_mean
    found["both"] = (found["quantiles"] + found["mean"]) / 2
    return found


def _fitted(one: Panel, table: FloatArray, days: int, last: int) -> list[Any]:
    """Return a model for each quantile and one for the mean, of what is known after a day."""
    import lightgbm

    rows = np.arange(_FIRST_ROW, last - days + 1, _ROWS_EVERY.get(one.data.name, 5))
    features = table[:, rows].reshape(-1, table.shape[-1]).astype(np.float32)
    scale = (days * one.level[:, rows]).ravel()
    response = one.totals[days][:, rows].ravel() / scale
    models = []
    for level in LEVELS.tolist():
        parameters = {**_PARAMETERS, "objective": "quantile", "alpha": level}
        told = lightgbm.Dataset(features, response, weight=np.sqrt(scale), params=parameters)
        models.append(lightgbm.train(parameters, told, _ROUNDS))
    parameters = {**_PARAMETERS, "objective": "regression"}
    told = lightgbm.Dataset(features, np.minimum(response, 4), weight=scale, params=parameters)
    models.append(lightgbm.train(parameters, told, _ROUNDS))
    return models


def _dispersion(one: Panel, table: FloatArray, days: int) -> FloatArray:
    """Return variance over mean as learned from a linear regression's errors: (n, n_days)."""
    scale = one.level * days
    response = np.minimum(one.totals[days] / scale, 4)
    ratios = _linear(table, response, scale, days)
    means = np.maximum(ratios * scale, 0.02 * scale)
    n_series, n_days = means.shape
    kept = 1 - (1 - 0.5 ** (1 / 90))
    own, own_mean = np.zeros(n_series), np.zeros(n_series)
    pooled, pooled_mean = np.zeros(_BUCKETS), np.zeros(_BUCKETS)
    index = np.ones((n_series, n_days))
    for day in range(_FIRST_ROW, n_days):
        past = day - days
        if past >= _FIRST_ROW:
            told = np.isfinite(means[:, past])
            errors = np.where(told, (one.totals[days][:, past] - means[:, past]) ** 2, 0)
            floor = np.where(told, np.maximum(means[:, past], 0.05), 0)
            own, own_mean = kept * own + errors, kept * own_mean + floor
            bucket = _bucket(means[:, past])
            pooled = kept * pooled + np.bincount(bucket, np.minimum(errors, 1e9), _BUCKETS)
            pooled_mean = kept * pooled_mean + np.bincount(bucket, floor, _BUCKETS)
        mean = np.nan_to_num(means[:, day], nan=1.0)
        everywhere = (pooled.sum() + 1e-9) / (pooled_mean.sum() + 1e-9)
        by_bucket = ((pooled + 5 * everywhere) / (pooled_mean + 5))[_bucket(mean)]
        shrink = np.maximum(mean, 0.05) * 15
        index[:, day] = (own + shrink * by_bucket) / (own_mean + shrink)
    return index


def _linear(table: FloatArray, response: FloatArray, scale: FloatArray, days: int) -> FloatArray:
    """Return a ridge regression's predictions, refitted each day on what is known: (n, n_days)."""
    n_series, n_days, width = table.shape
    gram, moment = np.eye(width), np.zeros(width)
    found = np.full((n_series, n_days), np.nan)
    for day in range(_FIRST_ROW, n_days):
        past = day - days
        if past >= _FIRST_ROW - 14:
            rows, weight = table[:, past], scale[:, past]
            gram = 0.999 * gram + (rows * weight[:, None]).T @ rows + 0.001 * np.eye(width)
            moment = 0.999 * moment + rows.T @ (weight * response[:, past])
        if past >= _FIRST_ROW - 7:
            found[:, day] = table[:, day] @ np.linalg.solve(gram, moment)
    return found


def _bucket(means: FloatArray) -> Any:
    known = np.maximum(np.nan_to_num(means, nan=1.0), 0.05)
    return np.clip(np.floor(1.25 * np.log2(known / 0.3)), 0, _BUCKETS - 1).astype(int)
