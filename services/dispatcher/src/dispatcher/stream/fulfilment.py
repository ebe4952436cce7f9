"""restock.fulfilment.v1 comes in: read, load, decide, save."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from dispatcher.domain.rules import Rules
from dispatcher.handlers import Board, PartitionTime, handle
from restock_common.contracts.envelope import Message, Record
from restock_common.contracts.event import Event
from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.postgres import Connection
from restock_common.transact import Emission, read_event

_READ: frozenset[type[Event]] = frozenset({OrderAllocated, AllocationCancelRequested, TimeAdvanced})

Load = Callable[[Connection, Sequence[Message[Event]]], Awaitable[Board]]
Save = Callable[[Connection, Board], Awaitable[None]]


class Fulfilment:
    """The dispatcher as `transact` sees it.

    Args:
        rules: What holds for every wave.
        load: Returns the working set of a batch.
        save: Writes what changed in it.
    """

    def __init__(self, rules: Rules, load: Load, save: Save) -> None:
        self._rules = rules
        self._load = load
        self._save = save

    def read(self, record: Record) -> Message[Event] | None:
        """Return the message; time is read with the partition that it was told on."""
        message = read_event(record, _READ)
        if message is not None and isinstance(message.event, TimeAdvanced):
            time = PartitionTime(until=message.event.until, partition=record.partition)
            return replace(message, event=time)
        return message

    async def load(self, connection: Connection, messages: Sequence[Message[Event]]) -> Board:
        """Return the working set."""
        return await self._load(connection, messages)

    def handle(self, state: Board, message: Message[Event]) -> Iterable[Emission]:
        """Decide one message."""
        return handle(state, message, self._rules)

    async def save(self, connection: Connection, state: Board) -> None:
        """Write what changed."""
        await self._save(connection, state)
