"""What is published is a function of the log: not of order within a day, nor of crashes."""

import random
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.forecaster.sample import Shards, forecasts, midnight, take_all

from forecaster import store
from forecaster.handlers import PartitionState
from restock_common.contracts.envelope import Message
from restock_common.contracts.forecasts import DemandForecast

SKUS = ["ale", "rum", "tea"]


@dataclass(frozen=True)
class Day:
    """What is asked for on one day: (sku, units, shard)."""

    asked: tuple[tuple[str, int, int], ...]


ASKED = st.tuples(st.sampled_from(SKUS), st.integers(1, 9), st.integers(0, 3))
DAYS = st.lists(st.lists(ASKED, max_size=6).map(tuple).map(Day), min_size=1, max_size=25)


def written(days: list[Day], shuffle: random.Random | None = None) -> list[Message[Any]]:
    """Return the log of these days; each shard's own order stays, unless it is shuffled."""
    shards, log = Shards(), []
    for number, day in enumerate(days):
        asked = list(day.asked)
        if shuffle is not None:
            shuffle.shuffle(asked)
        log += [shards.asks(number, sku, units, shard=shard) for sku, units, shard in asked]
        log += shards.time(midnight(number + 1))
    return log


def told(published: list[Message[Any]]) -> list[DemandForecast]:
    """Return the forecasts, in the order they were published in."""
    return forecasts(published)


@settings(deadline=None, max_examples=60)
@given(DAYS, st.randoms(use_true_random=False))
def test_the_order_within_a_day_does_not_matter(days: list[Day], chance: random.Random) -> None:
    as_it_was = take_all(PartitionState(0), written(days))
    shuffled = take_all(PartitionState(0), written(days, chance))
    assert told(as_it_was) == told(shuffled)


@settings(deadline=None, max_examples=60)
@given(DAYS, st.data())
def test_a_shard_that_repeats_itself_changes_nothing(days: list[Day], data: st.DataObject) -> None:
    log = written(days)
    at = data.draw(st.integers(0, len(log)))
    back = data.draw(st.integers(0, at))
    once, twice = PartitionState(0), PartitionState(0)
    assert take_all(once, log) == take_all(twice, log[:at] + log[back:at] + log[at:])
    assert once.learned == twice.learned
    assert once.pool == twice.pool


@settings(deadline=None, max_examples=60)
@given(DAYS, st.data())
def test_crashes_anywhere_leave_no_trace(days: list[Day], data: st.DataObject) -> None:
    """Kill a worker at any record of any checkpoint: the state ends equal to the last bit."""
    log = written(days)
    undisturbed = PartitionState(0)
    expected = take_all(undisturbed, log)

    table: dict[bytes, bytes] = {}
    state, complete = PartitionState(0), 0
    published: dict[str, Message[Any]] = {}
    for crash in (True, True, False):
        stop = data.draw(st.integers(state.next_offset, len(log))) if crash else len(log)
        while state.next_offset < stop:
            for one in take_all(state, [log[state.next_offset]]):
                assert published.setdefault(one.id, one) == one, "said again, but otherwise"
            if data.draw(st.booleans()):
                table.update(store.key_records(state, complete))
                table[store.partition_name(0)] = store.partition_record(state)
                complete = state.next_offset
                state.before.clear()
        if crash:
            half = list(store.key_records(state, complete).items())
            table.update(half[: data.draw(st.integers(0, len(half)))])
            state = store.load(table.items(), [0])[0]
            assert state.next_offset == complete
    state.before.clear()
    undisturbed.before.clear()
    assert state == undisturbed
    assert list(published.values()) == expected
