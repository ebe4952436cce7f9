"""Checkpoints: what was written is read back, and a half-written one is passed over."""

import orjson
import pytest
from tests.unit.forecaster.sample import (
    Shards,
    Table,
    facts,
    loaded,
    midnight,
    noted,
    overridden,
    take_all,
)

from forecaster import store
from forecaster.domain.checkpoint import Loaded, Torn
from forecaster.domain.state import PartitionState

TEA = ("k", "tea", "north")


@pytest.fixture
def shards() -> Shards:
    return Shards()


@pytest.fixture
def state(shards: Shards) -> PartitionState:
    """Return a partition after ten days, with some of everything, and demand of open days."""
    found = PartitionState(3, log_identity="the log")
    take_all(found, [noted(1, facts())])
    for day in range(10):
        take_all(found, [shards.asks(day, "tea", 1 + day % 3), shards.asks(day, f"ale-{day}")])
        take_all(found, shards.time(midnight(day + 1)))
    take_all(found, [shards.asks(10, "tea", 7), shards.asks(11, "tea", 2), shards.asks(10, "rum")])
    take_all(found, [*shards.out_of_stock(10.1, 10.2, "rum"), overridden(10)])
    return found


@pytest.fixture
def table(state: PartitionState) -> Table:
    """Return a table that the state was written to."""
    found = Table()
    found.save(state)
    return found


def test_a_partition_is_read_back_to_the_last_byte(state: PartitionState, table: Table) -> None:
    again = table.load(3)
    assert store.whole(again) == store.whole(state)
    assert again.locations == state.locations
    assert again.partition.categories == state.partition.categories
    assert again.partition.sites == state.partition.sites
    assert again.partition.plans.by_key == state.partition.plans.by_key


def test_it_learns_on_as_if_it_had_never_been_away(
    state: PartitionState, table: Table, shards: Shards
) -> None:
    again = table.load(3)
    for day in range(10, 40):
        more = [shards.asks(day, "tea", 3), *shards.time(midnight(day + 1))]
        assert take_all(again, more) == take_all(state, more)
    assert store.whole(again) == store.whole(state)


def test_without_a_checkpoint_a_partition_is_empty() -> None:
    found = loaded({}, 1)
    assert isinstance(found, Loaded)
    assert found.head is None
    assert store.whole(found.state) == store.whole(PartitionState(1))


def test_partitions_of_others_are_left_out(table: Table) -> None:
    found = loaded(table.records, 0)
    assert isinstance(found, Loaded)
    assert found.state.next_offset == 0


def test_only_parts_that_changed_are_written(
    state: PartitionState, table: Table, shards: Shards
) -> None:
    take_all(state, [shards.asks(10, "tea")])
    assert list(table.begin(state).parts) == [store.part_name(3, TEA)]


def test_a_checkpoint_without_its_last_record_does_not_count(
    state: PartitionState, table: Table, shards: Shards
) -> None:
    before = store.whole(table.load(3))
    take_all(state, [shards.asks(10, "tea", 5), shards.asks(10, "new"), noted(2, facts(9))])
    take_all(state, shards.time(midnight(12)))
    half = list(table.begin(state).parts.items())
    for written in range(len(half) + 1):
        found = loaded(table.records | dict(half[:written]), 3)
        assert isinstance(found, Loaded)
        assert store.whole(found.state) == before


def test_after_a_half_written_checkpoint_the_next_one_is_whole(
    state: PartitionState, table: Table, shards: Shards
) -> None:
    more = [shards.asks(10, "tea", 5), *shards.time(midnight(12)), shards.asks(12, "tea")]
    take_all(state, more)
    table.write(table.begin(state).parts.items())  # and then a crash
    again = table.load(3)
    take_all(again, more)
    table.save(again)
    assert store.whole(table.load(3)) == store.whole(state)


def test_older_records_over_newer_ones_are_told(
    state: PartitionState, table: Table, shards: Shards
) -> None:
    """What a changelog replayed over a newer table, and not to its end, leaves behind."""
    older = dict(table.records)
    for _ in range(2):
        take_all(state, [shards.asks(10, "tea")])
        table.save(state)
    name, head = store.part_name(3, TEA), store.head_name(3)
    mixtures = [{name: older[name]}, {head: older[head]}]
    for mixture in mixtures:
        found = loaded(table.records | mixture, 3)
        assert isinstance(found, Torn)
        assert "do not add up" in str(found)


def test_a_part_that_is_gone_is_told(table: Table) -> None:
    del table.records[store.part_name(3, TEA)]
    assert isinstance(loaded(table.records, 3), Torn)


@pytest.mark.parametrize(
    "head",
    [
        b'{"format":1,"next_offset":70,"pool":{}}',
        b'{"format":99,"next_offset":70,"life":4}',
        b'{"format":2,"next_offset":70}',
        b'["not a head"]',
        b"",
    ],
)
def test_what_another_version_wrote_is_learned_again(
    state: PartitionState, shards: Shards, head: bytes
) -> None:
    table = Table()
    table.save(state)
    records = table.records | {store.head_name(3): head}
    torn = loaded(records, 3)
    assert isinstance(torn, Torn)
    again = store.relearning(3, torn)
    assert (again.next_offset, again.life) == (0, torn.life + 1)
    assert again.silent_until == torn.next_offset == (70 if b"70" in head else 0)
    fresh = Table()
    fresh.records = records
    take_all(again, [shards.asks(0, "tea"), *shards.time(midnight(1))])
    fresh.save(again)
    assert store.whole(fresh.load(3)) == store.whole(again)


def test_another_learner_learns_again(table: Table) -> None:
    torn = store.load(table.records.items(), [3], "seasonal-naive")[3]
    assert isinstance(torn, Torn)
    assert "this process runs ['seasonal-naive', 1]" in str(torn)
    assert torn.next_offset == table.complete


def test_the_head_tells_who_learned(table: Table) -> None:
    head = orjson.loads(table.records[store.head_name(3)])
    assert head["learner"] == ["global-mixture", 1]
    assert head["next_offset"] == table.complete


def test_a_key_stays_within_a_kilobyte(state: PartitionState) -> None:
    """And its record holds it twice, until the checkpoint is whole."""
    assert len(state.part(TEA)) <= 1_024
