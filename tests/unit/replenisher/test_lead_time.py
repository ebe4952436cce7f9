import statistics
from datetime import UTC, datetime, timedelta

import pytest

from replenisher.domain.lead_time import (
    MINUTES_A_DAY,
    LeadTime,
    LeadTimeRecord,
    observed_minutes,
)

PRIOR = LeadTime(mean_days=3.0, sd_days=1.0)


def record(*days: float) -> LeadTimeRecord:
    taught = LeadTimeRecord()
    for one in days:
        taught = taught.taught(round(one * MINUTES_A_DAY))
    return taught


def test_without_receipts_the_catalogue_is_believed() -> None:
    assert LeadTimeRecord().estimate(PRIOR, prior_weight=5) == PRIOR


def test_the_prior_counts_as_observations_with_its_own_mean_and_spread() -> None:
    # Five prior observations of mean 3 and variance 1 can be written out as numbers.
    spread = 1.0 * (5 / 4) ** 0.5
    prior = [3 - spread, 3 + spread, 3 - spread, 3 + spread, 3.0]
    assert statistics.pvariance(prior) == pytest.approx(1.0)
    observed = [5.0, 6.0, 7.5]
    estimate = record(*observed).estimate(PRIOR, prior_weight=5)
    assert estimate.mean_days == pytest.approx(statistics.fmean(prior + observed))
    assert estimate.sd_days == pytest.approx(statistics.pstdev(prior + observed))


def test_many_receipts_outweigh_the_prior() -> None:
    estimate = record(*[10.0] * 2000).estimate(PRIOR, prior_weight=5)
    assert estimate.mean_days == pytest.approx(10.0, abs=0.02)
    assert estimate.sd_days < 0.4


def test_the_same_lead_times_have_no_spread_but_the_priors() -> None:
    estimate = record(3.0, 3.0, 3.0, 3.0, 3.0).estimate(PRIOR, prior_weight=5)
    assert estimate.sd_days == pytest.approx((5 * 1.0 / 10) ** 0.5)


@pytest.mark.parametrize(
    ("after", "minutes"),
    [
        (timedelta(days=2), 2880),
        (timedelta(0), 0),
        (timedelta(seconds=-31), None),
        (timedelta(days=366), None),
    ],
)
def test_what_cannot_be_a_lead_time_is_not_learned(after: timedelta, minutes: int | None) -> None:
    placed_at = datetime(2017, 1, 2, tzinfo=UTC)
    assert observed_minutes(placed_at, placed_at + after) == minutes
