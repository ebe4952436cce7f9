"""The door: one method for each thing that can be said to it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from order_ingest.domain import checks, orders
from order_ingest.domain.checks import Known
from order_ingest.domain.findings import Conflict, Refused
from order_ingest.domain.orders import Placement
from order_ingest.domain.requests import (
    CancelRequest,
    CountRequest,
    OrderRequest,
    ReceiptRequest,
)
from order_ingest.domain.sourcing import rank_pools
from order_ingest.handlers.gathered import Gathered
from order_ingest.handlers.ports import Accepted, Clock, MasterData, OrderBook
from restock_common import telemetry
from restock_common.contracts import Event
from restock_common.contracts.catalogue import CatalogueEntity
from restock_common.contracts.envelope import Message, derive_id, encode
from restock_common.contracts.ledger import GoodsReceived, StockCounted, TimeAdvanced
from restock_common.contracts.topics import SHARDS
from restock_common.errors import Permanent, Transient
from restock_common.kafka import Producer, partition_of
from restock_common.postgres import Database
from restock_common.transact import Outgoing

HTTP_SOURCE = "/restock/order-ingest/http"
CLOCK_SOURCE = "/restock/order-ingest/clock"

AskedT = TypeVar("AskedT")
AnswerT = TypeVar("AnswerT")


def take_order(shop: str, request: OrderRequest, known: Known) -> Placement:
    """Return the order as it would be taken now, checked and homed.

    Raises:
        Refused: It names what is not there, or a time out of reach.
        Transient: No pool has a warehouse yet.
    """
    checks.check_order(request, known)
    sourcing = rank_pools(known.catalogue, request.destination)
    if not sourcing:
        raise Transient("the catalogue has no pool with a location yet")
    return orders.place(shop, request, sourcing)


class Door:
    """Takes in what the world sends, and answers once Kafka has acknowledged the event.

    Args:
        master_data: What inputs are checked against.
        clock: The time that counts.
        database: Where the order book is.
        book: The order book.
        producer: What events are published with.
        publish_timeout_s: After it the sender is told to try again; the event may still arrive.
    """

    def __init__(
        self,
        *,
        master_data: MasterData,
        clock: Clock,
        database: Database,
        book: OrderBook,
        producer: Producer,
        publish_timeout_s: float,
    ) -> None:
        self.clock = clock
        self._master_data = master_data
        self._database = database
        self._book = book
        self._producer = producer
        self._remember = Gathered(self._remember_all)
        self._send = Gathered(self._send_all)
        self._publish_timeout_s = publish_timeout_s
        self._writing_catalogue = asyncio.Lock()

    def known(self) -> Known:
        """Return what inputs are checked against now. Raises Transient before it has been read."""
        reason = self._master_data.not_ready()
        if reason is not None:
            raise Transient(reason)
        return Known(self._master_data.catalogue, self.clock.now())

    async def place(
        self, shop: str, requests: Sequence[OrderRequest | Refused]
    ) -> list[Accepted | Permanent]:
        """Take orders, each for itself, in one write and one publication for all.

        A repeat is answered like the first and published again: the sender may have missed the
        answer because the event was never published, and the ledger takes an order once.

        Raises:
            Transient: Nothing is promised for any of them: send them again.
        """
        known = self.known()
        asked = [_attempt(lambda one: take_order(shop, one, known), one) for one in requests]
        placements = [one for one in asked if isinstance(one, Placement)]
        if placements:
            firsts = await self._remember(placements)
            first_of = {first.order: first for first in firsts}
            asked = [
                _attempt(lambda one: orders.settle(first_of[one.order], one), one) for one in asked
            ]
        await self._publish(
            [
                self._entry(orders.placed_id(one.order), one.event.placed_at, one.event, one.shard)
                for one in asked
                if isinstance(one, Placement)
            ]
        )
        return _counted("order", [_attempt(_accepted_order, one) for one in asked])

    async def cancel(self, shop: str, number: str, request: CancelRequest) -> Accepted:
        """Call an order off.

        Raises:
            UnknownOrder: It was never placed here.
            Refused: The time is out of reach.
            Transient: Nothing is promised: send it again.
        """
        now = self.known().now
        if request.cancelled_at is not None:
            checks.check_time("cancelled_at", request.cancelled_at, now)
        order = orders.order_id(shop, number)
        async with self._database.connection() as connection:
            memory = await self._book.remember(connection, (), (order,))
        placement = memory.placements.get(order)
        event = orders.cancel(order, placement, request, now)
        assert placement is not None, "an unknown order cannot be cancelled"
        event_id = orders.cancelled_id(order)
        await self._publish([self._entry(event_id, event.cancelled_at, event, placement.shard)])
        accepted = Accepted("order", order, event_id, placement.pool)
        _counted("cancellation", [accepted])
        return accepted

    async def receive(
        self, requests: Sequence[ReceiptRequest | Refused]
    ) -> list[Accepted | Permanent]:
        """Take receipts, each for itself. Raises Transient as `place` does."""
        known = self.known()
        entries: list[Outgoing] = []

        def take(request: ReceiptRequest) -> Accepted:
            checks.check_receipt(request, known)
            pool = known.catalogue.locations[request.location].pool
            event = GoodsReceived(
                receipt=request.receipt,
                location=request.location,
                pool=pool,
                received_at=request.received_at,
                purchase_order=request.purchase_order,
                lines=request.lines,
            )
            event_id = derive_id("goods-received", request.receipt)
            shard = known.catalogue.pools[pool].shard
            entries.append(self._entry(event_id, event.received_at, event, shard))
            return Accepted("receipt", request.receipt, event_id, pool)

        answers = [_attempt(take, one) for one in requests]
        await self._publish(entries)
        return _counted("receipt", answers)

    async def count(self, request: CountRequest) -> Accepted:
        """Take a count. Raises Refused or Transient."""
        known = self.known()
        checks.check_count(request, known)
        pool = known.catalogue.locations[request.location].pool
        event = StockCounted(
            count=request.count,
            location=request.location,
            pool=pool,
            counted_at=request.counted_at,
            lines=request.lines,
        )
        event_id = derive_id("stock-counted", request.count)
        shard = known.catalogue.pools[pool].shard
        await self._publish([self._entry(event_id, event.counted_at, event, shard)])
        accepted = Accepted("count", request.count, event_id, pool)
        _counted("count", [accepted])
        return accepted

    async def put(self, entities: Sequence[CatalogueEntity], *, at: str = "") -> list[Accepted]:
        """Write master data, all or none; what follows here sees it at once.

        Raises:
            Refused: Something refers to what is not there.
            Conflict: A pool's shard or a location's pool would change.
            Transient: Nothing is promised: send it again.
        """
        async with self._writing_catalogue:  # two writers of one pool: the second sees the first
            known = self.known()
            checks.check_entities(entities, known.catalogue, at)
            accepted, entries = [], []
            for entity in entities:
                event_id = derive_id(entity.key, entity.model_dump_json())
                entries.append(self._entry(event_id, known.now, entity))
                kind = type(entity).__name__.lower()
                accepted.append(Accepted(kind, entity.entity_id, event_id))
            await self._publish(entries)
            for entity in entities:
                known.catalogue.apply(entity)
        return accepted

    async def advance(self, until: datetime) -> None:
        """Say on every shard that everything before `until` has been sent.

        Raises:
            Refused: It lies ahead of the system's time by more than a day.
            Conflict: A later time has been said.
            Transient: It may have been said on some shards: say it again.
        """
        checks.check_time("until", until, datetime.now(UTC))
        said = self.clock.said
        if said is not None and until < said:
            raise Conflict(f"time stands at {said.isoformat()}", field="until")
        event = TimeAdvanced(until=until)
        await self._publish(
            [
                self._entry(
                    derive_id("time-advanced", until, shard), until, event, shard, CLOCK_SOURCE
                )
                for shard in range(SHARDS)
            ]
        )
        self.clock.said = until

    def _entry(
        self,
        event_id: str,
        time: datetime,
        event: Event,
        partition: int | None = None,
        source: str = HTTP_SOURCE,
    ) -> Outgoing:
        message = Message(event_id, source, time, event, traceparent=telemetry.traceparent())
        headers, body = encode(message)
        key = None if event.key is None else event.key.encode()
        if partition is None:
            assert key is not None, f"{event.type_name()} has neither a key nor a partition"
            partition = partition_of(event.topic.name, key)
        return Outgoing(0, event.topic.name, partition, key, headers, body)

    async def _publish(self, entries: Sequence[Outgoing]) -> None:
        if not entries:
            return
        try:
            async with asyncio.timeout(self._publish_timeout_s):
                await self._send(entries)
        except TimeoutError:
            raise Transient(
                f"Kafka has not acknowledged within {self._publish_timeout_s:g} s"
            ) from None

    async def _send_all(self, entries: list[Outgoing]) -> list[None]:
        await self._producer.publish(entries)
        return [None] * len(entries)

    async def _remember_all(self, asked: list[Placement]) -> list[Placement]:
        """Return each order as it was first taken; one statement, which commits by itself."""
        async with self._database.connection() as connection:
            memory = await self._book.remember(connection, asked)
        return [memory.placements[one.order] for one in asked]


def _attempt(take: Callable[[AskedT], AnswerT], asked: AskedT | Permanent) -> AnswerT | Permanent:
    """Take one item of a batch; what is refused stays so and does not touch the others."""
    if isinstance(asked, Permanent):
        return asked
    try:
        return take(asked)
    except Permanent as error:
        return error


def _accepted_order(placement: Placement) -> Accepted:
    event_id = orders.placed_id(placement.order)
    return Accepted("order", placement.order, event_id, placement.pool)


def _counted(kind: str, answers: list[Accepted | Permanent]) -> list[Accepted | Permanent]:
    accepted = sum(isinstance(one, Accepted) for one in answers)
    telemetry.TAKEN_IN.labels(kind, "accepted").inc(accepted)
    telemetry.TAKEN_IN.labels(kind, "refused").inc(len(answers) - accepted)
    return answers
