"""Checkpoints: what was written is read back, and a half-written one is passed over."""

import pytest
from tests.unit.forecaster.sample import Shards, midnight, take_all

from forecaster import store
from forecaster.handlers import Key, PartitionState
from restock_common.errors import LogMismatch


def checkpoint(table: dict[bytes, bytes], state: PartitionState, complete: int) -> int:
    """Write a whole checkpoint; return its offset."""
    table.update(store.key_records(state, complete))
    table[store.partition_name(state.number)] = store.partition_record(state)
    state.before.clear()
    return state.next_offset


@pytest.fixture
def shards() -> Shards:
    return Shards()


@pytest.fixture
def state(shards: Shards) -> PartitionState:
    """Return a partition after ten days, with demand of an open day."""
    found = PartitionState(3, log_identity="the log")
    for day in range(10):
        take_all(found, [shards.asks(day, "tea", 1 + day % 3), shards.asks(day, f"ale-{day}")])
        take_all(found, shards.time(midnight(day + 1)))
    take_all(found, [shards.asks(10, "tea", 7), shards.asks(11, "tea", 2), shards.asks(10, "rum")])
    return found


def test_a_partition_is_read_back_to_the_last_bit(state: PartitionState) -> None:
    table: dict[bytes, bytes] = {}
    checkpoint(table, state, 0)
    assert store.load(table.items(), [3]) == {3: state}


def test_without_a_checkpoint_a_partition_is_empty(state: PartitionState) -> None:
    assert store.load([], [1, 2]) == {1: PartitionState(1), 2: PartitionState(2)}


def test_partitions_of_others_are_left_out(state: PartitionState) -> None:
    table: dict[bytes, bytes] = {}
    checkpoint(table, state, 0)
    assert store.load(table.items(), [0]) == {0: PartitionState(0)}


def test_only_keys_that_changed_are_written(state: PartitionState, shards: Shards) -> None:
    complete = checkpoint({}, state, 0)
    take_all(state, [shards.asks(10, "tea")])
    assert list(store.key_records(state, complete)) == [
        store.key_name(3, Key("tea", "north")),
    ]


def test_a_checkpoint_without_its_last_record_does_not_count(
    state: PartitionState, shards: Shards
) -> None:
    table: dict[bytes, bytes] = {}
    complete = checkpoint(table, state, 0)
    before = store.load(table.items(), [3])
    take_all(state, [shards.asks(10, "tea", 5), shards.asks(10, "new")])
    take_all(state, shards.time(midnight(12)))
    half = store.key_records(state, complete)
    for written in range(len(half) + 1):
        torn = table | dict(list(half.items())[:written])
        assert store.load(torn.items(), [3]) == before


def test_after_a_half_written_checkpoint_the_next_one_is_whole(
    state: PartitionState, shards: Shards
) -> None:
    table: dict[bytes, bytes] = {}
    complete = checkpoint(table, state, 0)
    more = [shards.asks(10, "tea", 5), *shards.time(midnight(12)), shards.asks(12, "tea")]
    take_all(state, more)
    table.update(store.key_records(state, complete))  # and then a crash
    again = store.load(table.items(), [3])[3]
    take_all(again, more)
    checkpoint(table, again, complete)
    state.before.clear()
    assert store.load(table.items(), [3]) == {3: state}


def test_a_partition_that_is_older_than_its_keys_is_refused(
    state: PartitionState, shards: Shards
) -> None:
    table: dict[bytes, bytes] = {}
    complete = checkpoint(table, state, 0)
    older = table[store.partition_name(3)]
    for _ in range(2):
        take_all(state, [shards.asks(10, "tea")])
        complete = checkpoint(table, state, complete)
    table[store.partition_name(3)] = older
    with pytest.raises(LogMismatch, match="a key has learned up to 64, its partition only to 63"):
        store.load(table.items(), [3])


def test_records_stay_small(state: PartitionState) -> None:
    record = store.key_records(state, 0)[store.key_name(3, Key("tea", "north"))]
    assert len(record) < 512


def test_a_record_of_a_newer_version_is_named(state: PartitionState) -> None:
    table: dict[bytes, bytes] = {}
    checkpoint(table, state, 0)
    name = store.key_name(3, Key("tea", "north"))
    table[name] = bytes([store.FORMAT + 1]) + table[name][1:]
    with pytest.raises(LogMismatch, match=f"format {store.FORMAT + 1}, this version reads"):
        store.load(table.items(), [3])
