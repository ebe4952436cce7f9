"""`restock ledger verify` on real parts: a sound history is, and whatever is done to one shows."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import orjson
import pytest
from tests.integration.stock_ledger.harness import Ledger, open_ledger
from tests.integration.stock_ledger.tampering import restock_ledger, saved, tamper
from tests.support import until
from tests.unit.stock_ledger.building import cancelled, counted, order, received, sourcing, time

from restock_common.contracts import Event
from restock_common.contracts.topics import LEDGER, SHARDS
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition, next_head
from restock_local.platform.base import Platform
from stock_ledger.audit import Fault, Finding, verify
from stock_ledger.audit.journal import batches, entries

pytestmark = pytest.mark.kafka

NORTH = sourcing("north", ["n1", "n2"], shard=0)
SOUTH = sourcing("south", ["s1"], shard=1)
BATCH_RECORDS = 3


def history() -> list[Event]:
    """Return what the first shard is told; the second one answers an offer."""
    return [
        counted("c1", "n1", ("tea", 5), ("cup", 9)),
        *(order(f"o{n}", ("tea", 1), ("cup", 1), pools=(NORTH, SOUTH), minute=n) for n in range(7)),
        time(10),
        cancelled("o3"),
        received("r1", "n2", ("tea", 4)),
        time(20),
    ]


@pytest.fixture(scope="module")
async def written_url(platform: Platform) -> AsyncIterator[str]:
    """Return the URL of a database for all tests of this module."""
    name = f"verified_{uuid4().hex}"
    yield await platform.new_database(name)
    await platform.databases.drop_database(name)


@pytest.fixture(scope="module")
async def written(kafka: KafkaSettings, written_url: str) -> AsyncIterator[Ledger]:
    """Return a ledger with a history in small batches, for all tests of this module."""
    async with open_ledger(kafka, written_url) as ledger:
        ledger.stream = ledger.new_stream(max_records=BATCH_RECORDS)
        await ledger.stream.start()
        await ledger.ready()
        await ledger.send(0, *history())
        await ledger.send(1, counted("c2", "s1", ("tea", 9), pool="south"), time(10))
        await settled(ledger)
        yield ledger


@pytest.fixture
async def tampered(written: Ledger) -> AsyncIterator[Ledger]:
    """Return the same, put right again after the test."""
    async with saved(written, ("journal", "batches", "cursors")):
        yield written


async def settled(ledger: Ledger) -> None:
    """Wait until all has been published, and what is not kept is gone."""
    await ledger.quiet()

    async def gone() -> bool:
        (row,) = await ledger.fetch("SELECT count(*) AS rows FROM journal WHERE NOT kept")
        return bool(row["rows"] == 0)

    await until(gone, what="time that was passed on is gone")


async def findings(ledger: Ledger, kafka: KafkaSettings | None) -> dict[int, Finding]:
    verdicts = await verify(ledger.database, kafka)
    assert [verdict.shard for verdict in verdicts] == list(range(SHARDS))
    return {verdict.shard: verdict.finding for verdict in verdicts if verdict.finding}


async def all_batches(ledger: Ledger) -> list[dict[str, Any]]:
    return await ledger.fetch(
        "SELECT last_sequence, next_offset FROM batches WHERE source_partition = 0"
        " ORDER BY last_sequence"
    )


async def test_a_sound_history_is_sound(written: Ledger) -> None:
    first, second, *_ = await verify(written.database, written.kafka)
    assert first.finding is second.finding is None
    assert first.batches > 3
    assert first.entries == first.published_entries > 20, "each was published, none is kept back"
    assert first.batches <= first.published_heads
    assert await findings(written, None) == {}


async def test_a_ledger_is_verified_while_it_writes(written: Ledger) -> None:
    more = [order(f"more-{n}", ("cup", 1), pools=(NORTH, SOUTH), minute=30) for n in range(60)]
    sending = asyncio.create_task(written.send(0, *more))
    for _ in range(5):
        assert await findings(written, written.kafka) == {}
    await sending
    await settled(written)


async def test_a_changed_entry_is_named(tampered: Ledger) -> None:
    third = (await all_batches(tampered))[2]
    before = (await all_batches(tampered))[1]
    await tamper(
        tampered,
        "UPDATE journal SET body = convert_to(replace(convert_from(body, 'UTF8'), '1', '2'),"
        f" 'UTF8') WHERE source_partition = 0 AND sequence = {third['last_sequence']}",
    )
    (found,) = (await findings(tampered, None)).values()
    assert found.fault is Fault.CHANGED
    assert (found.shard, found.first_sequence, found.last_sequence) == (
        0,
        before["last_sequence"] + 1,
        third["last_sequence"],
    )
    assert (found.first_offset, found.last_offset) == (
        before["next_offset"],
        third["next_offset"] - 1,
    )
    (named,) = (await findings(tampered, tampered.kafka)).values()
    assert (named.fault, named.first_sequence) == (Fault.CHANGED, found.first_sequence)
    assert f"entry {third['last_sequence']}: published at restock." in named.detail


async def test_a_removed_entry_is_named(tampered: Ledger) -> None:
    rows = await tampered.fetch("SELECT sequence FROM journal WHERE source_partition = 0")
    gone = sorted(row["sequence"] for row in rows)[7]
    await tamper(tampered, f"DELETE FROM journal WHERE source_partition = 0 AND sequence = {gone}")
    for kafka in (None, tampered.kafka):
        (found,) = (await findings(tampered, kafka)).values()
        assert found.fault is Fault.REMOVED
        assert found.first_sequence <= gone <= found.last_sequence
    assert "is not in the journal" in found.detail


async def test_an_inserted_entry_is_named(tampered: Ledger) -> None:
    """Where time was passed on, a number is free."""
    (row,) = await tampered.fetch(
        "SELECT min(n) AS n FROM generate_series(1, (SELECT max(sequence) FROM journal"
        " WHERE source_partition = 0)) AS n WHERE NOT EXISTS (SELECT FROM journal"
        " WHERE source_partition = 0 AND sequence = n)"
    )
    await tamper(
        tampered,
        "INSERT INTO journal SELECT source_topic, source_partition,"
        f" {row['n']}, topic, partition, key, id, type, time, cause,"
        " traceparent, incarnation, body, kept FROM journal"
        " WHERE source_partition = 0 AND sequence = 1",
    )
    for kafka in (None, tampered.kafka):
        (found,) = (await findings(tampered, kafka)).values()
        assert found.fault is Fault.INSERTED
        assert found.first_sequence <= row["n"] <= found.last_sequence


async def test_a_history_that_was_rewritten_as_a_whole_differs_from_the_published(
    tampered: Ledger,
) -> None:
    """Someone who knows how the chain is made makes it anew: only what is out shows it."""
    changed = (await all_batches(tampered))[1]["last_sequence"]
    await tamper(
        tampered,
        "UPDATE journal SET body = convert_to('{}', 'UTF8')"
        f" WHERE source_partition = 0 AND sequence = {changed}",
    )
    shard = Partition(LEDGER.name, 0)
    async with tampered.database.transaction() as connection:
        heads, head = {}, bytes(32)
        async for entry in entries(connection, shard):
            head = heads[entry.sequence] = next_head(head, entry)
        ends = [batch.last_sequence async for batch in batches(connection, shard)]
        for end in ends:
            await connection.execute(
                "UPDATE batches SET head = $1 WHERE source_partition = 0 AND last_sequence = $2",
                heads[end],
                end,
            )
        await connection.execute("UPDATE cursors SET head = $1 WHERE partition = 0", head)
    assert await findings(tampered, None) == {}
    (found,) = (await findings(tampered, tampered.kafka)).values()
    assert found.fault is Fault.CHANGED
    assert found.last_sequence == changed


async def test_a_changed_head_is_told_from_a_changed_entry(tampered: Ledger) -> None:
    batch = (await all_batches(tampered))[1]
    await tamper(
        tampered,
        "UPDATE batches SET head = decode(repeat('ab', 32), 'hex')"
        f" WHERE source_partition = 0 AND last_sequence = {batch['last_sequence']}",
    )
    for kafka in (None, tampered.kafka):
        (found,) = (await findings(tampered, kafka)).values()
        assert (found.fault, found.last_sequence) == (Fault.BATCH, batch["last_sequence"])


async def test_a_history_that_was_cut_ends_before_the_published(tampered: Ledger) -> None:
    """The last batches are gone, and the cursor is set back as if they had never been."""
    last = (await all_batches(tampered))[-3]
    cut = last["last_sequence"]
    await tamper(
        tampered,
        f"DELETE FROM journal WHERE source_partition = 0 AND sequence > {cut}",
        f"DELETE FROM batches WHERE source_partition = 0 AND last_sequence > {cut}",
    )
    for kafka in (None, tampered.kafka):
        (found,) = (await findings(tampered, kafka)).values()
        assert (found.fault, found.first_sequence) == (Fault.CUT, cut + 1)
        assert found.first_offset == last["next_offset"]
    await tamper(
        tampered,
        f"UPDATE cursors SET next_sequence = {cut + 1}, published_sequence = {cut},"
        f" next_offset = {last['next_offset']}, head = (SELECT head FROM batches"
        f" WHERE source_partition = 0 AND last_sequence = {cut}) WHERE partition = 0",
    )
    assert await findings(tampered, None) == {}
    (found,) = (await findings(tampered, tampered.kafka)).values()
    assert (found.fault, found.first_sequence) == (Fault.CUT, cut + 1)
    assert found.last_offset is None


async def test_the_command_says_what_it_found(tampered: Ledger, written_url: str) -> None:
    broker = ("--kafka", tampered.kafka.kafka_bootstrap)
    code, out, _ = await restock_ledger("verify", "--database-url", written_url, *broker)
    assert code == 0
    assert out.decode().count(": sound: ") == SHARDS
    await tamper(tampered, "DELETE FROM journal WHERE source_partition = 1")
    only = ("--shard", "1", "--json")
    code, out, _ = await restock_ledger("verify", "--database-url", written_url, *only)
    assert code == 1
    (verdict,) = orjson.loads(out)
    assert verdict["shard"] == 1
    assert verdict["finding"]["fault"] == Fault.REMOVED
    code, out, err = await restock_ledger(
        "verify", "--database-url", "postgresql://nobody@127.0.0.1:1/nothing"
    )
    assert (code, out) == (2, b"")
    assert b"Cannot look: PostgreSQL does not answer" in err
