from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from _report import percentile
from ledger_bench.limit import statement
from ledger_bench.load import UNITS, WAREHOUSES, Orders, Zipf, opening
from ledger_bench.rows import Column, Table, between
from restock_common.contracts import TYPES
from restock_common.contracts.envelope import Message, Record, decode
from restock_common.contracts.event import Event
from restock_common.contracts.ledger import AssortmentListed, OrderPlaced, StockCounted
from restock_common.transact import Outgoing


def read(record: Outgoing) -> Message[Event]:
    """What the ledger reads of a record."""
    return decode(
        Record(
            record.topic, record.partition, 0, 0, record.key, record.body, headers=record.headers
        ),
        TYPES,
    )


@pytest.mark.parametrize(
    ("share", "value"), [(0.01, 1.0), (0.5, 50.0), (0.501, 51.0), (0.99, 99.0), (1.0, 100.0)]
)
def test_a_percentile_is_one_of_the_values(share: float, value: float) -> None:
    assert percentile([float(n) for n in range(1, 101)], share) == value


def test_demand_falls_as_zipf_says() -> None:
    zipf, random, draws = Zipf(100), Random(1), 200_000
    drawn = Counter(zipf.draw(random) for _ in range(draws))
    harmonic = sum(1 / rank for rank in range(1, 101))
    assert set(drawn) <= set(range(100))
    for rank in (0, 1, 9, 99):
        expected = draws / harmonic / (rank + 1)
        assert drawn[rank] == pytest.approx(expected, rel=0.15)


def test_orders_go_to_the_shards_in_turn_with_two_lines_on_average() -> None:
    orders = list(Orders(shards=2, skus=50).take(2_000))
    messages = [read(order.record) for order in orders]
    assert len({message.id for message in messages}) == len(orders)
    assert sum(order.lines for order in orders) == pytest.approx(2 * len(orders), rel=0.05)
    for place, (order, message) in enumerate(zip(orders, messages, strict=True)):
        placed = message.event
        assert isinstance(placed, OrderPlaced)
        assert order.id == message.id
        assert order.lines == len(placed.lines) == len({line.sku for line in placed.lines})
        assert order.record.partition == placed.sourcing[0].shard == place % 2
        assert len(placed.sourcing[0].locations) == WAREHOUSES


def test_the_same_orders_come_in_each_run() -> None:
    once, again = (list(Orders(shards=1, skus=50).take(20)) for _ in range(2))
    assert once == again


def test_everything_is_listed_and_counted_once_at_each_warehouse() -> None:
    counted: Counter[tuple[str, str]] = Counter()
    listed: Counter[tuple[int, str]] = Counter()
    for record in opening(shards=2, skus=5_003):
        match read(record).event:
            case AssortmentListed() as event:
                listed.update((record.partition, sku) for sku in event.skus)
            case StockCounted() as event:
                counted.update((event.location, line.sku) for line in event.lines)
                assert {line.quantity for line in event.lines} == {UNITS}
    assert (len(listed), set(listed.values())) == (2 * 5_003, {1})
    assert (len(counted), set(counted.values())) == (2 * WAREHOUSES * 5_003, {1})


def test_a_row_goes_from_how_it_was_to_how_it_became_step_by_step() -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    before, after = ("tea", 10, 0, None, True), ("tea", 3, 7, now, False)
    steps = [between(before, after, turn, 3) for turn in (1, 2, 3)]
    assert steps[-1] == after
    assert [step[1:3] for step in steps] == [(7, 2), (5, 4), (3, 7)]
    assert [step[3] for step in steps] == [
        now - timedelta(milliseconds=2),
        now - timedelta(milliseconds=1),
        now,
    ]
    assert between(None, after, 1, 3) == after


def test_a_table_that_only_grows_is_inserted_into_and_another_is_written_again() -> None:
    columns = (Column("sku", "text"), Column("units", "bigint"), Column("told", "jsonb"))
    grows = Table("entries", columns, key=("sku",), inserted=9, updated=0)
    assert statement(grows) == (
        'INSERT INTO entries ("sku", "units", "told") SELECT "sku", "units", "told"::jsonb'
        " FROM unnest($1::text[], $2::bigint[], $3::text[])"
        ' AS written ("sku", "units", "told")'
    )
    rewritten = Table("levels", columns, key=("sku",), inserted=0, updated=9)
    assert statement(rewritten).endswith(
        ' ON CONFLICT ("sku") DO UPDATE SET "units" = excluded."units", "told" = excluded."told"'
    )
