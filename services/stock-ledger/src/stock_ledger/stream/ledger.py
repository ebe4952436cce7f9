"""The ledger's log in: one transaction a batch, decided by `handlers`, kept by a store."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from prometheus_client import Counter

from restock_common import telemetry
from restock_common.contracts import Event
from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.envelope import Message, Record
from restock_common.contracts.ledger import LineOffered, TimeAdvanced
from restock_common.contracts.stock import StockBackordered, StockReserved, StockShipped
from restock_common.contracts.topics import LEDGER
from restock_common.kafka import Producer
from restock_common.postgres import Connection, PostgresInbox
from restock_common.runtime import Stream
from restock_common.settings import KafkaSettings
from restock_common.transact import Emission, NotLoaded, read_event
from stock_ledger import telemetry as own
from stock_ledger.domain.books import Books, Unread
from stock_ledger.domain.rules import Rules
from stock_ledger.handlers import HANDLERS, decide

SERVICE = "stock-ledger"
MAX_RECORDS = 1000

_HANDLED = frozenset(HANDLERS)
_COUNTED: Mapping[type[Event], Counter] = {
    StockReserved: telemetry.LEDGER_RESERVATIONS,
    StockBackordered: telemetry.LEDGER_BACKORDERS,
    LineOffered: telemetry.LEDGER_OFFERS,
}
_UNITS: Mapping[type[Event], Counter] = {
    DemandObserved: own.ASKED,
    StockReserved: own.RESERVED,
    StockBackordered: own.BACKORDERED,
    StockShipped: own.SHIPPED,
}


class Store(Protocol):
    """Where the books are kept."""

    async def load(
        self,
        connection: Connection,
        messages: Sequence[Message[Event]],
        rules: Rules,
        *,
        whole: bool = False,
    ) -> Books:
        """Return the books as these messages need them."""

    async def save(self, connection: Connection, books: Books) -> None:
        """Write what the decisions changed."""


class LedgerApplication:
    """Reads, loads, decides and saves for `transact`."""

    def __init__(self, store: Store, rules: Rules | None = None) -> None:
        self._store = store
        self._rules = rules or Rules()

    def read(self, record: Record) -> Message[Event] | None:
        """Return the message of a record. Raises Permanent where it is malformed.

        An advance of time happens at the time that it tells, whatever its envelope says: what it
        leads to is compared with that.
        """
        message = read_event(record, _HANDLED)
        if message is not None and isinstance(message.event, TimeAdvanced):
            return replace(message, time=message.event.until)
        return message

    async def load(self, connection: Connection, messages: Sequence[Message[Event]]) -> Books:
        """Return the books as these messages need them."""
        return await self._store.load(connection, messages, self._rules)

    def handle(self, state: Books, message: Message[Event]) -> Iterable[Emission]:
        """Decide one message. Raises Permanent where it can never be handled."""
        try:
            decision = decide(state, message)
        except Unread:
            raise NotLoaded(self._load_whole) from None
        return decision.emissions

    async def save(self, connection: Connection, state: Books) -> None:
        """Write what the decisions changed."""
        await self._store.save(connection, state)
        for kind, counter in _COUNTED.items():
            counter.inc(state.emitted[kind])
        for kind, counter in _UNITS.items():
            counter.inc(state.units[kind])
        for kind, count in state.repeated.items():
            telemetry.LEDGER_DUPLICATES.labels(kind.__name__).inc(count)

    async def _load_whole(
        self, connection: Connection, messages: Sequence[Message[Event]]
    ) -> Books:
        return await self._store.load(connection, messages, self._rules, whole=True)


def ledger_stream(
    kafka: KafkaSettings,
    inbox: PostgresInbox,
    producer: Producer,
    store: Store,
    *,
    rules: Rules | None = None,
    max_records: int = MAX_RECORDS,
) -> Stream[Books]:
    """Return the stream over all shards, worked on side by side since they share no rows."""
    return Stream(
        service=SERVICE,
        kafka=kafka,
        inbox=inbox,
        producer=producer,
        application=LedgerApplication(store, rules),
        topics=[LEDGER],
        max_records=max_records,
        concurrent=True,
    )
