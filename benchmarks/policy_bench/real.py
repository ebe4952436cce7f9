"""Real demand: what policies cost beside a moving average, and what fill-rate targets take."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from _report import said
from forecaster.domain.learners import new_learner
from replenisher.domain.policies.long_run import LeastCost
from replenisher.domain.policies.segments import classify
from replenisher.domain.policy import IntArray
from replenisher.domain.protection import HorizonGrid
from restock_local.backtest.dataset import Dataset
from restock_local.backtest.replay import replay
from restock_local.simulate import clairvoyant
from restock_local.simulate.figures import figures_of
from restock_local.simulate.planners import ByPolicy, BySharedFillRate, Known, MovingAverage
from restock_local.simulate.play import Played, play
from restock_local.simulate.setting import Setting, grid_of, make_setting

RATIOS = (9.0, 19.0, 99.0)
FILL_RATES = (0.90, 0.95, 0.98)
_FILL_RATIO = 19.0
_SCORES = np.arange(-1.5, 3.76, 0.25)
"""Safety factors that the moving average is tuned over."""

Forecasts = Mapping[int, HorizonGrid]


@dataclass(frozen=True)
class Curve:
    """The moving average's exchange of stock for service.

    Attributes:
        fill_rate: Realised, ascending.
        stock_value: Mean, in money.
    """

    fill_rate: list[float]
    stock_value: list[float]

    def stock_at(self, fill_rate: float) -> float:
        """Return the stock that this fill rate takes; at the end of the curve, that of its end."""
        return float(np.interp(fill_rate, self.fill_rate, self.stock_value))


def forecasts_of(data: Dataset, learner: str, seed: int) -> Forecasts:
    """Return what a learner foretells at each review."""
    reviews = list(make_setting(data, seed=seed, ratio=RATIOS[0], lost_sales=False).reviews)
    said(data.name, "of", len(data.keys), "series: learning with", learner)
    told = replay(data, new_learner(learner), reviews, promotions=True).forecasts
    return dict(zip(reviews, (grid_of(one) for one in told), strict=True))


def costs(data: Dataset, forecasts: Forecasts, seed: int) -> list[dict[str, object]]:
    """Return one row for each b/h, with backorders and with lost sales."""
    rows = []
    for ratio in RATIOS:
        for lost_sales in (False, True):
            setting = make_setting(data, seed=seed, ratio=ratio, lost_sales=lost_sales)
            mine = figures_of(play(setting, ByPolicy(LeastCost()), forecasts), setting.costs)
            theirs = figures_of(play(setting, MovingAverage(ratio), forecasts), setting.costs)
            least = float(clairvoyant.least_cost(setting).sum())
            row = {
                "panel": data.name,
                "b_over_h": ratio,
                "short": "lost" if lost_sales else "owed",
                "cost_ratio_to_moving_average": mine["cost"] / theirs["cost"],
                "cost_ratio_to_clairvoyant": mine["cost"] / least,
                "moving_average_ratio_to_clairvoyant": theirs["cost"] / least,
                "fill_rate": mine["fill_rate"],
                "moving_average_fill_rate": theirs["fill_rate"],
            }
            said({name: round(v, 4) if isinstance(v, float) else v for name, v in row.items()})
            rows.append(row)
    return rows


def fill_rates(data: Dataset, forecasts: Forecasts, seed: int) -> list[dict[str, object]]:
    """Return one row for each fill-rate target, with backorders: service, and the stock it takes.

    A segment is A, B or C by turnover in the weeks before the start.
    """
    setting = make_setting(data, seed=seed, ratio=_FILL_RATIO, lost_sales=False)
    names, segment = _segments(setting, forecasts)
    curve = _curve(setting, forecasts)
    rows = []
    for target in FILL_RATES:
        planner = BySharedFillRate(LeastCost(), segment, np.full(len(names), target))
        played = play(setting, planner, forecasts)
        tally = played.tally
        unmet = np.bincount(segment, tally.unmet) / np.bincount(segment, tally.asked)
        realised = 1 - float(tally.unmet.sum() / tally.asked.sum())
        stock = float(played.stock_value.mean())
        row = {
            "panel": data.name,
            "fill_rate_target": target,
            "fill_rate": realised,
            "unmet_over_allowed": dict(zip(names, (unmet / (1 - target)).tolist(), strict=True)),
            "stock_value": stock,
            "stock_ratio_same_fill": stock / curve.stock_at(realised),
            "moving_average_curve": [
                [round(fill, 5), round(value, 1)]
                for fill, value in zip(curve.fill_rate, curve.stock_value, strict=True)
            ],
        }
        said({name: value for name, value in row.items() if name != "moving_average_curve"})
        rows.append(row)
    return rows


def _segments(setting: Setting, forecasts: Forecasts) -> tuple[list[str], IntArray]:
    n = len(setting.demand)
    nothing = np.zeros(n, dtype=np.int64)
    known = Known(
        day=setting.start,
        position=nothing,
        history=setting.demand[:, : setting.start],
        unmet=nothing,
        horizons=forecasts[setting.start],
        lead_times=setting.lead_time_book().estimate(),
    )
    situation = ByPolicy(LeastCost()).situation(known, setting)
    classes = [one[0] for one in classify(situation, [False] * n, [False] * n)]
    names = sorted(set(classes))
    return names, np.array([names.index(one) for one in classes], dtype=np.int64)


def _curve(setting: Setting, forecasts: Forecasts) -> Curve:
    points = []
    for z in _SCORES.tolist():
        played: Played = play(setting, MovingAverage(_FILL_RATIO, z=z), forecasts)
        share = 1 - float(played.tally.unmet.sum() / played.tally.asked.sum())
        points.append((share, float(played.stock_value.mean())))
    points.sort()
    return Curve([fill for fill, _ in points], [value for _, value in points])
