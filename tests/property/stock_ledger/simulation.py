"""Several shards in memory, with warehouses and a clock: messages arrive as the test likes."""

from collections import deque
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from tests.property.stock_ledger.model import Model
from tests.property.stock_ledger.warehouses import Warehouses
from tests.support import EPOCH

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message, derive_id
from restock_common.contracts.ledger import (
    AssortmentListed,
    ReceiptExpected,
    StockPolicySet,
    TimeAdvanced,
)
from restock_common.contracts.topics import LEDGER
from restock_common.errors import Permanent
from restock_common.transact import Emission
from stock_ledger.domain.books import Books
from stock_ledger.domain.model import Balance
from stock_ledger.domain.rules import Rules
from stock_ledger.handlers import decide

Queue = tuple[str, int]
"""Who sends, and to which shard: what one sends to one shard stays in order."""

SYSTEM = ("shard", "warehouse", "clock")
"""Parts of the system, and people who tell what has happened: never refused."""

LAST_WORD_COUNTS = (StockPolicySet, ReceiptExpected, AssortmentListed)
"""What these say is absolute, so that an old one that is sent again counts again."""

_BALANCE_FIELDS = [field.name for field in fields(Balance)]
_CLAIM_FIELDS = ["state", "placed", "return_expected", "revision", "cancelled_at", "since"]


class World:
    """Shards with a queue from every source to every shard, and what a bystander makes of it."""

    def __init__(self, shards: int, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self.books = {shard: Books(shard, self.rules) for shard in range(shards)}
        self.queues: dict[Queue, deque[Message[Any]]] = {}
        self.logs: dict[int, list[tuple[Message[Any], list[Emission] | None]]] = {
            shard: [] for shard in self.books
        }
        self.told: list[tuple[int, Event]] = []
        self.taken: list[tuple[int, Message[Any]]] = []
        self.model = Model(self.rules)
        self.warehouses = Warehouses(self)
        self.now = EPOCH

    def send(self, source: str, shard: int, event: Event, time: datetime | None = None) -> None:
        """Put an event on its way; one source's events stay in order."""
        if isinstance(event, TimeAdvanced):
            time = event.until  # as it is read from the log
        message: Message[Any] = Message(
            id=derive_id(source, shard, event.type_name(), event.model_dump_json()),
            source=source,
            time=time or self.now,
            event=event,
        )
        self.queues.setdefault((source, shard), deque()).append(message)

    def waiting(self) -> list[Queue]:
        """Return the queues that hold something, in a fixed order."""
        return sorted(key for key, queue in self.queues.items() if queue)

    def on_the_way(self) -> list[Event]:
        """Return what has been sent and not been read."""
        return [message.event for queue in self.queues.values() for message in queue]

    def deliver(self, key: Queue) -> bool:
        """Decide the first message of a queue; return whether it was taken."""
        message = self.queues[key].popleft()
        return self.decide(key[1], message)

    def _check_refusal(
        self, books: Books, before: object, message: Message[Any], error: Permanent
    ) -> None:
        assert error.field, f"I20: {error} names no field"
        assert state_of(books) == before, f"I20: {error} has changed the books"
        honest = message.source.startswith(SYSTEM)
        assert not honest, f"I20: {message.source} was refused: {error}: {message.event}"

    def decide(self, shard: int, message: Message[Any]) -> bool:
        """Decide a message on a shard; what it leads to is put on its way.

        A refused message changes nothing and names a field (I20), as does one that is known.
        """
        books = self.books[shard]
        before = state_of(books)
        try:
            decision = decide(books, message)
        except Permanent as error:
            self._check_refusal(books, before, message, error)
            self.logs[shard].append((message, None))
            return False
        emissions = list(decision.emissions)
        if decision.duplicate:
            assert not emissions, f"I20: {emissions} of what was known"
            assert state_of(books) == before, f"I20: {message.event} was known"
        self.logs[shard].append((message, emissions))
        self.taken.append((shard, message))
        self.model.take(shard, message, decision, books)
        self._pass_on(shard, message, emissions)
        self.model.check(self.books, self.on_the_way())
        return True

    def decide_again(self, shard: int, message: Message[Any]) -> None:
        """Deliver once more what was taken before: it has had its effect (I20)."""
        before = state_of(self.books[shard])
        self.decide(shard, message)
        if not isinstance(message.event, LAST_WORD_COUNTS):
            after = state_of(self.books[shard])
            assert after == before, f"I20: {message.event} has had an effect twice"

    def _pass_on(self, shard: int, message: Message[Any], emissions: list[Emission]) -> None:
        for emission in emissions:
            event = emission.event
            if event.topic is LEDGER and not isinstance(event, TimeAdvanced):
                assert emission.partition is not None, f"{event} has no partition"
                self.send(f"shard {shard}", emission.partition, event, message.time)
            self.told.append((shard, event))
            self.warehouses.take(event)

    def deliver_all(self, key: Queue) -> None:
        """Decide everything in one queue."""
        while self.queues.get(key):
            self.deliver(key)

    def drain(self) -> None:
        """Deliver everything, and what follows from it."""
        while queues := self.waiting():
            self.deliver(queues[0])

    def serials_at(self, shard: int, sku: str, location: str | None) -> list[str]:
        """Return the units of a sku that are told apart at a location; None: that have left."""
        serials = self.model.goods.serials.items()
        return [
            name for (at, of, name), where in serials if (at, of, where) == (shard, sku, location)
        ]

    def tick(self, by: timedelta = timedelta(minutes=10)) -> None:
        """Put an advance of time on its way to every shard."""
        self.now += by
        for shard in self.books:
            self.send("clock", shard, TimeAdvanced(until=self.now))


def state_of(books: Books) -> tuple[Any, ...]:
    """Return all that the books hold, as values that later changes do not reach."""
    return (
        books.clock,
        books.skus_listed,
        books.locations_listed,
        {
            key: tuple(getattr(one, name) for name in _BALANCE_FIELDS)
            for key, one in books.balances.items()
        },
        {
            claim.key: tuple(getattr(claim, name) for name in _CLAIM_FIELDS) + tuple(claim.pieces)
            for of_order in books.orders.values()
            for claim in of_order.values()
        },
        dict(books.allocations),
        {
            (kind, key): one
            for kind, facts in books.facts.items()
            for key, one in facts.items()
            if one is not None
        },
        {place: list(keys) for place, keys in books.lots.items()},
        (sorted(books.pending), sorted(books.withdrawn), sorted(books.held)),
        len(books.journal),
    )
