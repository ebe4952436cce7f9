"""`restock ledger verify`: each shard's history against its hash chain and what was published."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from restock_common.contracts.topics import DEAD_LETTERS, DEMAND, FULFILMENT, LEDGER, SHARDS, STOCK
from restock_common.kafka import read_to_end
from restock_common.postgres import Connection, Database
from restock_common.settings import KafkaSettings
from restock_common.transact import Cursor, Partition, Writer
from stock_ledger.audit.chain import Batch, Fault, Finding, Walk
from stock_ledger.audit.journal import (
    batch_before,
    batch_with,
    batches,
    cursor_of,
    entries,
)
from stock_ledger.audit.published import Comparison, Difference, Shard
from stock_ledger.stream import SERVICE

PUBLISHED_ON = (LEDGER, STOCK, FULFILMENT, DEMAND, DEAD_LETTERS)

_COMPARED_AT_ONCE = 2_000
_TELL_EVERY_ENTRIES = 100_000

Tell = Callable[[str], None]
"""Where progress is told."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one shard's history.

    Attributes:
        shard: Which one.
        incarnation: Of its database.
        next_offset: Up to which offset of the ledger topic its history was looked at.
        last_sequence: And up to which entry of its journal.
        head: The chain's head there, as its writer has it: hex digits.
        entries: Kept entries that were walked over.
        batches: Batches that were compared with their stored heads.
        published_entries: Entries that were compared with what stands on the topics.
        published_heads: Heads that were.
        finding: The first bad batch; None where all is as it was written.
    """

    shard: int
    incarnation: int
    next_offset: int
    last_sequence: int
    head: str
    entries: int
    batches: int
    published_entries: int
    published_heads: int
    finding: Finding | None


async def verify(
    database: Database,
    kafka: KafkaSettings | None,
    *,
    shards: Sequence[int] = range(SHARDS),
    tell: Tell = lambda _: None,
) -> list[Verdict]:
    """Return a verdict on each shard, as of one moment; its service may be running.

    Args:
        database: The ledger's.
        kafka: Where it publishes; without it, a history that was rewritten as a whole, heads
            and all, does not show.
        shards: Which ones to look at.
        tell: Told how far it is.
    """
    async with database.snapshot() as snapshot:
        walks: dict[int, Walk] = {}
        looked: dict[int, Shard] = {}
        for shard in shards:
            walks[shard] = Walk(shard)
            looked[shard] = await _walk(snapshot, walks[shard], shard, tell)
        if kafka is not None:
            await _compare(snapshot, kafka, looked, tell)
            # Anything that is published has been committed before: so ask for the end again.
            async with database.connection() as now:
                for found in looked.values():
                    cursor = await cursor_of(now, found.cursor.partition)
                    found.finding = await _combine(snapshot, found, cursor)
    return [_verdict(shard, walks[shard], found) for shard, found in looked.items()]


async def _walk(connection: Connection, walk: Walk, shard: int, tell: Tell) -> Shard:
    """Walk over a shard's journal, up to its end or its first fault."""
    partition = Partition(LEDGER.name, shard)
    cursor = await cursor_of(connection, partition)
    rest = entries(connection, partition)
    entry = await anext(rest, None)
    async for batch in batches(connection, partition):
        while entry is not None and entry.sequence <= batch.last_sequence:
            walk.take(entry)
            if walk.entries % _TELL_EVERY_ENTRIES == 0:
                tell(f"shard {shard}: {walk.entries:,} entries")
            entry = await anext(rest, None)
        finding = walk.end_batch(batch)
        if finding is not None:
            return Shard(cursor, finding)
    while entry is not None:
        walk.take(entry)
        entry = await anext(rest, None)
    return Shard(cursor, walk.end(cursor))


async def _compare(
    connection: Connection, kafka: KafkaSettings, looked: dict[int, Shard], tell: Tell
) -> None:
    """Compare with all that is left on the topics."""
    writer = Writer(SERVICE, lambda _topic, _key: 0)
    sources = {writer.source(shard.cursor.partition): shard for shard in looked.values()}
    comparison = Comparison(connection, sources)
    for topic in PUBLISHED_ON:
        records = 0
        async for record in read_to_end(kafka, topic):
            comparison.take(record)
            records += 1
            if comparison.waiting >= _COMPARED_AT_ONCE:
                await comparison.compare()
            if records % _TELL_EVERY_ENTRIES == 0:
                tell(f"{topic.name}: {records:,} records")
        await comparison.compare()


async def _combine(snapshot: Connection, shard: Shard, now: Cursor) -> Finding | None:
    """Return the earliest of what the journal and the topics have shown.

    Where both speak of one batch, the topics name the entry, and the journal knows what was done
    to it, unless that could be several things.
    """
    own = shard.finding
    told = await _located(snapshot, shard, shard.wrong_entry)
    if own is not None and told is not None and own.first_sequence == told.first_sequence:
        fault = told.fault if own.fault is Fault.CHANGED else own.fault
        return replace(own, fault=fault, detail=f"{told.detail}; {own.detail}")
    found = [
        finding
        for finding in (told, own, await _located(snapshot, shard, shard.wrong_head))
        if finding is not None
    ]
    if found:
        return min(found, key=lambda finding: finding.first_sequence)
    newest = shard.newest
    if newest is None or newest.entry.sequence < now.next_sequence:
        return None
    return Finding(
        shard=now.partition.number,
        fault=Fault.CUT,
        first_sequence=now.next_sequence,
        last_sequence=newest.entry.sequence,
        first_offset=now.next_offset,
        last_offset=None,
        detail=(
            f"sequence {newest.entry.sequence} was published at {newest.place} (incarnation"
            f" {newest.entry.incarnation}); the journal's next one is {now.next_sequence}"
        ),
    )


async def _located(
    snapshot: Connection, shard: Shard, difference: Difference | None
) -> Finding | None:
    """Return a difference with the batch that it is in."""
    if difference is None:
        return None
    cursor = shard.cursor
    before = await batch_before(snapshot, cursor.partition, difference.sequence)
    batch = await batch_with(snapshot, cursor.partition, difference.sequence) or Batch(
        cursor.next_sequence - 1, 0, cursor.next_offset, cursor.head
    )
    return Finding(
        shard=cursor.partition.number,
        fault=difference.fault,
        first_sequence=before.last_sequence + 1,
        last_sequence=batch.last_sequence,
        first_offset=before.next_offset,
        last_offset=max(batch.next_offset - 1, before.next_offset),
        detail=difference.detail,
    )


def _verdict(number: int, walk: Walk, shard: Shard) -> Verdict:
    return Verdict(
        shard=number,
        incarnation=shard.cursor.incarnation,
        next_offset=shard.cursor.next_offset,
        last_sequence=shard.cursor.next_sequence - 1,
        head=shard.cursor.head.hex(),
        entries=walk.entries,
        batches=walk.batches,
        published_entries=shard.entries,
        published_heads=shard.heads,
        finding=shard.finding,
    )
