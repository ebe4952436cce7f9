"""What is published is a function of the log: not of order within a day, nor of crashes."""

import random
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.forecaster.sample import (
    Shards,
    Table,
    facts,
    forecasts,
    loaded,
    midnight,
    noted,
    overridden,
    take_all,
)

from forecaster import store
from forecaster.domain.checkpoint import Loaded
from forecaster.domain.state import PartitionState
from restock_common.contracts.envelope import Message
from restock_common.contracts.forecasts import DemandForecast

SKUS = ["ale", "rum", "tea"]


@dataclass(frozen=True)
class Day:
    """What is asked for on one day: (sku, units, shard); and what else comes on it."""

    asked: tuple[tuple[str, int, int], ...]
    other: str = ""


ASKED = st.tuples(st.sampled_from(SKUS), st.integers(1, 9), st.integers(0, 3))
OTHERS = st.sampled_from(["", "", "stockout", "facts", "override"])
DAYS = st.lists(
    st.builds(Day, st.lists(ASKED, max_size=6).map(tuple), OTHERS), min_size=1, max_size=20
)


def written(days: list[Day], shuffle: random.Random | None = None) -> list[Message[Any]]:
    """Return the log of these days; each shard's own order stays, unless it is shuffled."""
    shards, log = Shards(), []
    for number, day in enumerate(days):
        asked = list(day.asked)
        if shuffle is not None:
            shuffle.shuffle(asked)
        log += [shards.asks(number, sku, units, shard=shard) for sku, units, shard in asked]
        if day.other == "stockout":
            log += shards.out_of_stock(number + 0.3, number + 1.6, "tea")
        elif day.other == "facts":
            log.append(noted(number + 1, facts(number)))
        elif day.other == "override":
            log.append(overridden(number))
        log += shards.time(midnight(number + 1))
    return log


def told(published: list[Message[Any]]) -> list[DemandForecast]:
    """Return the forecasts, in the order they were published in."""
    return forecasts(published)


@settings(deadline=None, max_examples=25)
@given(DAYS, st.randoms(use_true_random=False))
def test_the_order_within_a_day_does_not_matter(days: list[Day], chance: random.Random) -> None:
    as_it_was = take_all(PartitionState(0), written(days))
    shuffled = take_all(PartitionState(0), written(days, chance))
    assert told(as_it_was) == told(shuffled)


@settings(deadline=None, max_examples=25)
@given(DAYS, st.data())
def test_a_shard_that_repeats_itself_changes_nothing(days: list[Day], data: st.DataObject) -> None:
    log = [one for one in written(days) if one.position is not None]
    at = data.draw(st.integers(0, len(log)))
    back = data.draw(st.integers(0, at))
    once, twice = PartitionState(0), PartitionState(0)
    assert take_all(once, log) == take_all(twice, log[:at] + log[back:at] + log[at:])
    assert dict(once.parts()) == dict(twice.parts())


@settings(deadline=None, max_examples=40)
@given(DAYS, st.data())
def test_crashes_anywhere_leave_no_trace(days: list[Day], data: st.DataObject) -> None:
    """Kill a worker at any record of any checkpoint: the state ends equal to the last byte."""
    log = written(days)
    undisturbed = PartitionState(0)
    expected = take_all(undisturbed, log)

    table, state = Table(), PartitionState(0)
    published: dict[str, Message[Any]] = {}
    for crash in (True, True, False):
        stop = data.draw(st.integers(state.next_offset, len(log))) if crash else len(log)
        while state.next_offset < stop:
            for one in take_all(state, [log[state.next_offset]]):
                assert published.setdefault(one.id, one) == one, "said again, but otherwise"
            if data.draw(st.booleans()):
                table.save(state)
        if crash:
            half = list(table.begin(state).parts.items())
            table.write(half[: data.draw(st.integers(0, len(half)))])
            complete, state = table.complete, table.load()
            assert state.next_offset == complete
    assert store.whole(state) == store.whole(undisturbed)
    assert list(published.values()) == expected


@settings(deadline=None, max_examples=40)
@given(DAYS, st.data())
def test_a_mixture_of_old_and_new_records_is_never_taken_for_a_state(
    days: list[Day], data: st.DataObject
) -> None:
    """Replay any stretch of the changelog over what it led to: whole, or known to be torn."""
    log = written(days)
    states: dict[int, dict[bytes, bytes]] = {}
    table, state = Table(), PartitionState(0)
    while state.next_offset < len(log):
        take_all(state, [log[state.next_offset]])
        if data.draw(st.booleans()):
            states[table.save(state)] = store.whole(state)
    start = data.draw(st.integers(0, len(table.changelog)))
    end = data.draw(st.integers(start, len(table.changelog)))
    table.write(table.changelog[start:end])
    found = loaded(table.records)
    if isinstance(found, Loaded) and found.head is not None:
        assert store.whole(found.state) == states[found.state.next_offset]
