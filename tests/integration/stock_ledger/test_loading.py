"""What is loaded for a message is never less than it needs, alone in its batch too."""

from tests.support import message
from tests.unit.stock_ledger.building import counted, dispatched, order, sourcing

from restock_common.contracts import Event
from restock_common.contracts.envelope import Record, derive_id, encode
from restock_common.contracts.ledger import OrderAmended
from restock_common.contracts.topics import LEDGER
from restock_common.kafka import partition_of
from restock_common.postgres import Database, PostgresInbox
from restock_common.transact import Partition, Writer, transact
from stock_ledger import store
from stock_ledger.stream import SERVICE, LedgerApplication

SHARD = Partition(LEDGER.name, 0)
NORTH = (sourcing("north", ["n1"]),)


async def take_one_by_one(database: Database, events: list[Event]) -> None:
    inbox = PostgresInbox(database, keep_journal=True)
    cursor = await inbox.take_over(SHARD)
    for offset, event in enumerate(events):
        headers, body = encode(message(event))
        record = Record(LEDGER.name, 0, offset, 0, None, body, headers)
        outcome = await transact(
            inbox,
            LedgerApplication(store),
            Writer(SERVICE, partition_of),
            SHARD,
            cursor.epoch,
            [record],
        )
        assert outcome.dead_letters == ()


async def test_a_line_that_was_amended_out_can_still_leave(database_url: str) -> None:
    """Its parcel was asked back, but the vehicle had left: the sku is on no line any more."""
    placed = order("o", ("tea", 2), ("cup", 1), pools=NORTH)
    parcel = derive_id("allocation", "o", "n1", message(placed).id)
    amended = OrderAmended(
        order="o", revision=1, amended_at=placed.placed_at, lines=placed.lines[:1]
    )
    database = Database(database_url)
    await database.open()
    await database.migrate(["restock_common", "stock_ledger"])
    stocked = counted("c", "n1", ("tea", 5), ("cup", 5))
    await take_one_by_one(database, [stocked, placed, amended, dispatched(parcel, "o", "n1")])
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT sku, free, reserved FROM stock ORDER BY sku")
    await database.close()
    assert [tuple(row.values()) for row in rows] == [("cup", 4, 0), ("tea", 3, 0)]
