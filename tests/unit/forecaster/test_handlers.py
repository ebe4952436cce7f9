"""What demand and time do to a partition, and what it publishes."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.forecaster.sample import (
    Shards,
    facts,
    forecasts,
    midnight,
    noted,
    overridden,
    take_all,
    times,
)

from forecaster import handlers
from forecaster.domain.calendar import day_of
from forecaster.domain.learner import Key
from forecaster.domain.state import PartitionState
from restock_common.contracts.demand import FactsNoted, OverrideWithdrawn
from restock_common.contracts.envelope import Position, Record, encode
from restock_common.contracts.insights import OverrideMeasured
from restock_common.contracts.promotions import Price
from restock_common.contracts.stock import StockReleased
from restock_common.contracts.topics import DEMAND
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


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"quantity": -2}, "quantity"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": float("nan")}, "body"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
    ],
)
def test_what_can_be_no_demand_is_refused(
    shards: Shards, changed: dict[str, object], field: str
) -> None:
    headers, body = encode(shards.asks(0, "tea"))
    spoiled = json.dumps(json.loads(body) | changed).encode()
    with pytest.raises(Permanent) as caught:
        handlers.read(Record(DEMAND.name, 0, 0, 0, b"tea", spoiled, headers))
    assert caught.value.field in {field, "quantity"}


@pytest.mark.parametrize("price", [float("nan"), float("inf"), 0.0, -4.0])
def test_what_can_be_no_price_is_refused(price: float) -> None:
    known = Price(sku="tea", effective_from=midnight(1).date(), price=4.0)
    headers, body = encode(noted(1, FactsNoted(partition=0, prices=(known,))))
    spoiled = body.replace(b'"price":4.0', f'"price":{json.dumps(price)}'.encode())
    assert spoiled != body
    with pytest.raises(Permanent, match="price"):
        handlers.read(Record(DEMAND.name, 0, 0, 0, b"tea", spoiled, headers))


def test_demand_of_long_ago_is_refused_and_leaves_no_trace(
    state: PartitionState, shards: Shards
) -> None:
    take_all(state, shards.time(midnight(1000)))
    before = dict(state.parts())
    with pytest.raises(Permanent, match=r"occurred_at: .* more than 28 days before") as caught:
        handlers.take(state, shards.asks(3, "tea"))
    assert caught.value.field == "occurred_at"
    assert dict(state.parts()) == before


def test_an_unknown_location_is_refused_once_all_have_been_told(
    state: PartitionState, shards: Shards
) -> None:
    take_all(state, [noted(1, facts()), shards.asks(0, "tea", location="souht")])
    take_all(state, [noted(2, FactsNoted(partition=0, complete=True))])
    with pytest.raises(Permanent, match="'souht' is no location") as caught:
        handlers.take(state, shards.asks(0, "tea", location="souht"))
    assert caught.value.field == "location"
    take_all(state, [shards.asks(0, "tea", location="north")])


def test_a_day_out_of_stock_is_no_day_without_demand(shards: Shards) -> None:
    """Five a day, three days of each week nothing to be had: the level stays five."""
    means = []
    for told in (True, False):
        state, says = PartitionState(0), Shards()
        for day in range(56):
            gone = day % 7 in {2, 3, 4}
            take_all(state, [] if gone else [says.asks(day, "tea", 5)])
            if gone and told:
                take_all(state, says.out_of_stock(day, day + 1, "tea"))
            take_all(state, says.time(midnight(day + 1)))
        (one,) = handlers.current(state, "tea")
        means.append(one.mean[3])
    assert means[0] == pytest.approx(70, rel=0.15)
    assert means[1] < 50


def test_a_stockout_counts_for_the_share_of_each_day(state: PartitionState, shards: Shards) -> None:
    take_all(state, [shards.asks(0, "tea"), *shards.time(midnight(1))])
    take_all(state, shards.out_of_stock(1.25, 3.5, "tea"))
    key = Key("tea", "north")
    hours = {day - day_of(midnight(0)): ms / 3_600_000 for day, ms in state.waiting(key).away_ms}
    assert hours == {1: 18, 2: 24, 3: 12}
    take_all(state, shards.time(midnight(4)))
    rows = state.partition.view([key], day_of(midnight(3))).histories
    assert rows.days[0, -3:].tolist() == pytest.approx([0.25, 0, 0.5], abs=0.04)


def test_a_plan_that_changes_is_published_with_the_next_day(
    state: PartitionState, shards: Shards
) -> None:
    take_all(state, [shards.asks(0, "tea"), shards.asks(0, "ale"), *shards.time(midnight(1))])
    take_all(state, [noted(1, facts(1))])
    assert state.partition.categories == {"tea": "drinks"}
    told = forecasts(take_all(state, shards.time(midnight(2))))
    assert [one.sku for one in told] == ["tea"]
    take_all(state, shards.time(midnight(4)))
    assert state.partition.categories == {"tea": "drinks", "ale": "beer"}


def test_an_override_is_published_at_once_and_the_models_word_after_it(
    state: PartitionState, shards: Shards
) -> None:
    take_all(state, [shards.asks(0, "tea", 2), *shards.time(midnight(1))])
    (told,) = forecasts(take_all(state, [overridden(1)]))
    assert (told.override, told.learned_until) == ("o-1", midnight(1))
    means = {one.days: one.mean for one in told.horizons}
    assert (means[1], means[3]) == (10, 30)
    assert means[7] > 40
    assert forecasts(take_all(state, [overridden(1)])) == []
    by_day = [forecasts(take_all(state, shards.time(midnight(day)))) for day in range(2, 6)]
    assert [one.override for (one,) in by_day] == ["o-1", "o-1", "o-1", None]


def test_an_ended_override_is_measured_beside_the_model(
    state: PartitionState, shards: Shards
) -> None:
    take_all(state, [shards.asks(0, "tea", 2), *shards.time(midnight(1)), overridden(2)])
    published = []
    for day in range(1, 8):
        published += take_all(state, [shards.asks(day, "tea", 9), *shards.time(midnight(day + 1))])
    (measured,) = [one.event for one in published if isinstance(one.event, OverrideMeasured)]
    assert (measured.units, measured.planner.mean) == (36, 40)
    assert measured.planner.absolute_error == 4
    assert measured.model.absolute_error == pytest.approx(36 - measured.model.mean)
    assert measured.model.pinball > measured.planner.pinball > 0
    (kept,) = state.overrides[Key("tea", "north")]
    assert kept.measured


def test_a_withdrawn_override_stays_to_be_seen(state: PartitionState, shards: Shards) -> None:
    take_all(state, [shards.asks(0, "tea", 2), *shards.time(midnight(1)), overridden(1)])
    event = OverrideWithdrawn(
        override="o-1", sku="tea", location="north", by="bob", reason="rain", at=midnight(1)
    )
    withdrawn = replace(overridden(1), id="w", event=event)
    (told,) = forecasts(take_all(state, [withdrawn]))
    assert told.override is None
    assert take_all(state, [withdrawn]) == []
    (kept,) = state.overrides[Key("tea", "north")]
    assert kept.withdrawn == ("bob", "rain", midnight(1).isoformat())


def test_an_override_of_what_is_over_is_refused(state: PartitionState, shards: Shards) -> None:
    take_all(state, shards.time(midnight(30)))
    with pytest.raises(Permanent, match="is over"):
        handlers.take(state, overridden(3))


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
