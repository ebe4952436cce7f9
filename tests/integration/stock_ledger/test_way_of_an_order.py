"""Orders through a real log and a real database: once each, whatever comes in between."""

import pytest
from tests.integration.stock_ledger.harness import Ledger
from tests.support import message, outgoing, publish_raw, read_letters, read_messages
from tests.unit.stock_ledger.building import (
    cancelled,
    counted,
    dispatched,
    order,
    received,
    sourcing,
    time,
    withdrawn,
)

from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.stock import Level, StockLevelChanged, StockReserved
from restock_common.contracts.topics import DEMAND, FULFILMENT, LEDGER, SHARDS, STOCK
from restock_common.transact import Outgoing

pytestmark = pytest.mark.kafka

NORTH = sourcing("north", ["n1", "n2"], shard=0)
SOUTH = sourcing("south", ["s1"], shard=1)


async def test_orders_travel_the_whole_way(ledger: Ledger) -> None:
    """One log of module `kafka` for the whole story: it cannot be emptied between the tests."""
    await ledger.send(0, counted("c1", "n1", ("tea", 5)), counted("c2", "n2", ("cup", 1)))
    await ledger.send(1, counted("c3", "s1", ("tea", 9), pool="south"))
    first = order("a", ("tea", 3), ("cup", 1), pools=(NORTH, SOUTH))
    junk = Outgoing(LEDGER.name, 0, None, [("ce_specversion", b"1.0")], b"{}")
    await publish_raw(
        ledger.kafka,
        [
            outgoing(message(first), partition=0),
            junk,
            outgoing(message(first), partition=0),
            outgoing(message(dispatched("nowhere", "a", "n1")), partition=0),
            outgoing(message(order("b", ("tea", 4), pools=(NORTH, SOUTH))), partition=0),
        ],
    )
    await ledger.quiet()
    for shard in range(SHARDS):
        await ledger.send(shard, time(10))
    await ledger.quiet()

    figures = await ledger.queries.figures()
    assert figures == {
        "orders": 2,
        "order_lines": 3,
        "lines_reserved": 3,
        "lines_backordered": 0,
        "lines_served_by_another_pool": 1,
        "units_oversold": 0,
        "balances_differing": 0,
        "orders_applied_twice": 0,
        "receipts": 0,
    }
    stock = await read_messages(ledger.kafka, STOCK)
    reserved = [one.event for one in stock if isinstance(one.event, StockReserved)]
    assert sorted((one.order, one.pool, one.quantity) for one in reserved) == [
        ("a", "north", 1),
        ("a", "north", 3),
        ("b", "south", 4),
    ]
    demand = [one.event for one in await read_messages(ledger.kafka, DEMAND)]
    asked = [one for one in demand if isinstance(one, DemandObserved)]
    assert sorted((one.order, one.line) for one in asked) == [("a", "1"), ("a", "2"), ("b", "1")]
    (malformed, _), (lost, held) = await read_letters(ledger.kafka)
    assert (malformed.source_offset, lost.source_offset) == (3, 5)
    assert malformed.reason == "is missing"
    assert "'nowhere' is no parcel of order 'a'" in held.reason
    assert lost.reason == "... on this shard"
    for topic in (STOCK, FULFILMENT, DEMAND):
        told = await read_messages(ledger.kafka, topic)
        times = [one for one in told if isinstance(one.event, TimeAdvanced)]
        assert len(times) == SHARDS * topic.partitions

    await _cancel_and_ship(ledger)
    await _check_levels(ledger)


async def _cancel_and_ship(ledger: Ledger) -> None:
    """Cancel b, which the south has taken; ship what n1 has of a; receive what nobody waits for."""
    parcels = {
        one.event.location: one.event
        for one in await read_messages(ledger.kafka, FULFILMENT)
        if isinstance(one.event, OrderAllocated)
    }
    assert set(parcels) == {"n1", "n2", "s1"}
    await ledger.send(0, cancelled("b"), dispatched(parcels["n1"].allocation, "a", "n1"))
    await ledger.send(0, received("r", "n1", ("tea", 7)), received("r", "n1", ("tea", 7)))
    await ledger.quiet()
    told = await read_messages(ledger.kafka, FULFILMENT)
    (asked,) = [one.event for one in told if isinstance(one.event, AllocationCancelRequested)]
    assert asked.allocation == parcels["s1"].allocation
    await ledger.send(1, withdrawn(asked.allocation, "b", "s1"), time(20))
    await ledger.quiet()
    levels = {one["location"]: one for one in await ledger.queries.stock(["tea"])}
    assert (levels["n1"]["on_hand"], levels["n1"]["reserved"]) == (9, 0)
    assert (levels["s1"]["on_hand"], levels["s1"]["reserved"]) == (9, 0)
    found = await ledger.queries.order("b")
    assert found is not None
    assert [claim["state"] for claim in found["claims"]] == ["cancelled", "cancelled"]
    assert (await ledger.queries.figures())["receipts"] == 1


async def _check_levels(ledger: Ledger) -> None:
    """The last level told of each balance is the balance."""
    told = {
        (one.event.sku, one.event.location): one.event
        for one in await read_messages(ledger.kafka, STOCK)
        if isinstance(one.event, StockLevelChanged)
    }
    rows = await ledger.fetch("SELECT DISTINCT sku FROM stock")
    levels = await ledger.queries.stock([row["sku"] for row in rows])
    assert {(row["sku"], row["location"]) for row in levels} == set(told)
    for row in levels:
        level = told[row["sku"], row["location"]]
        names = [*Level.model_fields, "available"]
        assert {name: getattr(level, name) for name in names} == {name: row[name] for name in names}
