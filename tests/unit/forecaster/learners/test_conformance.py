"""What is true of every learner in the registry: of the extra [neural] too, where installed."""

import numpy as np
import pytest
from tests.unit.forecaster.learners.market import DAYS, FIRST_DAY, market_day, new_market, teach

from forecaster.domain import history
from forecaster.domain.learner import HORIZONS_DAYS, Key, Learner
from forecaster.domain.learners import NEURAL, REGISTRY, new_learner
from forecaster.domain.partition import DayTold, Partition

STATE_BYTES_MAX = 500
"""Of a key, its history included: two versions of it are kept at a checkpoint, in 1 KB."""
LAST_DAY = FIRST_DAY + DAYS - 1

COMPETING = "exponentially-weighted,holt-winters,seasonal-naive"
COMPETING_BYTES_MAX = 750
"""Of three at once: each has a key's state of its own."""

EVERY = [*sorted(REGISTRY), COMPETING]
every_learner = pytest.mark.parametrize("name", EVERY)


@pytest.fixture(scope="module")
def markets() -> dict[str, Partition]:
    """Return each learner's partition after the same days."""
    taught = {}
    for name in EVERY:
        taught[name] = new_market(new_learner(name))
        teach(taught[name])
    return taught


@every_learner
def test_forecasts_are_finite_and_coherent(name: str, markets: dict[str, Partition]) -> None:
    market = markets[name]
    for day in (LAST_DAY, LAST_DAY + 3, LAST_DAY + 100):
        found = market.forecast(sorted(market.histories), day)
        assert found.mean.shape == (len(market.histories), len(HORIZONS_DAYS))
        assert np.isfinite(found.mean).all()
        assert np.isfinite(found.size).all()
        assert (found.mean > 0).all()
        assert (found.size > 0).all()
        assert (np.diff(found.mean) >= -1e-9).all()
        variance = found.mean + found.mean**2 / found.size
        assert (np.diff(variance) >= -1e-6 * variance[:, 1:]).all()


@every_learner
def test_a_key_is_small(name: str, markets: dict[str, Partition]) -> None:
    market = markets[name]
    sizes = [len(market.histories[key]) + len(market.states[key]) for key in market.histories]
    assert max(sizes) <= (COMPETING_BYTES_MAX if name == COMPETING else STATE_BYTES_MAX)


@every_learner
def test_the_same_days_leave_the_same_bytes(name: str, markets: dict[str, Partition]) -> None:
    again = new_market(new_learner(name))
    teach(again)
    assert again.histories == markets[name].histories
    assert again.states == markets[name].states
    assert again.learner.shared() == markets[name].learner.shared()


@every_learner
def test_one_that_is_taken_up_again_goes_on_to_the_byte(
    name: str, markets: dict[str, Partition]
) -> None:
    first = new_market(new_learner(name))
    teach(first, 40)
    second = new_market(new_learner(name))
    second.learner.restore(first.learner.shared())
    second.histories, second.states = dict(first.histories), dict(first.states)
    second.groups, second.rates = dict(first.groups), dict(first.rates)
    second.weekdays = first.weekdays
    second.index()
    teach(second, DAYS - 40, FIRST_DAY + 40)
    assert second.histories == markets[name].histories
    assert second.states == markets[name].states
    assert second.learner.shared() == markets[name].learner.shared()


@every_learner
def test_to_look_changes_nothing(name: str, markets: dict[str, Partition]) -> None:
    market = markets[name]
    before = (dict(market.histories), dict(market.states), market.learner.shared())
    market.forecast(sorted(market.histories), LAST_DAY + 5)
    market.explain(Key("sku-2", "north"), LAST_DAY + 5)
    assert (market.histories, market.states, market.learner.shared()) == before


@every_learner
def test_an_explanation_adds_up_to_the_mean(name: str, markets: dict[str, Partition]) -> None:
    market = markets[name]
    for key in sorted(market.histories):
        shares = market.explain(key, LAST_DAY)
        mean = market.forecast([key], LAST_DAY).mean[0, HORIZONS_DAYS.index(14)]
        assert sum(share.units for share in shares) == pytest.approx(mean, rel=1e-3, abs=1e-3)
        assert len({share.feature for share in shares}) == len(shares)


@every_learner
def test_steady_demand_is_foretold(name: str) -> None:
    market = Partition(new_learner(name))
    keys = {Key(f"sku-{number:02}", "north"): 3 + number for number in range(20)}
    for day in range(FIRST_DAY, FIRST_DAY + 120):
        market.close(day, DayTold(keys))
    found = market.forecast(sorted(keys), FIRST_DAY + 119).mean[:, HORIZONS_DAYS.index(14)]
    assert found == pytest.approx([14.0 * keys[key] for key in sorted(keys)], rel=0.05)


@every_learner
def test_a_key_that_no_longer_sells_fades(name: str, markets: dict[str, Partition]) -> None:
    market = markets[name]
    mean = market.forecast([Key("sku-dying", "north")], LAST_DAY).mean[0, 2]
    assert mean < 10


@every_learner
def test_a_new_key_has_a_forecast(name: str, markets: dict[str, Partition]) -> None:
    market = new_market(new_learner(name))
    market.close(FIRST_DAY, market_day(FIRST_DAY))
    found = market.forecast(sorted(market.histories), FIRST_DAY)
    assert np.isfinite(found.mean).all()
    assert len(market.histories[min(market.histories)]) == history.RECORD.itemsize


@every_learner
def test_it_stands_under_its_own_name(name: str) -> None:
    learner: Learner = new_learner(name)
    assert learner.name == name
    assert learner.version >= 1


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'oracle' is no learner; known: .*seasonal-naive"):
        new_learner("oracle")
    if NEURAL not in REGISTRY:
        with pytest.raises(ValueError, match=r"needs the extra \[neural\]"):
            new_learner(NEURAL)
    with pytest.raises(ValueError, match="'tsb' stands twice in 'tsb, tsb'"):
        new_learner("tsb, tsb")
