import numpy as np
import pytest

from replenisher.domain.protection import HorizonGrid, Horizons

STEADY = Horizons(days=(1, 3, 7), mean=(2, 6, 14), size=(4, 4, 4))


def demand(horizons: Horizons, days: float) -> tuple[float, float]:
    found = HorizonGrid.of([horizons]).demand_over(np.array([days]))
    return float(found.mean[0]), float(found.variance[0])


@pytest.mark.parametrize(
    ("days", "mean", "variance"),
    [
        (0.0, 0.0, 0.0),
        (1.0, 2.0, 2 + 4 / 4),
        (3.0, 6.0, 6 + 36 / 4),
        (0.5, 1.0, 1.5),  # half-way from nothing to day 1
        (2.0, 4.0, (3 + 15) / 2),  # half-way from day 1 to day 3
        (4.0, 8.0, 15 + (63 - 15) / 4),
        (7.0, 14.0, 14 + 196 / 4),
        (14.0, 28.0, 28 + 784 / 4),  # beyond the last: the rate and the size stay
    ],
)
def test_demand_between_and_beyond_the_horizons(days: float, mean: float, variance: float) -> None:
    assert demand(STEADY, days) == pytest.approx((mean, variance))


def test_forecasts_of_different_widths_are_read_side_by_side() -> None:
    grid = HorizonGrid.of([Horizons((2,), (4,), (1,)), STEADY, Horizons()])
    found = grid.demand_over(np.array([1.0, 3.0, 5.0]))
    assert found.mean.tolist() == [2.0, 6.0, 0.0]
    assert found.variance.tolist() == [10.0, 15.0, 0.0]


def test_no_forecasts_at_all() -> None:
    assert HorizonGrid.of([]).demand_over(np.array([])).mean.shape == (0,)


def test_a_random_lead_time_adds_the_rate_times_its_spread() -> None:
    grid = HorizonGrid.of([STEADY])
    fixed = grid.demand_over(np.array([4.0]))
    random = grid.protection_demand(np.array([4.0]), np.array([1.5]))
    assert random.mean == pytest.approx(fixed.mean)
    assert random.variance[0] - fixed.variance[0] == pytest.approx((2.0 * 1.5) ** 2)


def test_it_is_the_textbook_sum_where_days_are_alike() -> None:
    # Independent days of mean 2 and variance 3: Var over P days is 3 P, so V(P) = M + M^2 / size
    # needs size = M^2 / (V - M); then sigma = sqrt(P sd_d^2 + mu_d^2 sd_L^2).
    days = (1.0, 3.0, 7.0)
    alike = Horizons(days, tuple(2 * d for d in days), tuple((2 * d) ** 2 / d for d in days))
    found = HorizonGrid.of([alike]).protection_demand(np.array([5.0]), np.array([0.8]))
    assert found.sd[0] == pytest.approx((5 * 3 + 2**2 * 0.8**2) ** 0.5)
