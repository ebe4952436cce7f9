"""Lazily decayed sums against the sums written out."""

import pytest

from forecaster.domain.decay import DAILY_DECAYS, HALF_LIVES_DAYS, Prior, decayed, rates, weights


def test_a_weight_halves_in_its_half_life() -> None:
    for half_life, decay in zip(HALF_LIVES_DAYS, DAILY_DECAYS, strict=True):
        assert decay**half_life == pytest.approx(0.5)


def test_lazy_decay_equals_the_sum_over_all_days() -> None:
    demand = {0: 3, 4: 1, 5: 2, 19: 7}
    today = 30
    sums, last = (0.0,) * len(HALF_LIVES_DAYS), 0
    for day, units in demand.items():
        sums, last = tuple(total + units for total in decayed(sums, day - last)), day
    written_out = [
        sum(units * decay ** (today - day) for day, units in demand.items())
        for decay in DAILY_DECAYS
    ]
    assert decayed(sums, today - last) == pytest.approx(written_out)


def test_weights_are_the_geometric_sum() -> None:
    written_out = [sum(decay**ago for ago in range(40)) for decay in DAILY_DECAYS]
    assert weights(40) == pytest.approx(written_out)


@pytest.mark.parametrize("age_days", [1, 2, 10, 400])
def test_rates_of_constant_demand_are_unbiased_from_the_first_day(age_days: int) -> None:
    sums = tuple(5 * weight for weight in weights(age_days))
    assert rates(sums, age_days, Prior(0.0, 1e-9, 1.0)) == pytest.approx(
        [5.0] * len(HALF_LIVES_DAYS)
    )


def test_the_prior_counts_for_days_before_the_first_and_fades_like_them() -> None:
    born = rates((1.0,) * 5, 1, Prior(0.1, 5.0, 1.0))
    by_hand = [(1 + 0.1 * 5 * decay) / (1 + 5 * decay) for decay in DAILY_DECAYS]
    assert born == pytest.approx(by_hand)
    old = rates(tuple(3 * weight for weight in weights(400)), 400, Prior(0.1, 5.0, 1.0))
    assert old[:3] == pytest.approx([3.0] * 3, rel=1e-3)


def test_the_first_day_counts_for_its_share_in_units_and_in_days() -> None:
    # two units on the first day and three on the next: (2 * 0.1 * d + 3) / (0.1 * d + 1)
    sums = tuple(2 * 0.1 * decay + 3 for decay in DAILY_DECAYS)
    by_hand = [total / (0.1 * decay + 1) for total, decay in zip(sums, DAILY_DECAYS, strict=True)]
    assert rates(sums, 2, Prior(0.0, 1e-9, 0.1)) == pytest.approx(by_hand)
