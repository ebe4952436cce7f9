"""What is set aside: whole, sealed, never too large, and with nothing to read but where and why."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.restock_common.memory import (
    SHARD,
    WRITER,
    Booking,
    MemoryInbox,
    placed,
    raw_record,
    record,
)

from restock_common.contracts import TYPES, Event
from restock_common.contracts.dead_letters import MAX_KEPT_BYTES, DeadLetter
from restock_common.contracts.envelope import Message, Record, decode
from restock_common.contracts.topics import DEAD_LETTERS
from restock_common.transact import Enclosed, JournalEntry, Outcome, open_letter, transact


@pytest.fixture
def inbox() -> MemoryInbox:
    inbox = MemoryInbox()
    inbox.take_over()
    return inbox


def opened(letter: DeadLetter) -> Enclosed:
    assert WRITER.seal is not None
    held = open_letter(letter, WRITER.seal)
    assert held is not None
    return held


async def take(inbox: MemoryInbox, records: Iterable[Record], application: Any = None) -> Outcome:
    return await transact(
        inbox, application or Booking(), WRITER, SHARD, inbox.cursor.epoch, list(records)
    )


def read(entry: JournalEntry) -> Message[Event]:
    record = entry.record(WRITER.source(SHARD))
    return decode(
        Record(record.topic, record.partition, 0, 0, record.key, record.body, record.headers), TYPES
    )


async def test_a_record_that_cannot_be_read_becomes_a_dead_letter(inbox: MemoryInbox) -> None:
    bad = raw_record(1, b"{}", [("ce_id", b"\xff"), ("x", b"plain")], key=b"\x00\x01")
    outcome = await take(inbox, [record(0, placed("o-1", 1)), bad, record(2, placed("o-2", 1))])
    assert inbox.rows == {"o-1/1": 1, "o-2/1": 1}
    assert inbox.cursor.next_offset == 3
    entry = outcome.journal[1]
    assert (entry.topic, entry.partition) == (DEAD_LETTERS.name, 0)
    (letter,) = outcome.dead_letters
    assert read(entry).event == letter
    assert (letter.source_topic, letter.source_partition, letter.source_offset) == (
        SHARD.topic,
        SHARD.number,
        1,
    )
    assert letter.field == "header ce_id"
    assert letter.consumer == "test"
    held = opened(letter)
    assert held.reason == "is not UTF-8: b'\\xff'"
    assert held.headers == (("ce_id", b"\xff"), ("x", b"plain"))
    assert (held.body, held.key, held.whole) == (b"{}", b"\x00\x01", True)


async def test_a_dead_letter_keeps_the_start_of_a_large_body(inbox: MemoryInbox) -> None:
    body = b"x" * (MAX_KEPT_BYTES + 10)
    (letter,) = (await take(inbox, [raw_record(0, body)])).dead_letters
    held = opened(letter)
    assert (held.body, held.whole) == (body[:MAX_KEPT_BYTES], False)
    assert letter.body_bytes == len(body)


async def test_without_a_key_a_dead_letter_holds_nothing_of_the_record(inbox: MemoryInbox) -> None:
    bad = raw_record(0, b"anna@example.org", [("ce_id", b"\xff"), ("x", b"Anna")], key=b"Anna")
    writer = replace(WRITER, seal=None)
    outcome = await transact(inbox, Booking(), writer, SHARD, inbox.cursor.epoch, [bad])
    (letter,) = outcome.dead_letters
    assert (letter.sealed, letter.reason, letter.body_bytes) == (None, "is not UTF-8", 16)
    assert b"nna" not in outcome.journal[0].body


async def test_a_dead_letter_is_no_part_of_the_chain(inbox: MemoryInbox) -> None:
    """It is never encrypted to the same bytes twice, and the journal is kept for ever."""
    head = inbox.cursor.head
    outcome = await take(inbox, [raw_record(0, b"?")])
    assert [entry.kept for entry in outcome.journal] == [False]
    assert inbox.cursor.head == head


@pytest.mark.parametrize(
    "bad",
    [
        raw_record(0, b"?", [("x", b"\x00" * 2_000_000)]),
        raw_record(0, b"?", [("x" * 10, b"")] * 100_000),
        raw_record(0, b"?", [("\x00" * 2_000_000, b"")]),
        raw_record(0, b"\x00" * 2_000_000, key=b"k" * 2_000_000),
        raw_record(0, b"?", [("ce_specversion", b"1.0"), ("ce_type", b'"' * 2_000_000)]),
    ],
)
async def test_a_dead_letter_always_fits_in_a_record(inbox: MemoryInbox, bad: Record) -> None:
    """One that does not would be published again and again, and nothing after it ever."""
    (entry,) = (await take(inbox, [bad])).journal
    assert len(entry.body) < DEAD_LETTERS.max_message_bytes // 2


async def test_a_dead_letter_has_the_same_id_whenever_it_is_made() -> None:
    entries = []
    for _ in range(2):
        inbox = MemoryInbox()
        inbox.take_over()
        entries.append((await take(inbox, [raw_record(0, b"?")])).journal[0])
    assert read(entries[0]).id == read(entries[1]).id


@pytest.mark.parametrize("timestamp_ms", [-1, 0, 2**62])
async def test_any_timestamp_can_be_set_aside(inbox: MemoryInbox, timestamp_ms: int) -> None:
    """The producer chooses it: an impossible one must not stop the partition."""
    outcome = await take(inbox, [raw_record(0, b"?", timestamp_ms=timestamp_ms)])
    assert len(outcome.dead_letters) == 1
