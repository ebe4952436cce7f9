"""The words that `transact` is written in: places, cursors, entries, and what others implement."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from restock_common.contracts import Event
from restock_common.contracts.dead_letters import DeadLetter
from restock_common.contracts.envelope import (
    Message,
    Position,
    Record,
    chain_header,
    headers_of,
)
from restock_common.contracts.topics import Topic
from restock_common.sealing import Seal


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of one topic."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a service stands in one partition, and where its own journal for it ends.

    Attributes:
        partition: What is read.
        epoch: Raised by each writer that takes the partition over; an older one is fenced.
        next_offset: The first offset not yet taken.
        log_identity: Told from the log's first record, once that has been read.
        incarnation: Raised when the database is restored.
        next_sequence: What the next journal entry will be numbered.
        published_sequence: Everything up to it has been acknowledged by the broker.
        head: The hash chain over all kept entries so far.
        seen: The last position taken from each writer.
        watermarks: The latest TimeAdvanced of each writer.
    """

    partition: Partition
    epoch: int
    next_offset: int = 0
    log_identity: str | None = None
    incarnation: int = 1
    next_sequence: int = 1
    published_sequence: int = 0
    head: bytes = bytes(32)
    seen: dict[str, Position] = field(default_factory=dict)
    watermarks: dict[str, datetime] = field(default_factory=dict)


class Emission(NamedTuple):
    """An event that a decision wants published; what is left out follows from the event.

    Attributes:
        event: What happened.
        topic: Only where it differs from the event's own.
        partition: Only where it does not follow from the key.
        traceparent: Only where it differs from the cause's.
    """

    event: Event
    topic: Topic | None = None
    partition: int | None = None
    traceparent: str | None = None


class Outgoing(NamedTuple):
    """A record ready to be published.

    Attributes:
        topic: Where.
        partition: And on which of its partitions.
        key: The record's key.
        headers: The record's headers.
        body: The record's value.
    """

    topic: str
    partition: int
    key: bytes | None
    headers: list[tuple[str, bytes]]
    body: bytes


class JournalEntry(NamedTuple):
    """What was decided, and all that its record says: the same bytes, as often as need be.

    Attributes:
        sequence: Counts the entries of one journal, from 1.
        topic: Where it is published.
        partition: And on which of its partitions.
        key: The record's key.
        id: The event's id.
        type: Its CloudEvents type.
        time: When it happened, by RFC 3339.
        cause: The id of what caused it.
        traceparent: The W3C trace context it travels in.
        incarnation: Of the journal, when the entry was written.
        body: The event as JSON.
        head: The chain's head after the batch that this entry ends.
        kept: Part of the record of what was decided, and so of the chain; what is not kept (time
            that is passed on, dead letters) is deleted once it has been published.
    """

    sequence: int
    topic: str
    partition: int
    key: bytes | None
    id: str
    type: str
    time: str
    cause: str | None
    traceparent: str | None
    incarnation: int
    body: bytes
    head: bytes | None = None
    kept: bool = True

    def record(self, source: str) -> Outgoing:
        """Return the record, said by a source."""
        headers = headers_of(
            self.id, self.type, source, self.time, self.cause, self.traceparent, self.place
        )
        if self.head is not None:
            headers.append(chain_header(self.head))
        return Outgoing(self.topic, self.partition, self.key, headers, self.body)

    @property
    def place(self) -> Position:
        """Return where the entry stands in its writer's sequence."""
        return Position(self.incarnation, self.sequence)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one transaction did."""

    cursor: Cursor
    journal: tuple[JournalEntry, ...]
    handled: tuple[Message[Event], ...]
    duplicates: int
    dead_letters: tuple[DeadLetter, ...]


ConnectionT_co = TypeVar("ConnectionT_co", covariant=True)
ConnectionT_contra = TypeVar("ConnectionT_contra", contravariant=True)
ConnectionT = TypeVar("ConnectionT")
StateT = TypeVar("StateT")


class NotLoaded(Exception):
    """A decision needs what was left out of the working set, which few do: it is loaded anew.

    Args:
        load: Loads the working set of a batch with all that any of its decisions can need.
    """

    def __init__(self, load: Callable[[Any, Sequence[Message[Event]]], Awaitable[Any]]) -> None:
        super().__init__("the working set is not whole")
        self.load = load


class Application(Protocol[ConnectionT_contra, StateT]):
    """What a service adds: how to read a record, and how to load, decide and save."""

    def read(self, record: Record) -> Message[Event] | None:
        """Return the message; None where this service has no use for it. Raises Permanent."""

    async def load(
        self, connection: ConnectionT_contra, messages: Sequence[Message[Event]]
    ) -> StateT:
        """Return the working set that these messages need."""

    def handle(self, state: StateT, message: Message[Event]) -> Iterable[Emission]:
        """Decide one message and take its changes into the working set.

        Raises:
            Permanent: It can never be handled; the working set is as it was before.
            NotLoaded: The batch is decided from its beginning, with another working set.
        """

    async def save(self, connection: ConnectionT_contra, state: StateT) -> None:
        """Write what changed in the working set."""


class Work(Protocol[ConnectionT_co]):
    """One open transaction on one partition, its cursor locked."""

    @property
    def cursor(self) -> Cursor:
        """The cursor as it was when the transaction began."""

    @property
    def connection(self) -> ConnectionT_co:
        """What the application loads and saves through."""

    async def finish(self, cursor: Cursor, journal: Sequence[JournalEntry]) -> None:
        """Append the journal and move the cursor. Raises Fenced where the epoch is not ours."""


class Inbox(Protocol[ConnectionT_co]):
    """Opens transactions; the implementation is `postgres.PostgresInbox`."""

    def begin(
        self, partition: Partition, epoch: int
    ) -> AbstractAsyncContextManager[Work[ConnectionT_co]]:
        """Lock the cursor of a partition; commits when left without an error."""


Trace = Callable[[Message[Event]], AbstractContextManager[str | None]]
"""Opens a span around one decision and yields the traceparent that its events carry."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: its CloudEvents source, its partitioner and its tracing.

    Attributes:
        service: The service's name.
        partition_of: (topic name, key) -> partition.
        trace: Opens the span of a decision.
        seal: Encrypts what dead letters hold.
    """

    service: str
    partition_of: Callable[[str, bytes], int]
    trace: Trace = lambda message: nullcontext(message.traceparent)
    seal: Seal | None = None

    def source(self, partition: Partition) -> str:
        """Return the CloudEvents source of what is decided on a partition."""
        return f"/restock/{self.service}/{partition.topic}/{partition.number}"
