"""What demand and time do to a partition, and what it publishes."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.forecaster.sample import Shards, forecasts, midnight, take_all, times

from forecaster import handlers
from forecaster.domain.learner import Key
from forecaster.domain.state import PartitionState
from restock_common.contracts.envelope import Position, Record
from restock_common.contracts.stock import StockReleased
from restock_common.errors import Permanent


@pytest.fixture
def shards() -> Shards:
    return Shards()


@pytest.fixture
def state() -> PartitionState:
    return PartitionState(2)


def test_nothing_is_published_before_every_shard_has_spoken(
    state: PartitionState, shards: Shards
) -> None:
    sent = [shards.asks(0, "tea"), *shards.time(midnight(1), range(3))]
    assert take_all(state, sent) == []
    published = take_all(state, shards.time(midnight(1), [3]))
    assert times(published) == [midnight(1)]


def test_a_midnight_closes_the_day_forecasts_first_then_the_time(
    state: PartitionState, shards: Shards
) -> None:
    take_all(state, [shards.asks(0, "tea", 3), shards.asks(0, "ale"), shards.asks(0, "tea", 2)])
    published = take_all(state, shards.time(midnight(1)))
    assert [one.event.type_name() for one in published] == [
        "restock.DemandForecast.v1",
        "restock.DemandForecast.v1",
        "restock.TimeAdvanced.v1",
    ]
    assert [one.sku for one in forecasts(published)] == ["ale", "tea"]
    assert {one.learned_until for one in forecasts(published)} == {midnight(1)}
    assert {one.source for one in published} == {"/restock/forecaster/restock.demand.v1/2"}
    assert all(one.position is None for one in published)
    assert published[0].cause == published[-1].cause is not None


def test_time_within_a_day_is_passed_on_and_closes_nothing(
    state: PartitionState, shards: Shards
) -> None:
    take_all(state, shards.time(midnight(1)))
    take_all(state, [shards.asks(1, "tea")])
    published = take_all(state, shards.time(midnight(1.5)))
    assert times(published) == [midnight(1.5)]
    assert forecasts(published) == []


def test_the_watermark_is_the_slowest_shards(state: PartitionState, shards: Shards) -> None:
    take_all(state, shards.time(midnight(1)))
    assert take_all(state, shards.time(midnight(3), range(1, 4))) == []
    assert times(take_all(state, shards.time(midnight(2), [0]))) == [midnight(2)]


def test_demand_of_a_day_that_is_not_open_yet_waits_for_it(
    state: PartitionState, shards: Shards
) -> None:
    take_all(state, [shards.asks(0, "tea"), shards.asks(1, "ale", 9)])
    assert [one.sku for one in forecasts(take_all(state, shards.time(midnight(1))))] == ["tea"]
    assert [one.sku for one in forecasts(take_all(state, shards.time(midnight(2))))] == ["ale"]


def test_late_demand_counts_on_the_open_day(state: PartitionState, shards: Shards) -> None:
    take_all(state, shards.time(midnight(5)))
    take_all(state, [shards.asks(1, "tea", 4)])
    (forecast,) = forecasts(take_all(state, shards.time(midnight(6))))
    assert forecast.sku == "tea"
    assert forecast.learned_days == 1
    assert forecast.last_demand_on == midnight(5).date()


def test_a_key_without_demand_is_published_again_after_two_weeks(
    state: PartitionState, shards: Shards
) -> None:
    take_all(state, [shards.asks(0, "tea", 3), *shards.time(midnight(1))])
    published = []
    for day in range(2, 36):
        published += take_all(state, shards.time(midnight(day)))
    first, second = (one.learned_until for one in forecasts(published))
    assert midnight(15) <= first < midnight(22), "on the key's own day of the week"
    assert second == first + timedelta(days=14)


def test_several_midnights_at_once_publish_each_key_once(
    state: PartitionState, shards: Shards
) -> None:
    sent = [shards.asks(day, "tea") for day in range(4)]
    (forecast,) = forecasts(take_all(state, [*sent, *shards.time(midnight(4))]))
    assert forecast.learned_until == midnight(4)


def test_ids_follow_from_key_and_day_alone(shards: Shards) -> None:
    def ids(number: int, order: int) -> set[str]:
        asked = [shards.asks(0, "tea", order), shards.asks(0, "tea", 3 - order)]
        return {
            one.id for one in take_all(PartitionState(number), [*asked, *shards.time(midnight(1))])
        }

    assert ids(1, 1) == ids(1, 2)


def test_what_a_shard_sends_again_changes_nothing(state: PartitionState, shards: Shards) -> None:
    sent = [shards.asks(0, "tea", 3), *shards.time(midnight(0.5))]
    take_all(state, sent)
    assert take_all(state, sent) == []
    assert state.waiting(Key("tea", "north")).asked[0][1] == 3
    other_life = replace(sent[0], position=Position(2, 1))
    take_all(state, [other_life])
    assert state.waiting(Key("tea", "north")).asked[0][1] == 6


def test_a_date_far_ahead_is_refused_and_leaves_no_trace(
    state: PartitionState, shards: Shards
) -> None:
    take_all(state, shards.time(midnight(1)))
    with pytest.raises(Permanent, match=r"occurred_at: 2099-.* more than 400 days ahead"):
        handlers.take(state, shards.asks(30_000, "tea"))
    assert state.asked == {}
    assert state.seen["/restock/stock-ledger/restock.ledger.v1/0"] == (1, 1)


def test_an_event_of_another_topic_is_refused() -> None:
    event = StockReleased(
        sku="tea",
        order="o",
        line="1",
        reservation="r",
        location="north",
        quantity=1,
        allocation="a",
    )
    headers = [("ce_type", event.type_name().encode())]
    record = Record("restock.demand.v1", 0, 0, 0, None, b"{}", headers)
    with pytest.raises(Permanent, match="does not belong on restock"):
        handlers.read(record)


def test_current_forecasts_are_those_published_last(state: PartitionState, shards: Shards) -> None:
    sent = [shards.asks(0, "tea", 3), shards.asks(0, "tea", 1, location="south")]
    published = forecasts(take_all(state, [*sent, *shards.time(midnight(1))]))
    now = handlers.current(state, "tea")
    assert [one.key.location for one in now] == ["north", "south"]
    means = [one.mean[2] for one in now]
    assert means == pytest.approx([one.horizons[2].mean for one in published])
    assert handlers.current(state, "ale") == []
    assert handlers.current(PartitionState(0), "tea") == []
