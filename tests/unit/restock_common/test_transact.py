"""One batch, one transaction: what is taken, passed over, refused, published."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from tests.unit.restock_common.memory import (
    NINE,
    SHARD,
    UNLUCKY,
    WRITER,
    Booking,
    Crash,
    MemoryInbox,
    cancelled,
    observed,
    placed,
    record,
)

from restock_common.contracts import TYPES, Event
from restock_common.contracts.dead_letters import DeadLetter
from restock_common.contracts.envelope import Message, Position, Record, decode, derive_id
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.topics import DEAD_LETTERS, DEMAND
from restock_common.errors import Fenced, InvariantBroken, Permanent, Transient
from restock_common.transact import (
    Emission,
    Enclosed,
    JournalEntry,
    NotLoaded,
    Outcome,
    act,
    canonical,
    log_identity,
    next_head,
    open_letter,
    transact,
)


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


async def test_a_batch_is_booked_and_published(inbox: MemoryInbox) -> None:
    outcome = await take(inbox, [record(0, placed("o-1", 2, 3)), record(1, placed("o-2", 4))])
    assert inbox.rows == {"o-1/1": 1, "o-1/2": 1, "o-2/1": 1}
    assert inbox.cursor.next_offset == 2
    assert inbox.cursor.next_sequence == 4
    assert [message.id for message in outcome.handled] == ["m-0", "m-1"]
    assert tuple(inbox.journal) == outcome.journal
    assert [entry.sequence for entry in outcome.journal] == [1, 2, 3]


async def test_offsets_that_were_taken_are_passed_over(inbox: MemoryInbox) -> None:
    records = [record(offset, placed(f"o-{offset}", 1)) for offset in range(4)]
    await take(inbox, records[:3])
    outcome = await take(inbox, records)
    assert inbox.rows == {f"o-{offset}/1": 1 for offset in range(4)}
    assert outcome.duplicates == 3
    assert [message.id for message in outcome.handled] == ["m-3"]


async def test_a_batch_of_old_records_changes_nothing(inbox: MemoryInbox) -> None:
    await take(inbox, [record(0, placed("o-1", 1))])
    before = inbox.cursor
    outcome = await take(inbox, [record(0, placed("o-1", 1))])
    assert inbox.cursor == before
    assert outcome.journal == ()


async def test_a_position_that_was_seen_is_passed_over(inbox: MemoryInbox) -> None:
    order = placed("o-1", 1)
    outcome = await take(
        inbox,
        [
            record(0, order, source="/a", position=(1, 1)),
            record(1, order, source="/a", position=(1, 1)),
            record(2, order, source="/a", position=(1, 2)),
            record(3, order, source="/b", position=(1, 1)),
            record(4, order, source="/a", position=(1, 1)),
            record(5, order, source="/a", position=(2, 1)),
            record(6, order, source="/a", position=(1, 9)),
        ],
    )
    assert [message.id for message in outcome.handled] == ["m-0", "m-2", "m-3", "m-5"]
    assert outcome.duplicates == 3
    assert inbox.cursor.seen == {"/a": Position(2, 1), "/b": Position(1, 1)}
    assert inbox.cursor.next_offset == 7


async def test_positions_are_remembered_across_batches(inbox: MemoryInbox) -> None:
    await take(inbox, [record(0, placed("o-1", 1), position=(1, 5))])
    outcome = await take(inbox, [record(1, placed("o-1", 1), position=(1, 5))])
    assert inbox.rows == {"o-1/1": 1}
    assert outcome.duplicates == 1


async def test_a_refused_message_leaves_no_trace_but_its_letter(inbox: MemoryInbox) -> None:
    outcome = await take(
        inbox,
        [
            record(0, placed("o-1", 1)),
            record(1, placed("o-2", 1, UNLUCKY), position=(1, 1)),
            record(2, placed("o-3", 1)),
        ],
    )
    assert inbox.rows == {"o-1/1": 1, "o-3/1": 1}
    (letter,) = outcome.dead_letters
    assert (letter.field, letter.reason) == ("lines.quantity", "is unlucky")
    assert opened(letter).reason == f"is unlucky: {UNLUCKY}"
    assert letter.source_offset == 1
    assert [entry.topic for entry in outcome.journal] == [
        DEMAND.name,
        DEAD_LETTERS.name,
        DEMAND.name,
    ]


async def test_a_bug_keeps_nothing_of_the_batch(inbox: MemoryInbox) -> None:
    class Buggy(Booking):
        def handle(self, state: Any, message: Message[Event]) -> Iterable[Emission]:
            emissions = super().handle(state, message)
            if message.id == "m-1":
                raise ZeroDivisionError
            return emissions

    before = inbox.cursor
    with pytest.raises(ZeroDivisionError):
        await take(inbox, [record(n, placed(f"o-{n}", 1)) for n in range(3)], Buggy())
    assert (inbox.cursor, inbox.rows, inbox.journal) == (before, {}, [])


async def test_what_was_left_out_is_loaded_and_the_batch_decided_anew(inbox: MemoryInbox) -> None:
    class Sparing(Booking):
        """Loads what the second order needs only where it is asked for."""

        def __init__(self) -> None:
            self.loads: list[bool] = []

        async def load(self, connection: Counter[str], *_: Any) -> Any:
            return await self._load(connection, whole=False)

        async def _load_whole(self, connection: Counter[str], messages: Any) -> Any:
            assert [one.id for one in messages] == ["m-0", "m-1", "m-2"]
            return await self._load(connection, whole=True)

        async def _load(self, connection: Counter[str], *, whole: bool) -> Any:
            self.loads.append(whole)
            return whole, connection.copy()

        def handle(self, state: Any, message: Message[Event]) -> Iterable[Emission]:
            whole, rows = state
            if message.id == "m-1" and not whole:
                raise NotLoaded(self._load_whole)
            return super().handle(rows, message)

        async def save(self, connection: Counter[str], state: Any) -> None:
            connection.update(state[1])

    application = Sparing()
    records = [record(n, placed(f"o-{n}", n + 1)) for n in range(3)]
    outcome = await take(inbox, records, application=application)
    assert application.loads == [False, True]
    assert inbox.rows == {"o-0/1": 1, "o-1/1": 1, "o-2/1": 1}, "each was booked once"
    assert len(outcome.journal) == len(outcome.handled) == 3


async def test_a_type_without_use_here_is_passed_over(inbox: MemoryInbox) -> None:
    outcome = await take(inbox, [record(0, cancelled("o-1"))])
    assert (outcome.handled, outcome.journal) == ((), ())
    assert inbox.cursor.next_offset == 1


async def test_a_type_of_another_topic_becomes_a_dead_letter(inbox: MemoryInbox) -> None:
    order = placed("o-1", 1)
    outcome = await take(inbox, [record(0, observed(order, order.lines[0]))])
    (letter,) = outcome.dead_letters
    assert letter.field == "header ce_type"
    assert "restock.DemandObserved.v1" in opened(letter).reason
    assert SHARD.topic in letter.reason


async def test_time_advances_for_each_source_and_never_goes_back(inbox: MemoryInbox) -> None:
    hours = [NINE + timedelta(hours=n) for n in range(4)]
    await take(
        inbox,
        [
            record(0, TimeAdvanced(until=hours[2]), source="/a"),
            record(1, TimeAdvanced(until=hours[1]), source="/b"),
            record(2, TimeAdvanced(until=hours[1]), source="/a"),
            record(3, TimeAdvanced(until=hours[3]), source="/b"),
        ],
    )
    assert inbox.cursor.watermarks == {"/a": hours[2], "/b": hours[3]}


async def test_a_time_that_has_been_said_is_passed_over(inbox: MemoryInbox) -> None:
    """A clock that had no answer says it again, and what waited for it must not be decided twice.

    Ids are derived from the cause, so that the second decision's would be those of the first.
    """
    said = TimeAdvanced(until=NINE)
    earlier = TimeAdvanced(until=NINE - timedelta(hours=1))
    first = await take(inbox, [record(0, said, identity="nine"), record(1, earlier)])
    again = await take(inbox, [record(2, said, identity="nine"), record(3, placed("o-1", 1))])
    assert [message.id for message in (*first.handled, *again.handled)] == ["nine", "m-3"]
    assert (first.duplicates, again.duplicates) == (1, 1)
    assert inbox.cursor.watermarks == {"/test": NINE}


async def test_what_is_emitted_follows_from_its_cause(inbox: MemoryInbox) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    outcome = await take(inbox, [record(0, placed("o-1", 1, 2), identity="c-1", traceparent=trace)])
    first, second = map(read, outcome.journal)
    assert first.id == derive_id("c-1", "restock.DemandObserved.v1", 0)
    assert second.id == derive_id("c-1", "restock.DemandObserved.v1", 1)
    assert (first.source, first.cause, first.time) == (WRITER.source(SHARD), "c-1", NINE)
    assert first.position == Position(1, 1)
    assert first.traceparent == trace
    assert outcome.journal[0].key == b"sku-1"
    assert outcome.journal[0].partition == WRITER.partition_of(DEMAND.name, b"sku-1")


async def test_an_explicit_partition_is_kept(inbox: MemoryInbox) -> None:
    outcome = await take(inbox, [record(0, TimeAdvanced(until=NINE))])
    assert [(e.topic, e.partition, e.key) for e in outcome.journal] == [
        (DEMAND.name, 0, None),
        (DEMAND.name, 1, None),
    ]


async def test_an_event_with_neither_key_nor_partition_is_a_bug(inbox: MemoryInbox) -> None:
    class Lost(Booking):
        def handle(self, state: Any, message: Message[Event]) -> Iterable[Emission]:
            return [*super().handle(state, message), Emission(message.event)]

    with pytest.raises(InvariantBroken, match="OrderPlaced"):
        await take(inbox, [record(0, placed("o-1", 1))], Lost())


async def test_the_chain_covers_every_entry(inbox: MemoryInbox) -> None:
    outcome = await take(inbox, [record(0, placed("o-1", 1, 2))])
    first, second = outcome.journal
    after_first = sha256(bytes(32) + canonical(first)).digest()
    after_second = sha256(after_first + canonical(second)).digest()
    assert inbox.cursor.head == after_second
    heads = [read(entry).chain_head for entry in outcome.journal]
    assert heads == [None, after_second.hex()]


async def test_time_that_is_passed_on_is_numbered_but_not_chained(inbox: MemoryInbox) -> None:
    """It would be most of what a quiet ledger keeps."""
    first = await take(inbox, [record(0, placed("o-1", 1)), record(1, TimeAdvanced(until=NINE))])
    assert [(entry.sequence, entry.kept) for entry in first.journal] == [
        (1, True),
        (2, False),
        (3, False),
    ]
    head = inbox.cursor.head
    assert head == next_head(bytes(32), first.journal[0])
    assert [read(entry).chain_head for entry in first.journal] == [head.hex(), None, None]
    later = TimeAdvanced(until=NINE + timedelta(hours=1))
    second = await take(inbox, [record(2, later)])
    assert [(entry.sequence, entry.kept) for entry in second.journal] == [(4, False), (5, False)]
    assert [read(entry).chain_head for entry in second.journal] == [None, None]
    assert inbox.cursor.head == head


async def test_a_batch_that_publishes_nothing_leaves_the_chain(inbox: MemoryInbox) -> None:
    await take(inbox, [record(0, placed("o-1", 1))])
    head = inbox.cursor.head
    await take(inbox, [record(1, cancelled("o-1"))])
    assert inbox.cursor.head == head != bytes(32)


async def test_the_log_is_told_by_its_first_record(inbox: MemoryInbox) -> None:
    first = record(0, placed("o-1", 1))
    await take(inbox, [first, record(1, placed("o-2", 1))])
    assert inbox.cursor.log_identity == log_identity(first)
    await take(inbox, [record(2, placed("o-3", 1))])
    assert inbox.cursor.log_identity == log_identity(first)


async def test_a_log_that_does_not_begin_at_zero_has_no_identity(inbox: MemoryInbox) -> None:
    await take(inbox, [record(5, placed("o-1", 1))])
    assert inbox.cursor.log_identity is None


async def test_an_earlier_writer_is_fenced(inbox: MemoryInbox) -> None:
    mine = inbox.cursor.epoch
    inbox.take_over()
    with pytest.raises(Fenced):
        await transact(inbox, Booking(), WRITER, SHARD, mine, [record(0, placed("o-1", 1))])
    assert inbox.rows == {}


@pytest.mark.parametrize("crash", list(Crash))
async def test_a_crash_is_made_good_by_the_next_reading(inbox: MemoryInbox, crash: Crash) -> None:
    inbox.crash = crash
    records = [record(0, placed("o-1", 1))]
    with pytest.raises(Transient):
        await take(inbox, records)
    await take(inbox, records)
    assert inbox.rows == {"o-1/1": 1}
    assert [entry.sequence for entry in inbox.journal] == [1]


def inner(order: str, *quantities: int) -> Message[Event]:
    return Message(f"inner-{order}", "/within", NINE, placed(order, *quantities))


async def test_act_decides_without_moving_the_offset(inbox: MemoryInbox) -> None:
    await take(inbox, [record(0, placed("o-1", 1))])
    outcome = await act(inbox, Booking(), WRITER, SHARD, inbox.cursor.epoch, [inner("o-2", 1)])
    assert inbox.rows == {"o-1/1": 1, "o-2/1": 1}
    assert inbox.cursor.next_offset == 1
    assert [entry.sequence for entry in outcome.journal] == [2]
    assert read(outcome.journal[0]).cause == "inner-o-2"


async def test_act_keeps_nothing_when_one_is_refused(inbox: MemoryInbox) -> None:
    before = replace(inbox.cursor)
    with pytest.raises(Permanent, match="unlucky"):
        await act(
            inbox,
            Booking(),
            WRITER,
            SHARD,
            inbox.cursor.epoch,
            [inner("o-1", 1), inner("o-2", UNLUCKY)],
        )
    assert (inbox.cursor, inbox.rows, inbox.journal) == (before, {}, [])


async def test_act_is_fenced_like_any_writer(inbox: MemoryInbox) -> None:
    with pytest.raises(Fenced):
        await act(inbox, Booking(), WRITER, SHARD, inbox.cursor.epoch - 1, [inner("o-1", 1)])
