"""One transaction: a batch of records, or messages from within, decided and journalled."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from restock_common.contracts import TYPES, Event
from restock_common.contracts.dead_letters import DeadLetter
from restock_common.contracts.envelope import (
    Message,
    Position,
    Record,
    decode,
    derive_id,
    encode_body,
)
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.topics import DEAD_LETTERS
from restock_common.contracts.upcasts import becomes
from restock_common.errors import InvariantBroken, Permanent
from restock_common.transact.chain import chained
from restock_common.transact.letters import dead_letter
from restock_common.transact.log import log_identity
from restock_common.transact.model import (
    Application,
    ConnectionT,
    Cursor,
    Emission,
    Inbox,
    JournalEntry,
    NotLoaded,
    Outcome,
    Partition,
    StateT,
    Writer,
)

_STAMPED_AT_ONCE = 500
"""Events: some 3 ms."""


def read_event(record: Record, handled: frozenset[type[Event]]) -> Message[Event] | None:
    """Return the message of a record; None for a type that belongs here but is not handled.

    Raises:
        Permanent: The record is malformed, or its type does not belong on this topic.
    """
    for name, raw in record.headers:
        if name == "ce_type":
            known = TYPES.get(becomes(raw.decode(errors="replace"), TYPES))
            break
    else:
        known = None
    if known is not None and known not in handled:
        if known.topic.name == record.topic or known is TimeAdvanced:
            return None
        raise Permanent(
            f"{known.type_name()!r} does not belong on {record.topic}", field="header ce_type"
        )
    return decode(record, TYPES)


async def transact(
    inbox: Inbox[ConnectionT],
    application: Application[ConnectionT, StateT],
    writer: Writer,
    partition: Partition,
    epoch: int,
    records: Sequence[Record],
    *,
    published: int = 0,
) -> Outcome:
    """Take a batch of records of one partition in one transaction, each of them once.

    Args:
        inbox: Opens the transaction.
        application: Reads, loads, decides and saves.
        writer: Who decides.
        partition: Where the records were read.
        epoch: The writer's.
        records: In order.
        published: Up to where the journal is known to be published: noted with the batch, since
            a note of its own would wait for it.
    """
    async with inbox.begin(partition, epoch) as work:
        cursor = work.cursor
        fresh = [record for record in records if record.offset >= cursor.next_offset]
        intake = _take_in(application, cursor, fresh)
        save, decided = await _decide(application, writer, work.connection, intake.messages)
        emissions, letters = _in_log_order(writer, intake, decided)
        journal, head = await _written(writer, work.cursor, save, emissions)
        moved = replace(
            cursor,
            next_offset=fresh[-1].offset + 1 if fresh else cursor.next_offset,
            log_identity=_identity(cursor, fresh),
            next_sequence=cursor.next_sequence + len(journal),
            published_sequence=max(cursor.published_sequence, published),
            head=head,
            seen=intake.seen,
            watermarks=intake.watermarks,
        )
        await work.finish(moved, journal)
    return Outcome(
        cursor=moved,
        journal=journal,
        handled=tuple(intake.messages),
        duplicates=intake.duplicates + len(records) - len(fresh),
        dead_letters=tuple(letter.event for letter in letters),
    )


async def act(
    inbox: Inbox[ConnectionT],
    application: Application[ConnectionT, StateT],
    writer: Writer,
    partition: Partition,
    epoch: int,
    messages: Sequence[Message[Event]],
) -> Outcome:
    """Decide messages that come from within (a finished plan, a due review), not from the log.

    The cursor's row serialises them with the records of the partition; its offset stays.

    Raises:
        Permanent: A message was refused; nothing of the call is kept.
    """
    async with inbox.begin(partition, epoch) as work:
        cursor = work.cursor
        emissions: list[_Emitted] = []
        save, results = await _decide(application, writer, work.connection, messages)
        for decided in results:
            if isinstance(decided, Permanent):
                raise decided
            emissions.extend(decided)
        journal, head = await _written(writer, work.cursor, save, emissions)
        moved = replace(cursor, next_sequence=cursor.next_sequence + len(journal), head=head)
        await work.finish(moved, journal)
    return Outcome(moved, journal, tuple(messages), duplicates=0, dead_letters=())


@dataclass(slots=True)
class _Intake:
    messages: list[Message[Event]]
    records: list[Record]
    seen: dict[str, Position]
    watermarks: dict[str, datetime]
    duplicates: int = 0
    refused: list[tuple[Record, Permanent]] = field(default_factory=list)


_Emitted = tuple[Message[Event], int, Emission]
"""The cause, the emission's place among those of its cause, and the emission."""

_Save = Callable[[], Awaitable[None]]


def _take_in(
    application: Application[Any, Any], cursor: Cursor, records: Sequence[Record]
) -> _Intake:
    intake = _Intake([], [], dict(cursor.seen), dict(cursor.watermarks))
    for record in records:
        try:
            message = application.read(record)
        except Permanent as error:
            intake.refused.append((record, error))
            continue
        if message is None:
            continue
        if message.position is not None:
            last = intake.seen.get(message.source)
            if last is not None and message.position <= last:
                intake.duplicates += 1
                continue
            intake.seen[message.source] = message.position
        if isinstance(message.event, TimeAdvanced):
            known = intake.watermarks.get(message.source)
            if known is not None and message.event.until <= known:
                intake.duplicates += 1  # a clock keeps no position: it is told by the time itself
                continue
            intake.watermarks[message.source] = message.event.until
        intake.messages.append(message)
        intake.records.append(record)
    return intake


async def _decide(
    application: Application[ConnectionT, StateT],
    writer: Writer,
    connection: ConnectionT,
    messages: Sequence[Message[Event]],
) -> tuple[_Save, list[list[_Emitted] | Permanent]]:
    """Return what saves the decisions, and for each message what it emits or why it is refused."""
    if not messages:
        return _nothing, []
    state = await application.load(connection, messages)
    try:
        decided = [_decide_one(application, writer, state, message) for message in messages]
    except NotLoaded as missing:
        state = await missing.load(connection, messages)
        decided = [_decide_one(application, writer, state, message) for message in messages]
    return partial(application.save, connection, state), decided


def _decide_one(
    application: Application[Any, StateT], writer: Writer, state: StateT, message: Message[Event]
) -> list[_Emitted] | Permanent:
    with writer.trace(message) as traceparent:
        try:
            emissions = list(application.handle(state, message))
        except Permanent as error:
            return error
    cause = message
    if traceparent != message.traceparent:
        cause = replace(message, traceparent=traceparent)
    return [(cause, n, emission) for n, emission in enumerate(emissions)]


async def _written(
    writer: Writer, cursor: Cursor, save: _Save, emissions: Sequence[_Emitted]
) -> tuple[tuple[JournalEntry, ...], bytes]:
    """Save the decisions, return their journal and its head: stamped while the database writes."""
    saving = asyncio.ensure_future(save())
    try:
        entries: list[JournalEntry] = []
        for first in range(0, len(emissions), _STAMPED_AT_ONCE):
            await asyncio.sleep(0)  # what the database has answered meanwhile is taken further
            some = emissions[first : first + _STAMPED_AT_ONCE]
            entries += _stamp(writer, cursor, cursor.next_sequence + first, some)
        journal = chained(cursor.head, entries)
    except BaseException:
        saving.cancel()
        await asyncio.gather(saving, return_exceptions=True)
        raise
    await saving
    return journal


async def _nothing() -> None:
    """Save nothing."""


def _in_log_order(
    writer: Writer, intake: _Intake, decided: Sequence[list[_Emitted] | Permanent]
) -> tuple[list[_Emitted], list[Message[DeadLetter]]]:
    """Return the emissions and the dead letters in the order of the records that caused them.

    So the journal is a function of the log alone, wherever batches were cut.
    """
    emissions: list[_Emitted] = []
    letters: list[Message[DeadLetter]] = []
    results = [*intake.refused, *zip(intake.records, decided, strict=True)]
    for record, result in sorted(results, key=lambda pair: pair[0].offset):
        if isinstance(result, Permanent):
            letter = dead_letter(writer.service, record, result, writer.seal)
            letters.append(letter)
            emissions.append((letter, 0, Emission(letter.event, topic=DEAD_LETTERS, partition=0)))
        else:
            emissions.extend(result)
    return emissions, letters


def _stamp(
    writer: Writer, cursor: Cursor, first: int, emissions: Sequence[_Emitted]
) -> list[JournalEntry]:
    """Give each emission its id, position, partition and bytes; they are numbered from `first`.

    Time that is only passed on is told again by the log itself, every second for ever, and dead
    letters are encrypted, never twice to the same bytes: both go out like all else, and are not
    kept. So the chain stays a function of the log.
    """
    stamped = []
    last: Message[Event] | None = None
    time = ""
    for sequence, (cause, n, emission) in enumerate(emissions, first):
        event, event_type = emission.event, emission.event.type_name()
        topic = (emission.topic or event.topic).name
        named = event.key
        key = None if named is None else named.encode()
        partition = emission.partition
        if partition is None:
            if key is None:
                raise InvariantBroken(f"{event_type} has neither a key nor a partition")
            partition = writer.partition_of(topic, key)
        if cause is not last:
            last, time = cause, cause.time.isoformat()
        entry = JournalEntry(
            sequence,
            topic,
            partition,
            key,
            derive_id(cause.id, event_type, n),
            event_type,
            time,
            cause.id,
            emission.traceparent or cause.traceparent,
            cursor.incarnation,
            encode_body(event),
            kept=not isinstance(event, TimeAdvanced | DeadLetter),
        )
        stamped.append(entry)
    return stamped


def _identity(cursor: Cursor, fresh: Sequence[Record]) -> str | None:
    if cursor.log_identity is None and fresh and fresh[0].offset == 0:
        return log_identity(fresh[0])
    return cursor.log_identity
