"""What a closed day tells people: drifts and switches, from the state alone."""

from random import Random

import pytest
from tests.unit.forecaster.learners.market import FIRST_DAY, poisson

from forecaster.domain.calendar import midnight
from forecaster.domain.insights import insights
from forecaster.domain.learner import Key
from forecaster.domain.learners import new_learner
from forecaster.domain.partition import DayTold, Partition
from restock_common.contracts.insights import DriftDetected, ModelSwitched

STEP_DAY = FIRST_DAY + 70


def told(before: float, after: float) -> list[DriftDetected]:
    """Return the drifts of a sku whose demand changes, beside one whose demand does not."""
    random, partition = Random(1), Partition(new_learner("seasonal-naive"))
    changing, steady = Key("changing", "north"), Key("steady", "north")
    found = []
    for day in range(FIRST_DAY, STEP_DAY + 60):
        mean = before if day < STEP_DAY else after
        units = {changing: poisson(random, mean), steady: poisson(random, 5.0)}
        visited = partition.close(day, DayTold({key: n for key, n in units.items() if n}))
        new = insights(partition, 0, visited, day)
        assert insights(partition, 0, visited, day) == new
        found += [one for one in new if isinstance(one, DriftDetected)]
    return found


@pytest.mark.parametrize(
    ("before", "after", "direction"), [(5.0, 20.0, "rise"), (20.0, 4.0, "fall")]
)
def test_a_step_is_told_once_with_both_rates(before: float, after: float, direction: str) -> None:
    first = told(before, after)[0]
    assert (first.sku, first.direction) == ("changing", direction)
    assert midnight(STEP_DAY) < first.learned_until <= midnight(STEP_DAY + 42)
    assert first.rate_before == pytest.approx(before, rel=0.4)
    assert first.rate_after == pytest.approx(after, rel=0.5)


def test_demand_that_stays_is_no_drift_nor_is_a_series_that_was_thought_slower() -> None:
    assert told(5.0, 5.0) == []


def test_a_switch_is_told_with_both_losses() -> None:
    random, keys = Random(2), [Key(f"sku-{number:02}", "north") for number in range(40)]
    partition = Partition(new_learner("seasonal-naive,exponentially-weighted"))
    partition.rates[""] = 3.0
    found = []
    for day in range(FIRST_DAY, FIRST_DAY + 40):
        visited = partition.close(day, DayTold({key: 1 + poisson(random, 2.0) for key in keys}))
        found += insights(partition, 3, visited, day)
    switches = [one for one in found if isinstance(one, ModelSwitched)]
    assert "all" in {one.segment for one in switches}
    for one in switches:
        assert (one.partition, one.before, one.after) == (
            3,
            "seasonal-naive",
            "exponentially-weighted",
        )
        assert one.loss_after < one.loss_before
        assert one.n >= 50


def test_a_learner_alone_switches_nothing() -> None:
    partition = Partition(new_learner("tsb"))
    visited = partition.close(FIRST_DAY, DayTold({Key("sku", "north"): 1}))
    assert insights(partition, 0, visited, FIRST_DAY) == []
    assert insights(partition, 0, [], FIRST_DAY) == []
