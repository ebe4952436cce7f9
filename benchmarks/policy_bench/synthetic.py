"""Made-up demand whose truth is known, drawn from processes fitted to a real panel.

Each series of the panel gives one process: independent days, negative binomial with the series'
mean and variance.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import nbinom

from _report import said
from forecaster.domain.learner import HORIZONS_DAYS, Forecast
from forecaster.domain.learners import new_learner
from replenisher.domain.lead_times import LeadTimes
from replenisher.domain.policies.long_run import LeastCost
from replenisher.domain.policies.protocol import Costs
from replenisher.domain.protection import FloatArray, HorizonGrid
from restock_local.backtest.dataset import Dataset
from restock_local.backtest.replay import replay
from restock_local.simulate.planners import ByPolicy, Known
from restock_local.simulate.play import play
from restock_local.simulate.setting import Setting, grid_of, make_setting

_SIZES = (0.05, 1e5)
_RATIO = 19.0
_SINGLE_ITEMS = 40
_TAIL = 1e-12


@dataclass(frozen=True)
class Truth:
    """Independent days: negative binomial, (n,) each."""

    mean: FloatArray
    size: FloatArray

    def forecast(self) -> HorizonGrid:
        """Return what is to be foretold: means and sizes of sums of days add up."""
        days = np.array(HORIZONS_DAYS, dtype=np.float64)
        return grid_of(Forecast(self.mean[:, None] * days, self.size[:, None] * days))


@dataclass(slots=True)
class TrueParameters(ByPolicy):
    """The same policy, told the true demand and the true lead times."""

    truth: HorizonGrid | None = None
    lead_times: LeadTimes | None = None

    def order(self, known: Known, setting: Setting) -> np.ndarray:
        """Return what the policy wants, of what is true."""
        assert self.truth is not None
        assert self.lead_times is not None
        true = replace(known, horizons=self.truth, lead_times=self.lead_times)
        return ByPolicy.order(self, true, setting)


def measure(panel: Dataset, *, seed: int, learner: str) -> dict[str, float]:
    """Return the figures of the made-up panel."""
    random = np.random.default_rng(seed)
    truth = fitted(panel.units)
    data = drawn(panel, truth, random)
    setting = make_setting(data, seed=seed, ratio=_RATIO, lost_sales=False)
    said("synthetic panel:", len(data.keys), "series; learning")
    told = replay(data, new_learner(learner), list(setting.reviews), promotions=False).forecasts
    grids = {day: grid_of(one) for day, one in zip(setting.reviews, told, strict=True)}
    policy = LeastCost()
    lead_times = LeadTimes(setting.lead_days.mean(axis=1), setting.lead_days.std(axis=1))
    planners = {
        "learned": ByPolicy(policy),
        "true": TrueParameters(policy, truth=truth.forecast(), lead_times=lead_times),
    }
    costs = {
        name: float(play(setting, one, grids).tally.cost(setting.costs).sum())
        for name, one in planners.items()
    }
    said("synthetic panel: costs", costs)
    optimal = single_items(truth, setting, grids[setting.reviews[-1]])
    return {
        "cost_ratio_to_true_parameters": costs["learned"] / costs["true"],
        "cost_ratio_to_optimal": optimal["true"],
        "cost_ratio_to_optimal_learned": optimal["learned"],
    }


def fitted(units: FloatArray) -> Truth:
    """Return the process of each series."""
    mean = np.maximum(units.mean(axis=1), 1e-3)
    excess = np.maximum(units.var(axis=1) - mean, 1e-9)
    return Truth(mean, np.clip(mean**2 / excess, *_SIZES))


def drawn(panel: Dataset, truth: Truth, random: np.random.Generator) -> Dataset:
    """Return a data set of the same keys and prices with demand of the processes."""
    probability = (truth.size / (truth.size + truth.mean))[:, None]
    units = random.negative_binomial(truth.size[:, None], probability, panel.units.shape)
    sold = panel.units.sum(axis=1, keepdims=True)
    price = panel.sales.sum(axis=1, keepdims=True) / np.maximum(sold, 1.0)
    nothing = np.zeros_like(panel.units)
    return replace(
        panel,
        name="synthetic",
        units=units.astype(np.float64),
        sales=units * price,
        rebates=nothing,
        discount=nothing,
        display=nothing,
        mailing=nothing,
        groups={},
    )


def single_items(truth: Truth, setting: Setting, learned: HorizonGrid) -> dict[str, float]:
    """Return the policy's mean cost over the optimum's, over items of constant lead time.

    Both costs are computed, not simulated. `true`: the policy is told the true demand; `learned`:
    what the learner foretells at the end of the year.
    """
    rows = np.linspace(0, len(truth.mean) - 1, _SINGLE_ITEMS).astype(int)
    n = len(truth.mean)
    lead = np.round(setting.lead_days.mean(axis=1))
    lead_times = LeadTimes(lead, np.zeros(n))
    nobody = np.zeros(n, dtype=np.int64)
    planner = ByPolicy(LeastCost())
    history = setting.demand
    spent = {"true": 0.0, "learned": 0.0, "optimum": 0.0}
    for name, grid in (("true", truth.forecast()), ("learned", learned)):
        known = Known(setting.days, nobody, history, nobody, grid, lead_times)
        levels = planner.policy.levels(planner.situation(known, setting))
        for row in rows.tolist():
            item = Item.of(truth, setting.costs, row, int(lead[row]), setting.review_days)
            low, high = int(levels.reorder_point[row]), int(levels.order_up_to_level[row])
            spent[name] += item.cost(low, high)
            if name == "true":
                spent["optimum"] += item.optimum()
    return {name: spent[name] / spent["optimum"] for name in ("true", "learned")}


@dataclass(frozen=True)
class Item:
    """One stationary item with backorders, computed unit by unit and day by day.

    Attributes:
        order_cost: K.
        lowest: The position of the first of `costs`.
        costs: Of a review period by the position at its beginning.
        renewal: m(j).
    """

    order_cost: float
    lowest: int
    costs: FloatArray
    renewal: FloatArray

    @classmethod
    def of(cls, truth: Truth, costs: Costs, row: int, lead: int, review: int) -> "Item":
        """Return the item of a row."""
        mean, size = float(truth.mean[row]), float(truth.size[row])
        chance = size / (size + mean)
        holding, owed = float(costs.holding[row]), float(costs.backorder[row])
        fixed = float(costs.order[row])
        longest = lead + review
        top = int(nbinom.isf(_TAIL, size * longest, chance)) + 1
        lot = int(np.ceil(np.sqrt(2 * fixed * mean * (1 + holding / owed) / holding)))
        drops = 3 * lot + top
        lowest, highest = -2 * lot - top, top + drops
        positions = np.arange(lowest, highest + 1)
        total = np.zeros(len(positions))
        for day in range(lead + 1, longest + 1):
            masses = nbinom.pmf(np.arange(top + 1), size * day, chance)
            # E[(y - D)^+] is the sum of P(D <= k) over k < y.
            below = np.concatenate([[0.0], masses.cumsum().cumsum()])
            reach = np.clip(positions, 0, top + 1)
            over = below[reach] + np.maximum(positions - top - 1, 0)
            short = over - positions + mean * day
            total += holding * over + owed * short
        falls = nbinom.pmf(np.arange(drops), size * review, chance)
        renewal = np.zeros(drops)
        renewal[0] = 1 / (1 - falls[0])
        for drop in range(1, drops):
            renewal[drop] = renewal[:drop] @ falls[drop:0:-1] / (1 - falls[0])
        return cls(fixed, lowest, total, renewal)

    def cost(self, low: int, high: int) -> float:
        """Return the mean cost of a review period under (low, high)."""
        steps = high - low
        weights = self.renewal[:steps]
        at = high - self.lowest - np.arange(steps)
        return float((self.order_cost + weights @ self.costs[at]) / weights.sum())

    def optimum(self) -> float:
        """Return the least mean cost of all s < S, each looked at."""
        spent = np.full(len(self.costs), self.order_cost)
        periods, best = 0.0, np.inf
        for step, weight in enumerate(self.renewal.tolist()):
            spent[step:] += weight * self.costs[: len(spent) - step]
            periods += weight
            best = min(best, float(spent[step + 1 :].min(initial=np.inf)) / periods)
        return best
