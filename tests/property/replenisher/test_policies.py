"""What holds for every policy, whatever the demand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.replenisher.policies.situations import situation

from replenisher.domain.lead_times import LeadTimeBook, LeadTimes
from replenisher.domain.policies.protocol import Levels, Situation, Targets
from replenisher.domain.policies.segments import POLICIES

SERVICE = ["cycle-service", "economic-lots", "base-stock"]
BY_VARIANCE = [*SERVICE, "fill-rate"]

skus = st.fixed_dictionaries(
    {
        "rates": st.floats(0.01, 20),
        "size": st.floats(0.1, 50),
        "lead": st.floats(0.5, 30),
        "lead_sd": st.floats(0, 8),
        "review": st.sampled_from([1.0, 7.0]),
        "order": st.floats(0, 20),
        "holding": st.floats(0.1, 2),
        "backorder": st.floats(0.5, 40),
        "lost_sale": st.floats(0, 40),
        "service": st.floats(0.6, 0.995),
        "fill": st.floats(0.7, 0.995),
    }
)


def of(some: list[dict[str, float]]) -> Situation:
    return situation(**{name: [one[name] for one in some] for name in some[0]})


def rows_of(levels: Levels) -> list[Any]:
    rows: list[Any] = np.stack(
        [levels.reorder_point, levels.order_up_to_level, levels.lot], 1
    ).tolist()
    return rows


@pytest.mark.parametrize("name", sorted(POLICIES))
@given(some=st.lists(skus, min_size=1, max_size=3))
@settings(max_examples=8, deadline=None)
def test_many_at_once_are_as_each_by_itself(name: str, some: list[dict[str, float]]) -> None:
    together = POLICIES[name].levels(of(some))
    apart = [rows_of(POLICIES[name].levels(of([one])))[0] for one in some]
    assert rows_of(together) == apart
    assert (together.order_up_to_level >= together.reorder_point).all()
    for index in range(len(some)):
        assert all(np.isfinite(v) for v in together.trace(index).numbers.values())


@pytest.mark.parametrize("name", BY_VARIANCE)
@given(one=skus, more=st.floats(0, 1))
@settings(max_examples=20, deadline=None)
def test_a_higher_target_never_lowers_the_reorder_point(
    name: str, one: dict[str, float], more: float
) -> None:
    low = of([one])
    higher = Targets(
        *(x + more * (0.998 - x) for x in (np.array([one["service"]]), np.array([one["fill"]])))
    )
    before, after = (
        POLICIES[name].levels(here).reorder_point[0] for here in (low, replace(low, targets=higher))
    )
    assert after >= before


@pytest.mark.parametrize("name", SERVICE)
@given(one=skus, more=st.floats(0, 20))
@settings(max_examples=20, deadline=None)
def test_a_longer_lead_time_never_lowers_the_reorder_point(
    name: str, one: dict[str, float], more: float
) -> None:
    longer = one | {"lead": one["lead"] + more}
    before, after = (POLICIES[name].levels(of([x])).reorder_point[0] for x in (one, longer))
    assert after >= before


@pytest.mark.parametrize("name", SERVICE)
@given(one=skus, more=st.floats(0, 10))
@settings(max_examples=20, deadline=None)
def test_a_less_certain_lead_time_never_lowers_the_reorder_point_of_high_targets(
    name: str, one: dict[str, float], more: float
) -> None:
    # At low targets more variance may lower a quantile of skewed demand: that is how it should be.
    sure = one | {"service": 0.98, "rates": max(one["rates"], 5.0), "size": max(one["size"], 5.0)}
    unsure = sure | {"lead_sd": one["lead_sd"] + more}
    before, after = (POLICIES[name].levels(of([x])).reorder_point[0] for x in (sure, unsure))
    assert after >= before


@given(one=skus, position=st.integers(-200, 2000))
def test_an_order_brings_the_position_above_the_reorder_point(
    one: dict[str, float], position: int
) -> None:
    for name in SERVICE:
        levels = POLICIES[name].levels(of([one]))
        wanted = int(levels.wanted(np.array([position]))[0])
        point = int(levels.reorder_point[0])
        assert (wanted > 0) == (position <= point)
        assert wanted == 0 or position + wanted > point


@given(
    taken=st.lists(st.tuples(st.integers(0, 3), st.floats(0, 40)), max_size=30),
    prior=st.tuples(st.floats(1, 20), st.floats(0, 5)),
)
def test_lead_times_are_learned_alike_in_any_order(
    taken: list[tuple[int, float]], prior: tuple[float, float]
) -> None:
    def learned(some: list[tuple[int, float]]) -> LeadTimes:
        word = LeadTimes(*(np.full(2, one) for one in prior))
        book = LeadTimeBook.new(np.array([0, 0, 1, 1]), word, 5.0, 5.0)
        for row, days in some:
            book.take(np.array([row]), np.array([days]))
        return book.estimate()

    forth, back = learned(taken), learned(taken[::-1])
    np.testing.assert_allclose(forth.mean_days, back.mean_days, atol=1e-9)
    np.testing.assert_allclose(forth.sd_days, back.sd_days, atol=1e-6)
    days = [one for _, one in taken] + [prior[0]]
    assert (forth.mean_days >= min(days) - 1e-9).all()
    assert (forth.mean_days <= max(days) + 1e-9).all()
