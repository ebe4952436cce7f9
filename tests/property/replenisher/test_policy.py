"""What holds for any demand, any supplier and any pack."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from replenisher.domain.policy import (
    IntArray,
    order_quantity,
    order_up_to_level,
    orderable,
    reorder_point,
)
from replenisher.domain.protection import HorizonGrid, Horizons
from restock_common.units import MAX_UNITS_PER_LINE

rates = st.floats(0.001, 500)
sizes = st.floats(0.05, 1000)
levels = st.floats(0.5, 0.999)
days = st.floats(0.1, 120)
spreads = st.floats(0, 30)


def horizons(rate: float, size: float) -> Horizons:
    grid = (1.0, 3.0, 7.0, 14.0, 28.0)
    return Horizons(grid, tuple(rate * one for one in grid), (size,) * len(grid))


def point(rate: float, size: float, interval: float, spread: float, level: float) -> IntArray:
    demand = HorizonGrid.of([horizons(rate, size)]).protection_demand(
        np.array([interval]), np.array([spread])
    )
    return reorder_point(demand, np.array([level]))


@given(
    position=st.integers(-50_000, 50_000),
    lower=st.integers(-1, 5_000),
    minimum=st.integers(1, 5_000),
    pack=st.integers(1, 2_000),
    cover=st.floats(0, 5_000),
)
def test_whole_packs_that_reach_the_level_and_the_minimum_and_not_one_more(
    position: int, lower: int, minimum: int, pack: int, cover: float
) -> None:
    packs, least = np.array([pack]), np.array([minimum])
    upper = order_up_to_level(np.array([lower]), least, np.array([cover]))
    quantity = int(order_quantity(np.array([position]), upper, least, packs)[0])
    wanted = max(int(upper[0]) - position, minimum)
    assert orderable(minimum, pack)
    assert 0 < quantity <= MAX_UNITS_PER_LINE
    assert quantity % pack == 0
    assert quantity >= minimum
    assert quantity - pack < wanted
    if wanted <= MAX_UNITS_PER_LINE - pack:
        assert position + quantity >= upper[0] > lower


@given(minimum=st.integers(1, MAX_UNITS_PER_LINE), pack=st.integers(1, MAX_UNITS_PER_LINE))
def test_orderable_says_whether_the_minimum_can_be_met(minimum: int, pack: int) -> None:
    one = np.array([1])
    quantity = int(order_quantity(one, one, np.array([minimum]), np.array([pack]))[0])
    assert orderable(minimum, pack) == (quantity >= minimum)


@given(rate=rates, more=st.floats(1, 10), size=sizes, interval=days, spread=spreads, level=levels)
def test_more_demand_never_lowers_the_reorder_point(
    rate: float, more: float, size: float, interval: float, spread: float, level: float
) -> None:
    low = point(rate, size, interval, spread, level)
    high = point(rate * more, size, interval, spread, level)
    assert -1 <= low[0] <= high[0]


@given(rate=rates, size=sizes, interval=days, spread=spreads, level=levels, other=levels)
def test_a_higher_service_level_never_lowers_the_reorder_point(
    rate: float, size: float, interval: float, spread: float, level: float, other: float
) -> None:
    low, high = sorted((level, other))
    assert (
        point(rate, size, interval, spread, low)[0] <= point(rate, size, interval, spread, high)[0]
    )


@given(rate=rates, size=sizes, interval=days, longer=st.floats(1, 3))
def test_demand_over_a_longer_interval_is_never_less(
    rate: float, size: float, interval: float, longer: float
) -> None:
    grid = HorizonGrid.of([horizons(rate, size)] * 2)
    demand = grid.demand_over(np.array([interval, interval * longer]))
    slack = 1 + 1e-9
    assert demand.mean[0] <= demand.mean[1] * slack
    assert demand.variance[0] <= demand.variance[1] * slack
    assert (demand.variance >= demand.mean * (1 - 1e-9)).all()
