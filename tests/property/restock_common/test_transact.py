"""However batches are cut, crash and come again: each effect once, each event out in order.

The reader downstream sees what a real one would: some prefix of the journal, published again from
the last mark after each crash. It passes over positions that it has seen.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json
from tests.unit.restock_common.memory import (
    NINE,
    SHARD,
    UNLUCKY,
    WRITER,
    Booking,
    Crash,
    MemoryInbox,
    cancelled,
    placed,
    raw_record,
    record,
)

from restock_common.contracts import TYPES
from restock_common.contracts.envelope import Position, Record, decode
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.errors import Transient
from restock_common.transact import JournalEntry, next_head, transact


@dataclass(frozen=True)
class Take:
    """Read some records, possibly some that were taken before; the commit may fail."""

    size: int
    again: int
    crash: Crash | None


@dataclass(frozen=True)
class Publish:
    """Send some of the journal; a relay that dies does not note how far it came."""

    size: int
    dies: bool


@dataclass(frozen=True)
class TakeOver:
    """Another process becomes the writer."""


Entry = tuple[str, list[int], int]
"""What comes in: its kind, its quantities, and how many records before it come again."""

takes = st.builds(Take, st.integers(1, 6), st.integers(0, 4), st.none() | st.sampled_from(Crash))
steps = st.lists(
    takes | st.builds(Publish, st.integers(0, 8), st.booleans()) | st.builds(TakeOver),
    max_size=12,
)
quantities = st.lists(st.sampled_from([1, 2, UNLUCKY]), min_size=1, max_size=3)
sent: st.SearchStrategy[Entry] = st.one_of(
    st.tuples(st.just("order"), quantities, st.integers(0, 3)),
    st.tuples(st.just("cancel"), st.just([]), st.just(0)),
    st.tuples(st.just("noise"), st.just([]), st.just(0)),
    st.tuples(st.just("time"), st.just([]), st.just(0)),
)


def log_of(entries: list[Entry]) -> list[Record]:
    """Return a log in which a publisher has repeated some of its last records."""
    log: list[Record] = []
    for number, (kind, lines, repeats) in enumerate(entries, 1):
        if kind == "order":
            again = [r for r in log[-repeats:] if repeats and r.headers and r.value][:repeats]
            for old in again:
                log.append(raw_record(len(log), old.value, old.headers))
            order = placed(f"o-{number}", *lines)
            log.append(record(len(log), order, identity=f"m-{number}", position=(1, number)))
        elif kind == "cancel":
            log.append(record(len(log), cancelled(f"o-{number}"), position=(1, number)))
        elif kind == "time":
            until = NINE + timedelta(hours=number)
            log.append(record(len(log), TimeAdvanced(until=until), source="/clock"))
        else:
            log.append(raw_record(len(log), b"noise"))
    return log


@dataclass
class Chain:
    """One service between its log and the topics it publishes on."""

    log: list[Record]
    inbox: MemoryInbox = field(default_factory=MemoryInbox)
    sent: list[JournalEntry] = field(default_factory=list)
    marked: int = 0

    def __post_init__(self) -> None:
        self.inbox.take_over()

    async def take(self, step: Take) -> None:
        start = max(0, self.inbox.cursor.next_offset - step.again)
        self.inbox.crash = step.crash
        cursor = self.inbox.cursor
        try:
            await transact(
                self.inbox,
                Booking(),
                WRITER,
                SHARD,
                cursor.epoch,
                self.log[start : start + step.size],
            )
        except Transient:
            assert step.crash is not None

    def publish(self, step: Publish) -> None:
        entries = [e for e in self.inbox.journal if e.sequence > self.marked][: step.size]
        self.sent.extend(entries)
        if entries and not step.dies:
            self.marked = entries[-1].sequence

    async def run(self, steps: list[Take | Publish | TakeOver]) -> None:
        for step in steps:
            match step:
                case Take():
                    await self.take(step)
                case Publish():
                    self.publish(step)
                case TakeOver():
                    self.inbox.take_over()
        while self.inbox.cursor.next_offset < len(self.log):
            await self.take(Take(3, 0, None))
        self.publish(Publish(10_000, dies=False))


def read_downstream(sent: list[JournalEntry]) -> list[tuple[int, bytes]]:
    """Return what a reader keeps of all partitions, as (sequence, body) in the journal's order."""
    seen: dict[tuple[str, int], Position] = {}
    kept = []
    for entry in sent:
        place = (entry.topic, entry.partition)
        record = entry.record("/restock/test")
        read = Record(*place, 0, 0, record.key, record.body, record.headers)
        position = decode(read, TYPES).position
        assert position is not None
        if position > seen.get(place, Position(0, 0)):
            seen[place] = position
            kept.append((position.sequence, entry.body))
    return sorted(kept)


def written(chain: Chain) -> list[tuple[int, str, bytes | None, Any]]:
    """Return the journal; what is sealed is never sealed the same twice."""
    told = [(entry, from_json(entry.body)) for entry in chain.inbox.journal]
    return [
        (entry.sequence, entry.topic, entry.key, {**body, "sealed": None}) for entry, body in told
    ]


def heads_along(chain: Chain) -> dict[int, str]:
    """Return the chain's head after each kept entry."""
    head = bytes(32)
    along = {}
    for entry in chain.inbox.journal:
        if entry.kept:
            head = next_head(head, entry)
            along[entry.sequence] = head.hex()
    return along


def heads_told(chain: Chain) -> set[tuple[int, str]]:
    """Return the heads that went out, with the entries that they went out with."""
    return {(entry.sequence, entry.head.hex()) for entry in chain.sent if entry.head is not None}


@given(st.lists(sent, max_size=12), steps)
def test_each_effect_once_and_each_event_out_in_order(
    entries: list[Entry], steps: list[Take | Publish | TakeOver]
) -> None:
    log = log_of(entries)
    undisturbed, disturbed = Chain(log), Chain(log)
    asyncio.run(undisturbed.run([]))
    asyncio.run(disturbed.run(steps))

    assert disturbed.inbox.rows == undisturbed.inbox.rows
    assert set(disturbed.inbox.rows.values()) <= {1}
    journal = disturbed.inbox.journal
    assert [entry.sequence for entry in journal] == list(range(1, len(journal) + 1))
    assert read_downstream(disturbed.sent) == [(entry.sequence, entry.body) for entry in journal]
    assert written(disturbed) == written(undisturbed)
    assert disturbed.inbox.cursor.head == undisturbed.inbox.cursor.head
    assert heads_told(disturbed) <= set(heads_along(undisturbed).items())


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.text(max_size=8), st.binary(max_size=8)), max_size=4),
            st.none() | st.binary(max_size=40),
            st.none() | st.binary(max_size=8),
            st.integers(-1, 2**63 - 1),
        ),
        max_size=6,
    )
)
def test_no_record_stops_a_partition(
    raws: list[tuple[list[tuple[str, bytes]], bytes | None, bytes | None, int]],
) -> None:
    log = [
        raw_record(offset, value, headers, key=key, timestamp_ms=timestamp_ms)
        for offset, (headers, value, key, timestamp_ms) in enumerate(raws)
    ]
    chain = Chain(log)
    asyncio.run(chain.run([]))
    assert chain.inbox.cursor.next_offset == len(log)
    assert len(chain.inbox.journal) == len(log)
