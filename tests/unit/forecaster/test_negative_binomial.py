"""Quantiles and probabilities of whole tables."""

import numpy as np
import pytest
from scipy.stats import nbinom

from forecaster.domain.negative_binomial import cdf, quantiles

LEVELS = np.array([0.01, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999])
MEANS = np.array([1e-4, 0.05, 0.7, 3.0, 40.0, 2500.0, 1e5])
SIZES = np.array([0.01, 0.3, 2.0, 50.0, 1e6])


def test_quantiles_are_scipys() -> None:
    mean, size = np.meshgrid(MEANS, SIZES)
    wanted = nbinom.ppf(LEVELS, size[..., None], (size / (size + mean))[..., None])
    assert quantiles(mean, size, LEVELS) == pytest.approx(wanted, abs=1)


def test_a_quantile_is_the_smallest_that_reaches_its_level() -> None:
    mean, size = np.meshgrid(MEANS[:-1], SIZES[:-1])
    found = quantiles(mean, size, LEVELS)
    assert (cdf(found, mean[..., None], size[..., None]) >= LEVELS).all()
    assert (cdf(found - 1, mean[..., None], size[..., None]) < LEVELS).all()
    assert (np.diff(found, axis=-1) >= 0).all()
