"""The books are a function of the log: where a batch is cut changes nothing."""

from typing import Any

from tests.support import message
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

from restock_common.contracts import Event
from restock_common.contracts.envelope import Record, derive_id, encode
from restock_common.contracts.ledger import LineOffered, LineRefused, OrderLine
from restock_common.contracts.topics import LEDGER
from restock_common.kafka import partition_of
from restock_common.postgres import Database, PostgresInbox
from restock_common.transact import Partition, Writer, transact
from stock_ledger import store
from stock_ledger.stream import SERVICE, LedgerApplication

SHARD = Partition(LEDGER.name, 0)
NORTH = (sourcing("north", ["n1", "n2"]),)
WITH_SOUTH = (*NORTH, sourcing("south", ["s1"], shard=1))
TABLES = (
    *("stock", "claims", "pieces", "allocations", "bookings", "shelves", "expected", "inbound"),
    *("serials", "alerts", "skus", "locations", "clocks"),
)


def parcel(placed: Event, name: str, location: str) -> str:
    """Return the id of the parcel that an order leads to at once."""
    return derive_id("allocation", name, location, message(placed).id)


def history() -> list[Event]:
    """Return a log in which answers follow what they answer at once, as in a rebuild."""
    a = order("a", ("tea", 4), ("cup", 1), pools=NORTH, minute=1)
    b = order("b", ("tea", 3), pools=NORTH, minute=2)
    c = order("c", ("tea", 2), pools=WITH_SOUTH, minute=3)
    d = order("d", ("cup", 2), pools=NORTH, minute=4)
    offer = derive_id("offer", "c", "1", 1)
    offered = LineOffered(
        offer="from the south",
        order="z",
        line=OrderLine(line="1", sku="cup", quantity=1),
        customer="z",
        placed_at=a.placed_at,
        destination=a.destination,
        home_shard=1,
        home_pool="south",
        sourcing=NORTH[0],
    )
    return [
        counted("c1", "n1", ("tea", 5), ("cup", 1)),
        a,
        b,
        withdrawn(parcel(a, "a", "n1"), "a", "n1"),
        time(10),
        received("r1", "n2", ("tea", 1), ("cup", 3)),
        c,
        LineRefused(offer=offer, order="c", line="1", pool="south"),
        time(20),
        offered,
        d,
        counted("c2", "n2", ("cup", 1)),
        time(30),
        dispatched(parcel(d, "d", "n2"), "d", "n2"),
        cancelled("b"),
        received("r2", "n1", ("tea", 9), ("cup", 9)),
        time(40),
    ]


async def books_after(url: str, size: int) -> dict[str, Any]:
    """Take the history in batches of a size; return all tables and all that was emitted."""
    records = []
    for offset, event in enumerate(history()):
        headers, body = encode(message(event))
        records.append(Record(LEDGER.name, 0, offset, 0, None, body, headers))
    database = Database(url)
    await database.open()
    await database.migrate(["restock_common", "stock_ledger"])
    inbox = PostgresInbox(database, keep_journal=True)
    cursor = await inbox.take_over(SHARD)
    writer = Writer(SERVICE, partition_of)
    journal = []
    for start in range(0, len(records), size):
        batch = records[start : start + size]
        outcome = await transact(
            inbox, LedgerApplication(store), writer, SHARD, cursor.epoch, batch
        )
        assert outcome.dead_letters == ()
        journal += [entry._replace(head=None) for entry in outcome.journal]
    found: dict[str, Any] = {"journal": journal}
    async with database.connection() as connection:
        for table in TABLES:
            rows = await connection.fetch(f"SELECT * FROM {table} ORDER BY 1, 2")
            found[table] = sorted(str(dict(row)) for row in rows)
        rows = await connection.fetch("SELECT * FROM movements ORDER BY id")
        found["movements"] = [{**row, "id": None} for row in rows]
    await database.close()
    return found


async def test_the_cut_of_batches_changes_nothing(platform: Any, database_url: str) -> None:
    whole = await books_after(database_url, 1000)
    assert len(whole["journal"]) > 50
    for size in (1, 4):
        name = f"cut_{size}"
        try:
            assert await books_after(await platform.new_database(name), size) == whole
        finally:
            await platform.databases.drop_database(name)
