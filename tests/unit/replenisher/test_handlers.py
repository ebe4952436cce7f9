import pytest
from tests.unit.replenisher.world import DAY, MIDNIGHT, World, catalogue, forecast, level

from replenisher.handlers import HANDLED
from restock_common.contracts.dispatch import WithdrawalRefused
from restock_common.contracts.forecasts import DemandForecast, HorizonForecast
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.errors import InvariantBroken, Permanent


def test_a_repeated_or_older_forecast_does_not_replace_a_later_one() -> None:
    world = World(catalogue(["a"]))
    world.take(forecast("a", 2.0, learned_until=MIDNIGHT + DAY), forecast("a", 9.0))
    assert world.position("a").forecast.horizons.mean[0] == 2.0
    world.take(forecast("a", 3.0, learned_until=MIDNIGHT + 2 * DAY))
    assert world.position("a").forecast.horizons.mean[0] == 3.0


def test_a_later_level_replaces_the_one_before() -> None:
    world = World(catalogue(["a"]))
    world.take(level("a", 5), level("a", 3, reserved=1))
    position = world.position("a")
    assert (position.on_hand, position.reserved, position.inventory_position) == (3, 1, 2)


@pytest.mark.parametrize(
    ("horizon", "field"),
    [
        (HorizonForecast(days=1, mean=1e12, size=5), "horizons.0.mean"),
        (HorizonForecast(days=10**9, mean=1, size=5), "horizons.0.days"),
        (HorizonForecast(days=1, mean=1, size=1e-200), "horizons.0.size"),
    ],
)
def test_figures_that_no_sum_can_be_done_with_are_refused(
    horizon: HorizonForecast, field: str
) -> None:
    world = World(catalogue(["a"]))
    world.take(level("a", 5))
    before = world.position("a").forecast
    bad = DemandForecast(
        sku="a", location="W1", model="m", learned_until=MIDNIGHT, horizons=(horizon,)
    )
    with pytest.raises(Permanent) as refused:
        world.take(bad)
    assert refused.value.field == field
    assert world.position("a").forecast == before
    assert not world.state.touched


def test_time_changes_nothing_by_itself() -> None:
    world = World(catalogue(["a"]))
    assert world.take(TimeAdvanced(until=MIDNIGHT)) == []
    assert TimeAdvanced in HANDLED


def test_an_event_without_a_handler_is_a_bug() -> None:
    stray = WithdrawalRefused(location="W1", allocation="x", order="o", reason="")
    with pytest.raises(InvariantBroken, match="WithdrawalRefused"):
        World(catalogue(["a"])).take(stray)
