"""An inbox in memory, with crashes on order, and the smallest application on it."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum, auto

from restock_common.contracts import Event
from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.envelope import Message, Position, Record, encode
from restock_common.contracts.ledger import (
    CandidateLocation,
    OrderCancelled,
    OrderLine,
    OrderPlaced,
    Place,
    Sourcing,
    TimeAdvanced,
)
from restock_common.contracts.topics import DEMAND, LEDGER
from restock_common.errors import Fenced, Permanent, Transient
from restock_common.sealing import Seal
from restock_common.transact import Cursor, Emission, JournalEntry, Partition, Writer, read_event

NINE = datetime(2017, 1, 2, 9, 30, tzinfo=UTC)
SHARD = Partition(LEDGER.name, 1)
WRITER = Writer("test", lambda _topic, key: len(key) % 4, seal=Seal({"test": bytes(32)}))
UNLUCKY = 13
"""A line of this quantity is refused by the test application."""


class Crash(Enum):
    """Where the next transaction fails."""

    BEFORE_COMMIT = auto()
    AFTER_COMMIT = auto()


class MemoryWork:
    """One open transaction: a copy of the rows, swapped in by the commit."""

    def __init__(self, cursor: Cursor, rows: Counter[str]) -> None:
        self.cursor = cursor
        self.connection = rows
        self.moved = cursor
        self.journal: list[JournalEntry] = []

    async def finish(self, cursor: Cursor, journal: Sequence[JournalEntry]) -> None:
        """Note what the commit will keep."""
        self.moved = cursor
        self.journal = list(journal)


class MemoryInbox:
    """Cursor, rows and journal of one partition."""

    def __init__(self, partition: Partition = SHARD) -> None:
        self.cursor = Cursor(partition, epoch=0)
        self.rows: Counter[str] = Counter()
        self.journal: list[JournalEntry] = []
        self.crash: Crash | None = None

    def take_over(self) -> Cursor:
        """Become the writer."""
        self.cursor = replace(self.cursor, epoch=self.cursor.epoch + 1)
        return self.cursor

    @asynccontextmanager
    async def begin(self, partition: Partition, epoch: int) -> AsyncIterator[MemoryWork]:
        """Open a transaction; it ends as `crash` says."""
        if partition != self.cursor.partition or epoch != self.cursor.epoch:
            raise Fenced(f"epoch is {self.cursor.epoch}, ours is {epoch}")
        work = MemoryWork(self.cursor, self.rows.copy())
        yield work
        crash, self.crash = self.crash, None
        if crash is Crash.BEFORE_COMMIT:
            raise Transient("crashed before the commit")
        self.cursor, self.rows = work.moved, work.connection
        self.journal.extend(work.journal)
        if crash is Crash.AFTER_COMMIT:
            raise Transient("the commit's answer was lost")


class Booking:
    """Counts how often each order line was booked, and observes its demand."""

    def read(self, record: Record) -> Message[Event] | None:
        """Read orders and time; cancellations belong here but are not handled."""
        return read_event(record, frozenset({OrderPlaced, TimeAdvanced}))

    async def load(
        self, connection: Counter[str], messages: Sequence[Message[Event]]
    ) -> Counter[str]:
        """Work on the transaction's own copy."""
        assert messages, "nothing to load for is not asked for"
        return connection

    def handle(self, state: Counter[str], message: Message[Event]) -> Iterable[Emission]:
        """Book every line, or none of them."""
        event = message.event
        if isinstance(event, TimeAdvanced):
            return [Emission(event, topic=DEMAND, partition=p) for p in range(2)]
        assert isinstance(event, OrderPlaced)
        for line in event.lines:
            if line.quantity == UNLUCKY:
                raise Permanent(f"is unlucky: {line.quantity}", field="lines.quantity")
        state.update(f"{event.order}/{line.line}" for line in event.lines)
        return [Emission(observed(event, line)) for line in event.lines]

    async def save(self, connection: Counter[str], state: Counter[str]) -> None:
        """Nothing to write: the state is the transaction's copy."""
        assert connection is state


def observed(order: OrderPlaced, line: OrderLine) -> DemandObserved:
    """Return the demand of one line."""
    return DemandObserved(
        sku=line.sku,
        location="north-1",
        pool="north",
        order=order.order,
        line=line.line,
        quantity=line.quantity,
        occurred_at=order.placed_at,
    )


def placed(order: str, *quantities: int) -> OrderPlaced:
    """Return an order with a line for each quantity."""
    return OrderPlaced(
        order=order,
        customer="c",
        placed_at=NINE,
        destination=Place(latitude=1, longitude=2),
        lines=tuple(
            OrderLine(line=str(n), sku=f"sku-{n}", quantity=quantity)
            for n, quantity in enumerate(quantities, 1)
        ),
        sourcing=(
            Sourcing(
                pool="north",
                shard=1,
                locations=(CandidateLocation(location="north-1", distance_km=1),),
            ),
        ),
    )


def cancelled(order: str) -> OrderCancelled:
    """Return a cancellation."""
    return OrderCancelled(order=order, cancelled_at=NINE)


def record(
    offset: int,
    event: Event,
    *,
    identity: str | None = None,
    source: str = "/test",
    position: tuple[int, int] | None = None,
    traceparent: str | None = None,
) -> Record:
    """Return the record of an event on the test's partition."""
    headers, body = encode(
        Message(
            id=identity or f"m-{offset}",
            source=source,
            time=NINE,
            event=event,
            position=Position(*position) if position else None,
            traceparent=traceparent,
        )
    )
    return raw_record(offset, body, headers)


def raw_record(
    offset: int,
    value: bytes | None,
    headers: Sequence[tuple[str, bytes]] = (),
    *,
    key: bytes | None = None,
    timestamp_ms: int = 1_483_349_400_000,
) -> Record:
    """Return a record of any bytes on the test's partition."""
    return Record(SHARD.topic, SHARD.number, offset, timestamp_ms, key, value, tuple(headers))
