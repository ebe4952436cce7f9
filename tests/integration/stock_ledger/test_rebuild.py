"""`restock ledger rebuild` on real parts: the books are what movements and log make them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import orjson
import pytest
from tests.integration.stock_ledger.harness import Ledger, open_ledger
from tests.integration.stock_ledger.mixed import Mixed
from tests.integration.stock_ledger.tampering import restock_ledger, saved, tamper
from tests.support import read_records

from restock_common.contracts.topics import DEAD_LETTERS
from restock_common.errors import LogMismatch
from restock_common.settings import KafkaSettings
from restock_local.platform.base import Platform
from stock_ledger import store
from stock_ledger.audit import (
    Difference,
    Rebuilt,
    rebuild_from_log,
    rebuild_from_movements,
    verify,
)
from stock_ledger.domain.model import Account
from stock_ledger.stream import LedgerApplication

pytestmark = pytest.mark.kafka

SCHEMA = "restock_rebuild_test"
BOOKS = ("stock", "pieces", "claims", "movements", "shelves", "cursors", "journal", "alerts")


@pytest.fixture(scope="module")
async def mixed_url(platform: Platform) -> AsyncIterator[str]:
    """Return the URL of a database for all tests of this module."""
    name = f"rebuilt_{uuid4().hex}"
    yield await platform.new_database(name)
    await platform.databases.drop_database(name)


@pytest.fixture(scope="module")
async def mixed(kafka: KafkaSettings, mixed_url: str) -> AsyncIterator[Ledger]:
    """Return a ledger that was told a random history, in batches of a few records."""
    async with open_ledger(kafka, mixed_url) as ledger:
        ledger.stream = ledger.new_stream(max_records=7)
        await ledger.stream.start()
        await ledger.ready()
        await Mixed(ledger, seed=27).tell()
        yield ledger


@pytest.fixture
async def tampered(mixed: Ledger) -> AsyncIterator[Ledger]:
    """Return the same, put right again after the test."""
    async with saved(mixed, BOOKS):
        yield mixed


Rebuild = Callable[[Ledger], Awaitable[Rebuilt]]


async def from_movements(ledger: Ledger) -> Rebuilt:
    return await rebuild_from_movements(ledger.database, SCHEMA)


async def from_log(ledger: Ledger) -> Rebuilt:
    application = LedgerApplication(store)
    return await rebuild_from_log(ledger.database, ledger.kafka, application, SCHEMA)


async def schemas(ledger: Ledger) -> list[str]:
    rows = await ledger.fetch(
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'restock_rebuild_%'"
    )
    return [row["nspname"] for row in rows]


async def test_the_movements_make_the_balances(mixed: Ledger) -> None:
    rebuilt = await from_movements(mixed)
    assert rebuilt.differences == []
    assert rebuilt.compared["movements"] > 200
    assert rebuilt.compared["sums over all accounts"] == 2
    rows = await mixed.fetch("SELECT source FROM movements UNION SELECT target FROM movements")
    assert {row["source"] for row in rows} == set(Account), "a history in which each has a part"
    assert await schemas(mixed) == []


async def test_the_log_makes_the_books(mixed: Ledger) -> None:
    rebuilt = await from_log(mixed)
    assert rebuilt.differences == []
    empty = {table for table, rows in rebuilt.compared.items() if rows == 0}
    assert empty <= {"serials", "skus", "locations"}, "every other table has rows to compare"
    letters = await read_records(mixed.kafka, DEAD_LETTERS)
    assert len(letters) > 5, "what was set aside is set aside again: sequences count it"
    verdicts = await verify(mixed.database, mixed.kafka)
    assert [verdict.finding for verdict in verdicts] == [None] * 4
    assert await schemas(mixed) == []


async def test_a_ledger_is_rebuilt_while_it_writes(mixed: Ledger) -> None:
    telling = asyncio.create_task(Mixed(mixed, seed=45).tell())
    while not telling.done():
        for rebuild in (from_movements, from_log):
            assert (await rebuild(mixed)).differences == []
    await telling


@pytest.mark.parametrize("rebuild", [from_movements, from_log])
async def test_a_changed_balance_is_named(tampered: Ledger, rebuild: Rebuild) -> None:
    (row,) = await tampered.fetch("SELECT * FROM stock ORDER BY sku, location, lot LIMIT 1")
    key = {name: row[name] for name in ("sku", "location", "lot", "shard")}
    await tamper(
        tampered,
        f"UPDATE stock SET free = free + 3 WHERE sku = '{row['sku']}'"
        f" AND location = '{row['location']}' AND lot = '{row['lot']}'",
    )
    found = (await rebuild(tampered)).differences
    first = found[0]
    assert first.where.items() >= key.items()
    assert first.stored is not None
    assert first.rebuilt is not None
    (name,) = first.stored
    assert first.stored[name] == first.rebuilt[name] + 3 == row["free"] + 3
    if rebuild is from_movements:
        assert first.where["account"] == "free"
        assert found[1:] == [
            Difference(
                "sums over all accounts", {"shard": row["shard"]}, {"units": 3}, {"units": 0}
            )
        ]


@pytest.mark.parametrize("rebuild", [from_movements, from_log])
async def test_a_changed_movement_is_named(tampered: Ledger, rebuild: Rebuild) -> None:
    (row,) = await tampered.fetch(
        "SELECT * FROM movements WHERE target = 'reserved' ORDER BY id LIMIT 1"
    )
    await tamper(tampered, f"UPDATE movements SET units = units + 1 WHERE id = {row['id']}")
    found = (await rebuild(tampered)).differences
    if rebuild is from_log:
        (one,) = found
        assert (one.what, one.where["shard"]) == ("movements", row["shard"])
        assert (one.stored, one.rebuilt) == ({"units": row["units"] + 1}, {"units": row["units"]})
    else:
        accounts = {one.where["account"]: one for one in found if one.what == "balances"}
        assert set(accounts) == {"reserved", row["source"]}
        assert accounts["reserved"].where["sku"] == row["sku"]


async def test_a_removed_movement_is_where_the_rest_moves_up(tampered: Ledger) -> None:
    (row,) = await tampered.fetch("SELECT max(id) AS id FROM movements WHERE shard = 1")
    await tamper(tampered, f"DELETE FROM movements WHERE id = {row['id']}")
    (one,) = (await from_log(tampered)).differences
    assert (one.what, one.stored) == ("movements", None)


@pytest.mark.parametrize("rebuild", [from_movements, from_log])
async def test_a_changed_piece_is_named(tampered: Ledger, rebuild: Rebuild) -> None:
    (row,) = await tampered.fetch("SELECT * FROM pieces WHERE state = 'reserved' LIMIT 1")
    await tamper(
        tampered,
        "UPDATE pieces SET state = 'cancelled'"
        f" WHERE order_id = '{row['order_id']}' AND offer = '{row['offer']}'"
        f" AND shard = {row['shard']} AND number = {row['number']}",
    )
    (one,) = (await rebuild(tampered)).differences
    assert one.what == "pieces"
    if rebuild is from_log:
        assert (one.stored, one.rebuilt) == ({"state": "cancelled"}, {"state": "reserved"})
    else:
        assert (one.where["sku"], one.where["account"]) == (row["sku"], "reserved")


async def test_a_claim_that_was_never_made_and_one_that_is_gone(tampered: Ledger) -> None:
    await tamper(
        tampered,
        "INSERT INTO claims SELECT 'aaa', offer, shard, state, since, placed, traceparent,"
        " return_expected, revision, expires_at FROM claims ORDER BY order_id DESC LIMIT 1",
        "DELETE FROM claims WHERE order_id = (SELECT max(order_id) FROM claims)",
    )
    first, *others = (await from_log(tampered)).differences
    assert (first.what, first.where["order_id"], first.rebuilt) == ("claims", "aaa", None)
    assert {one.stored for one in others} == {None}


async def test_a_head_that_the_log_does_not_lead_to_is_named(tampered: Ledger) -> None:
    await tamper(
        tampered, "UPDATE cursors SET head = decode(repeat('00', 32), 'hex') WHERE partition = 1"
    )
    (one,) = (await from_log(tampered)).differences
    assert (one.what, one.where["partition"]) == ("cursors", 1)
    assert one.stored == {"head": bytes(32)}


async def test_another_log_is_refused(tampered: Ledger) -> None:
    await tamper(tampered, "UPDATE cursors SET log_identity = 'another' WHERE partition = 0")
    with pytest.raises(LogMismatch, match="was built from log another"):
        await from_log(tampered)
    await tamper(tampered, "UPDATE cursors SET next_offset = 1000000 WHERE partition = 0")
    with pytest.raises(LogMismatch, match="stands at offset 1000000"):
        await from_log(tampered)
    assert await schemas(tampered) == []


async def test_the_command_says_what_it_found(tampered: Ledger, mixed_url: str) -> None:
    database = ("--database-url", mixed_url)
    code, out, _ = await restock_ledger("rebuild", *database)
    assert (code, out.splitlines()[-1]) == (0, b"Identical.")
    broker = ("--kafka", tampered.kafka.kafka_bootstrap)
    code, out, err = await restock_ledger("rebuild", *database, "--from", "log", *broker, "--json")
    assert (code, orjson.loads(out)["identical"]) == (0, True)
    assert b"comparing movements" in err
    await tamper(tampered, "UPDATE stock SET damaged = damaged + 1")
    code, out, _ = await restock_ledger("rebuild", *database, "--keep")
    assert code == 1
    assert b"the ledger has units=1, rebuilt is units=0" in out
    (kept,) = await schemas(tampered)
    assert f"The rebuilt books are in the schema {kept}." in out.decode()
    await tamper(tampered, f"DROP SCHEMA {kept} CASCADE")
    code, _, err = await restock_ledger("rebuild", *database, "--from", "log")
    assert code == 2
    assert b"--kafka" in err
