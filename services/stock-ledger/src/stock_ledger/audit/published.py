"""Compares a ledger's journal with what stands on the topics it has published on."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from restock_common.contracts.dead_letters import DeadLetter
from restock_common.contracts.envelope import Record
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.errors import shown
from restock_common.postgres import Connection, as_entry
from restock_common.transact import Cursor, JournalEntry, Partition, canonical, next_head
from stock_ledger.audit.chain import Fault, Finding
from stock_ledger.audit.journal import KEPT_ENTRIES, batch_before, entries

_COUNTER = re.compile(rb"[0-9]{1,19}")
_NOT_KEPT = {kind.type_name() for kind in (TimeAdvanced, DeadLetter)}


@dataclass(frozen=True, slots=True)
class Published:
    """A record that the ledger has published.

    Attributes:
        entry: The record as an entry of the journal.
        head: The chain's head that came with it, as hex digits; None where none did.
        place: Where it stands.
    """

    entry: JournalEntry
    head: str | None
    place: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A published record that the journal does not agree with."""

    fault: Fault
    sequence: int
    detail: str


@dataclass(slots=True)
class Shard:
    """What the topics say of one shard's journal.

    Attributes:
        cursor: Where its writer stood when the journal was read.
        finding: The first place where the journal disagrees with itself; what comes after it is
            not compared.
        entries: How many published entries have been compared.
        heads: And how many published heads.
        wrong_entry: The first published entry that is not in the journal as it was published.
        wrong_head: The first published head that the journal does not lead to.
        newest: The published entry with the highest sequence.
    """

    cursor: Cursor
    finding: Finding | None = None
    entries: int = 0
    heads: int = 0
    wrong_entry: Difference | None = None
    wrong_head: Difference | None = None
    newest: Published | None = None

    @property
    def end(self) -> int:
        """The sequence after the last one that is compared."""
        next_sequence = self.cursor.next_sequence
        if self.finding is None:
            return next_sequence
        return min(next_sequence, self.finding.last_sequence + 1)

    @property
    def sound_end(self) -> int:
        """The sequence after the last one up to which the journal agrees with itself."""
        return self.cursor.next_sequence if self.finding is None else self.finding.first_sequence


@dataclass(slots=True)
class Comparison:
    """The journals of some shards beside the topics; some records at a time.

    Args:
        connection: Sees the journals as they were when the cursors were read.
        shards: The shards to compare, by source.
    """

    connection: Connection
    shards: Mapping[str, Shard]
    _waiting: dict[str, list[Published]] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Note a record for the next `compare`, if a shard has published it."""
        source, published = _published(record)
        shard = self.shards.get(source)
        if shard is None or published is None:
            return
        newest = shard.newest
        if newest is None or published.entry.sequence > newest.entry.sequence:
            shard.newest = published
        if published.entry.kept and published.entry.sequence < shard.end:
            self._waiting.setdefault(source, []).append(published)

    @property
    def waiting(self) -> int:
        """How many records have been taken and not compared."""
        return sum(map(len, self._waiting.values()))

    async def compare(self) -> None:
        """Compare what has been taken with the journals."""
        for source, published in self._waiting.items():
            shard = self.shards[source]
            await self._compare_entries(shard, published)
            heads = [one for one in published if one.head and one.entry.sequence < shard.sound_end]
            await self._compare_heads(shard, heads)
        self._waiting.clear()

    async def _compare_entries(self, shard: Shard, published: Sequence[Published]) -> None:
        rows = await self.connection.fetch(
            f"{KEPT_ENTRIES} AND sequence = ANY($3)",
            shard.cursor.partition.topic,
            shard.cursor.partition.number,
            [one.entry.sequence for one in published],
        )
        journal = {row["sequence"]: row for row in rows}
        for one in published:
            shard.entries += 1
            difference = _difference(one, journal.get(one.entry.sequence))
            if difference is not None:
                shard.wrong_entry = _first(shard.wrong_entry, difference)

    async def _compare_heads(self, shard: Shard, published: Sequence[Published]) -> None:
        partition = shard.cursor.partition
        rows = await self.connection.fetch(
            "SELECT last_sequence, head FROM batches"
            " WHERE source_topic = $1 AND source_partition = $2 AND last_sequence = ANY($3)",
            partition.topic,
            partition.number,
            [one.entry.sequence for one in published],
        )
        heads = {row["last_sequence"]: row["head"] for row in rows}
        for one in published:
            shard.heads += 1
            sequence = one.entry.sequence
            head = heads.get(sequence) or await _head_at(self.connection, partition, sequence)
            if head.hex() != one.head:
                detail = (
                    f"the journal leads to the head {head.hex()} at sequence {sequence};"
                    f" {one.head} was published at {one.place}, incarnation {one.entry.incarnation}"
                )
                difference = Difference(Fault.PUBLISHED, sequence, detail)
                shard.wrong_head = _first(shard.wrong_head, difference)


def _published(record: Record) -> tuple[str, Published | None]:
    """Return who published a record, and what; nothing where it names no place in a journal."""
    headers = dict(record.headers)

    def attribute(name: str) -> str | None:
        value = headers.get(name)
        return None if value is None else value.decode(errors="replace")

    source = attribute("ce_source") or ""
    sequence, incarnation = (
        _number(headers.get("ce_sequence")),
        _number(headers.get("ce_incarnation")),
    )
    if sequence is None or incarnation is None:
        return source, None
    event_type = attribute("ce_type") or ""
    entry = JournalEntry(
        sequence=sequence,
        topic=record.topic,
        partition=record.partition,
        key=record.key,
        id=attribute("ce_id") or "",
        type=event_type,
        time=attribute("ce_time") or "",
        cause=attribute("ce_causationid"),
        traceparent=attribute("traceparent"),
        incarnation=incarnation,
        body=record.value or b"",
        kept=event_type not in _NOT_KEPT,
    )
    place = f"{record.topic}/{record.partition} offset {record.offset}"
    return source, Published(entry, attribute("ce_chainhead"), place)


def _number(text: bytes | None) -> int | None:
    return int(text) if text is not None and _COUNTER.fullmatch(text) else None


def _difference(one: Published, row: Mapping[str, Any] | None) -> Difference | None:
    identity = _identity(one.entry)
    if row is None:
        detail = f"{identity}, published at {one.place}, is not in the journal"
        return Difference(Fault.REMOVED, one.entry.sequence, detail)
    entry = as_entry(row)
    if canonical(entry) == canonical(one.entry):
        return None
    detail = (
        f"entry {entry.sequence}: published at {one.place} was {identity}"
        f" {_text(one.entry)}; the journal has {_identity(entry)} {_text(entry)}"
        f" for {entry.topic}/{entry.partition}"
    )
    return Difference(Fault.CHANGED, entry.sequence, detail)


def _identity(entry: JournalEntry) -> str:
    return f"{entry.type or '?'} {entry.id or '?'}"


def _text(entry: JournalEntry) -> str:
    return str(shown(entry.body.decode(errors="replace")))


def _first(known: Difference | None, other: Difference) -> Difference:
    return other if known is None or other.sequence < known.sequence else known


async def _head_at(connection: Connection, partition: Partition, sequence: int) -> bytes:
    """Return the head after a sequence at which no batch ends any more, as after a restore."""
    before = await batch_before(connection, partition, sequence)
    head = before.head
    async for entry in entries(connection, partition, after=before.last_sequence, up_to=sequence):
        head = next_head(head, entry)
    return head
