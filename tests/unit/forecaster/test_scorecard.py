"""Forecasts are compared with the day that they foretold, once, and as many as are sampled."""

from datetime import UTC, datetime

import pytest

from forecaster.domain.learner import Key
from forecaster.domain.scorecard import KEYS_MAX, Score, Scorecard
from restock_common.contracts.forecasts import DemandForecast, HorizonForecast


def forecast(sku: str, mean: float, size: float = 1e9) -> DemandForecast:
    return DemandForecast(
        sku=sku,
        location="l",
        model="m",
        learned_until=datetime(2017, 1, 2, tzinfo=UTC),
        horizons=(
            HorizonForecast(days=1, mean=mean, size=size),
            HorizonForecast(days=7, mean=7 * mean, size=size),
        ),
    )


def test_a_day_is_scored_by_the_mean_and_the_quantile() -> None:
    card = Scorecard()
    card.expect([forecast("a", 4.0), forecast("b", 4.0), object()])
    score = card.closed([{Key("a", "l"): 7, Key("c", "l"): 9}, {Key("b", "l"): 100}])
    # The 0.9 quantile of a Poisson of mean 4 is 7: P(demand <= 7) = 0.9489
    assert (score.forecasts, score.covered, score.units) == (2, 2, 7)
    assert score.promised == pytest.approx(2 * 0.94887, abs=1e-4)
    assert score.pinball == pytest.approx(0.1 * 7)
    assert score.absolute_error == pytest.approx(3.0 + 4.0)


def test_a_day_above_the_quantile_costs_nine_times_as_much_a_unit() -> None:
    card = Scorecard()
    card.expect([forecast("a", 4.0)])
    score = card.closed([{Key("a", "l"): 9}])
    assert score.covered == 0
    assert score.pinball == pytest.approx(0.9 * 2)


def test_what_was_scored_is_forgotten() -> None:
    card = Scorecard()
    card.expect([forecast("a", 4.0)])
    card.closed([{}])
    assert card.closed([{}]) == Score()


def test_the_sample_is_bounded() -> None:
    card = Scorecard()
    card.expect(forecast(f"s{n}", 1.0) for n in range(KEYS_MAX + 5))
    assert card.closed([{}]).forecasts == KEYS_MAX
