"""Quantiles of the negative binomial against scipy's."""

import pytest
from scipy.stats import nbinom

from forecaster.domain.quantiles import quantiles

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)


@pytest.mark.parametrize("mean", [0.01, 0.3, 1.0, 7.5, 60.0, 199.0])
@pytest.mark.parametrize("size", [0.05, 0.7, 3.0, 1e6])
def test_small_means_are_exact(mean: float, size: float) -> None:
    expected = nbinom.ppf(LEVELS, size, size / (size + mean))
    assert quantiles(mean, size, LEVELS) == tuple(int(units) for units in expected)


@pytest.mark.parametrize("mean", [250.0, 3000.0, 2e5])
@pytest.mark.parametrize("size", [2.0, 20.0, 1e6])
def test_large_means_are_within_two_percent(mean: float, size: float) -> None:
    expected = nbinom.ppf(LEVELS, size, size / (size + mean))
    assert quantiles(mean, size, LEVELS) == pytest.approx(list(expected), rel=0.02, abs=1)


def test_no_demand_needs_no_stock() -> None:
    assert quantiles(0.0, 1.0, LEVELS) == (0, 0, 0, 0, 0)
