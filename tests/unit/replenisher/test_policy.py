import numpy as np
import pytest
from scipy import stats

from replenisher.domain.policy import (
    NOTHING_EXPECTED,
    demand_quantile,
    order_quantity,
    order_up_to_level,
    orderable,
    reorder_point,
)
from replenisher.domain.protection import Demand
from restock_common.units import MAX_UNITS_PER_LINE


def of(mean: float, variance: float) -> Demand:
    return Demand(np.array([mean]), np.array([variance]))


def quantile(mean: float, variance: float, level: float) -> int:
    return int(demand_quantile(of(mean, variance), np.array([level]))[0])


def brute_force(mean: float, variance: float, level: float) -> int:
    """Add up the negative binomial's probabilities, from their recursion."""
    size, success = mean**2 / (variance - mean), mean / variance
    probability, units = success**size, 0
    total = probability
    while total < level:
        probability *= (units + size) / (units + 1) * (1 - success)
        units += 1
        total += probability
    return units


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize(("mean", "variance"), [(0.3, 0.5), (4.0, 9.0), (12.5, 80.0), (60, 61)])
def test_the_quantile_is_the_first_quantity_that_is_enough(
    mean: float, variance: float, level: float
) -> None:
    assert quantile(mean, variance, level) == brute_force(mean, variance, level)


def test_where_the_variance_is_not_above_the_mean_it_is_the_poisson() -> None:
    assert quantile(4.0, 4.0, 0.95) == stats.poisson.ppf(0.95, 4.0)
    assert quantile(4.0, 1.0, 0.95) == stats.poisson.ppf(0.95, 4.0)
    assert quantile(4.0, 4.0 + 1e-12, 0.95) == stats.poisson.ppf(0.95, 4.0)


@pytest.mark.parametrize(("mean", "variance"), [(1e-300, 1.1e-300), (1e9, 1e18), (1e-3, 1e15)])
def test_extreme_shapes_still_have_a_whole_quantile(mean: float, variance: float) -> None:
    assert 0 <= quantile(mean, variance, 0.95) < 1e11


def test_nothing_expected_trips_only_on_units_that_are_owed() -> None:
    assert reorder_point(of(0.0, 0.0), np.array([0.95])).tolist() == [NOTHING_EXPECTED]


def test_the_order_up_to_level_adds_the_larger_of_minimum_and_cover() -> None:
    levels = order_up_to_level(np.array([5, 5]), np.array([12, 1]), np.array([3.2, 3.2]))
    assert levels.tolist() == [17, 9]


@pytest.mark.parametrize(
    ("position", "upper", "minimum", "pack", "quantity"),
    [
        (3, 20, 1, 1, 17),
        (3, 20, 1, 6, 18),
        (3, 20, 24, 6, 24),
        (-7, 20, 1, 12, 36),
        (3, 9, 1, 6, 6),
        (0, 10**9, 1, 7, MAX_UNITS_PER_LINE // 7 * 7),
    ],
)
def test_the_quantity_is_the_smallest_number_of_packs(
    position: int, upper: int, minimum: int, pack: int, quantity: int
) -> None:
    found = order_quantity(*(np.array([one]) for one in (position, upper, minimum, pack)))
    assert found.tolist() == [quantity]


def test_a_minimum_that_no_line_can_carry_is_not_orderable() -> None:
    assert orderable(MAX_UNITS_PER_LINE, 1)
    assert not orderable(MAX_UNITS_PER_LINE, 7)
