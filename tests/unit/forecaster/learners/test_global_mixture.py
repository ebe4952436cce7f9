"""The recommended design on made-up demand whose truth is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from forecaster.domain.history import FloatArray
from forecaster.domain.learner import HORIZONS_DAYS, Key
from forecaster.domain.learners.global_mixture import GlobalMixture
from forecaster.domain.partition import DayTold, Partition
from forecaster.domain.plans import Plan

FIRST_DAY = 17_167
WEEK = HORIZONS_DAYS.index(7)
FORTNIGHT = HORIZONS_DAYS.index(14)
KEYS = [Key(f"sku-{number:03}", "north") for number in range(40)]


def taught(
    rates: FloatArray,
    *,
    out: NDArray[np.bool_] | None = None,
    seed: int = 1,
    market: Partition | None = None,
) -> Partition:
    """Return a partition after Poisson demand at (keys, days) rates; `out` days bring nothing."""
    random = np.random.default_rng(seed)
    units = random.poisson(rates)
    market = market or Partition(GlobalMixture())
    for day in range(rates.shape[1]):
        gone = out[:, day] if out is not None else np.zeros(len(rates), np.bool_)
        market.close(
            FIRST_DAY + day,
            DayTold(
                {KEYS[row]: int(units[row, day]) for row in np.flatnonzero(units[:, day] * ~gone)},
                {KEYS[row]: 1.0 for row in np.flatnonzero(gone)},
            ),
        )
    return market


def means(market: Partition, days: int, horizon: int = FORTNIGHT) -> FloatArray:
    """Return what is foretold of each key after so many days."""
    return market.forecast(sorted(market.histories), FIRST_DAY + days - 1).mean[:, horizon]


def test_days_out_of_stock_are_no_lack_of_demand() -> None:
    days = 98
    rates = np.repeat(np.linspace(1, 12, len(KEYS))[:, None], days, 1)
    out = np.random.default_rng(2).random(rates.shape) < 0.15
    censored = means(taught(rates, out=out), days).sum()
    uncensored = means(taught(rates), days).sum()
    assert censored == pytest.approx(uncensored, rel=0.02)


def test_most_of_a_step_of_demand_is_followed_within_three_weeks() -> None:
    days, after = 98, 21
    rates = np.repeat(np.linspace(2, 8, len(KEYS))[:, None], days, 1)
    stepped = rates.copy()
    stepped[:20, days - after :] *= 2.5
    found = means(taught(stepped), days)[:20]
    before, now = 14 * rates[:20, -1].sum(), 14 * stepped[:20, -1].sum()
    assert (found.sum() - before) / (now - before) > 0.7


def test_a_planned_promotion_raises_what_is_foretold() -> None:
    days = 112
    market = Partition(GlobalMixture())
    rates = np.full((len(KEYS), days + 14), 3.0)
    for row, key in enumerate(KEYS):
        for start in range(row % 4 * 7, days + 14, 28):
            rates[row, start : start + 7] *= 2.5
            plan = Plan(FIRST_DAY + start, FIRST_DAY + start + 6, 1.0, 0.0, 0.0)
            market.plans.put(key, str(start), plan)
    found = means(taught(rates[:, :days], market=market), days, WEEK)
    truth = rates[:, days : days + 7].sum(1)
    assert found[truth > 40].mean() == pytest.approx(truth[truth > 40].mean(), rel=0.12)
    assert found[truth < 25].mean() == pytest.approx(truth[truth < 25].mean(), rel=0.12)


def test_a_new_key_begins_at_what_its_category_sells() -> None:
    days = 60
    market = Partition(GlobalMixture())
    market.categories = {key.sku: "tea" for key in KEYS}
    market.categories["sku-new"] = "tea"
    taught(np.full((len(KEYS), days), 4.0), market=market)
    market.close(FIRST_DAY + days, DayTold({Key("sku-new", "north"): 4}))
    found = market.forecast([Key("sku-new", "north")], FIRST_DAY + days).mean[0, FORTNIGHT]
    assert found == pytest.approx(56, rel=0.3)


def test_an_outlier_is_kept_and_hardly_learned() -> None:
    days = 60
    rates = np.full((len(KEYS), days), 2.0)
    market = taught(rates)
    before = means(market, days)[0]
    market.close(FIRST_DAY + days, DayTold({KEYS[0]: 5_000}))
    after = means(market, days + 1)[0]
    assert after < 3 * before
