import pytest
from tests.unit.replenisher.world import (
    DAY,
    MIDNIGHT,
    World,
    catalogue,
    forecast,
    level,
    only,
)

from replenisher.handlers import HANDLED
from restock_common.contracts import EVENTS, Event
from restock_common.contracts.dispatch import WithdrawalRefused
from restock_common.contracts.envelope import Record
from restock_common.contracts.forecasts import DemandForecast, HorizonForecast
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.topics import STOCK
from restock_common.errors import InvariantBroken, Permanent
from restock_common.transact import read_event


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
    ("others", "inventory_position"),
    [
        ({"damaged": 3}, 7),
        ({"quality_hold": 4}, 6),
        ({"in_transit": 5}, 15),
        ({"held": 6}, 10),
        ({"safety_buffer": 2}, 10),
        ({"reserved": 1, "damaged": 3, "quality_hold": 4, "in_transit": 5, "held": 2}, 7),
    ],
)
def test_the_position_takes_what_can_be_sold_and_what_is_on_its_way(
    others: dict[str, int], inventory_position: int
) -> None:
    world = World(catalogue(["a"]))
    world.take(level("a", 10).model_copy(update=others))
    assert world.position("a").inventory_position == inventory_position


def test_an_order_line_explains_what_cannot_be_sold_and_what_is_on_its_way() -> None:
    world = World(catalogue(["a"]))
    world.take(forecast("a", 9.0), level("a", 10, damaged=3, quality_hold=4, in_transit=5))
    reason = only(world.review()).lines[0].reason
    assert (reason.on_hand, reason.unsellable, reason.in_transit) == (10, 7, 5)
    assert reason.inventory_position == 8


@pytest.mark.parametrize(
    "kind",
    [kind for kind in EVENTS if kind.topic is STOCK and kind not in HANDLED],
    ids=lambda kind: kind.type_name(),
)
def test_what_else_the_ledger_tells_is_passed_over(kind: type[Event]) -> None:
    record = Record(STOCK.name, 0, 0, 0, None, b"{}", [("ce_type", kind.type_name().encode())])
    assert read_event(record, HANDLED) is None


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
