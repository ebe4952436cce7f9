"""The recommended learner by pinball loss where the truth is known: years, steps, new skus."""

from collections.abc import Collection

import numpy as np
from tests.unit.forecaster.learners.market import FIRST_DAY

from forecaster.domain.history import FloatArray
from forecaster.domain.learner import HORIZONS_DAYS, Forecast, Key
from forecaster.domain.learners.global_mixture import GlobalMixture
from forecaster.domain.loss import LEVELS, pinball
from forecaster.domain.negative_binomial import quantiles
from forecaster.domain.partition import DayTold, Partition

YEAR = 365


def foretold(
    units: FloatArray, origins: Collection[int], categories: tuple[str, ...] = ()
) -> dict[int, dict[int, tuple[FloatArray, FloatArray]]]:
    """Return mean and size on all horizons, by origin and then by row of (keys, days) units."""
    keys = [Key(f"sku-{row:03}", "north") for row in range(len(units))]
    market = Partition(GlobalMixture())
    market.categories = {
        key.sku: name for key, name in zip(keys, categories, strict=bool(categories))
    }
    found = {}
    for day in range(max(origins)):
        sold = np.flatnonzero(units[:, day]).tolist()
        market.close(FIRST_DAY + day, DayTold({keys[row]: int(units[row, day]) for row in sold}))
        if day + 1 in origins:
            known = [row for row, key in enumerate(keys) if key in market.histories]
            told: Forecast = market.forecast([keys[row] for row in known], FIRST_DAY + day)
            found[day + 1] = {
                row: (told.mean[place], told.size[place]) for place, row in enumerate(known)
            }
    return found


def loss(units: FloatArray, told: tuple[FloatArray, FloatArray], origin: int, days: int) -> float:
    """Return the pinball loss of one series' total after an origin."""
    place = HORIZONS_DAYS.index(days)
    came = units[origin : origin + days].sum()
    return of_total(came, told[0][place], told[1][place])


def of_total(came: float, mean: float, size: float) -> float:
    """Return the pinball loss of a negative binomial."""
    levels = quantiles(np.array(mean), np.array(size), LEVELS)
    return float(pinball(np.array(came), levels))


def test_a_year_is_learned_from_the_second_one_on() -> None:
    days, keys = np.arange(3 * YEAR + 28), 8
    swing = np.exp(0.9 * np.sin(2 * np.pi * (days + FIRST_DAY) / 365.2425))
    rates = np.linspace(2, 8, keys)[:, None] * swing[None, :]
    units = np.random.default_rng(1).poisson(rates).astype(float)
    origins = range(YEAR, 3 * YEAR, 28)
    told = foretold(units, origins)
    above_truth: dict[int, list[float]] = {1: [], 2: []}
    for origin in origins:
        for row in range(keys):
            truth = rates[row, origin : origin + 28].sum()
            came = units[row, origin : origin + 28].sum()
            least = of_total(came, truth, 1e6)
            mine = loss(units[row], told[origin][row], origin, 28)
            above_truth[origin // YEAR].append(mine - least)
    # what knowing the truth itself would cost is left out: it is the same for everyone
    assert np.mean(above_truth[2]) < 0.8 * np.mean(above_truth[1])


def test_three_weeks_after_a_step_forecasts_are_good_again() -> None:
    keys, step, after = 40, 98, 21
    rates = np.repeat(np.linspace(2, 8, keys)[:, None], step + after + 7, 1)
    rates[:20, step:] *= 2.5
    units = np.random.default_rng(1).poisson(rates).astype(float)
    told = foretold(units, (step - 7, step, step + after))

    def mean_loss(origin: int) -> float:
        return float(np.mean([loss(units[row], told[origin][row], origin, 7) for row in range(20)]))

    # with two and a half times the demand the same relative error costs as much more
    assert mean_loss(step + after) < 2.5 * 1.5 * mean_loss(step - 7)
    assert mean_loss(step + after) < 0.25 * mean_loss(step)
    place = HORIZONS_DAYS.index(7)
    means = sum(told[step + after][row][0][place] for row in range(20))
    assert 0.9 < means / rates[:20, -7:].sum() < 1.1


def test_new_skus_cost_no_more_than_their_categorys_mean() -> None:
    random, old, new, days = np.random.default_rng(5), 40, 20, 150
    categories = tuple("tea" if row % 2 else "ale" for row in range(old + new))
    usual = np.where(np.array(categories) == "tea", 5.0, 1.0)
    rates = np.repeat((usual * random.gamma(6, 1 / 6, old + new))[:, None], days, 1)
    for number in range(new):
        rates[old + number, : 90 + 2 * number] = 0
    units = random.poisson(rates).astype(float)
    begun = {row: int(np.flatnonzero(units[row])[0]) for row in range(old, old + new)}
    ages = (1, 3, 7, 14)
    latest = days - 14
    origins = {first + age for first in begun.values() for age in ages if first + age <= latest}
    told = foretold(units, origins, categories)
    mine, categorys = [], []
    for row, first in begun.items():
        likes = [one for one in range(old) if categories[one] == categories[row]]
        for origin in (first + age for age in ages if first + age <= latest):
            totals = units[likes, origin - 56 : origin].reshape(len(likes), 4, 14).sum(2)
            mean = totals.mean()
            size = mean**2 / max(totals.var() - mean, 1e-3)
            mine.append(loss(units[row], told[origin][row], origin, 14))
            categorys.append(of_total(units[row, origin : origin + 14].sum(), mean, size))
    assert np.mean(mine) <= np.mean(categorys)
