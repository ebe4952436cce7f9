"""What is loaded for a message is never less than it needs, alone in its batch too."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
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
from stock_ledger.domain.rules import Rules
from stock_ledger.stream import SERVICE, LedgerApplication

SHARD = Partition(LEDGER.name, 0)
NORTH = (sourcing("north", ["n1"]),)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.open()
    await database.migrate(["restock_common", "stock_ledger"])
    yield database
    await database.close()


async def take(database: Database, events: Sequence[Event], *, at_once: int = 1) -> None:
    inbox = PostgresInbox(database, keep_journal=True)
    cursor = await inbox.take_over(SHARD)
    application, writer = LedgerApplication(store), Writer(SERVICE, partition_of)
    records = []
    for offset, event in enumerate(events):
        headers, body = encode(message(event))
        records.append(Record(LEDGER.name, 0, offset, 0, None, body, headers))
    for first in range(0, len(records), at_once):
        some = records[first : first + at_once]
        outcome = await transact(inbox, application, writer, SHARD, cursor.epoch, some)
        assert outcome.dead_letters == ()


async def stock(database: Database) -> list[tuple[str, int, int]]:
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT sku, free, reserved FROM stock ORDER BY sku")
    return [tuple(row.values()) for row in rows]


async def test_a_line_that_was_amended_out_can_still_leave(database: Database) -> None:
    """Its parcel was asked back, but the vehicle had left: the sku is on no line any more."""
    placed = order("o", ("tea", 2), ("cup", 1), pools=NORTH)
    parcel = derive_id("allocation", "o", "n1", message(placed).id)
    amended = OrderAmended(
        order="o", revision=1, amended_at=placed.placed_at, lines=placed.lines[:1]
    )
    stocked = counted("c", "n1", ("tea", 5), ("cup", 5))
    await take(database, [stocked, placed, amended, dispatched(parcel, "o", "n1")])
    assert await stock(database) == [("cup", 4, 0), ("tea", 3, 0)]


async def test_a_count_that_finds_enough_reads_nobodys_order(database: Database) -> None:
    """There can be tens of thousands of a sku that sells well."""
    placed = [order(f"o-{n}", ("tea", 1), pools=NORTH) for n in range(3)]
    await take(database, [counted("c", "n1", ("tea", 9)), *placed])
    recount = replace(message(counted("again", "n1", ("tea", 7))), partition=0)
    async with database.connection() as connection:
        spared = await store.load(connection, [recount], Rules())
        whole = await store.load(connection, [recount], Rules(), whole=True)
    assert (set(spared.orders), spared.unread) == (set(), {("tea", "n1")})
    assert (set(whole.orders), whole.unread) == ({"o-0", "o-1", "o-2"}, set())


@pytest.mark.parametrize("at_once", [1, 2, 5])
async def test_who_gives_way_is_read_where_a_count_finds_too_little(
    database: Database, at_once: int
) -> None:
    placed = [order(f"o-{n}", ("tea", 2), pools=NORTH) for n in range(3)]
    events = [counted("c", "n1", ("tea", 9)), *placed, counted("again", "n1", ("tea", 5))]
    await take(database, events, at_once=at_once)
    assert await stock(database) == [("tea", 1, 4)]
    async with database.connection() as connection:
        waiting = await connection.fetchval("SELECT count(*) FROM pieces WHERE state = 'recalled'")
    assert waiting == 1
