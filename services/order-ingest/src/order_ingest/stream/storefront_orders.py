"""restock.storefront-orders.v1: the door for storefronts that speak Kafka.

A record's value is the same JSON as the body of `POST /v1/orders`, or
`{"cancel": "<order>", "cancelled_at": ..., "reason": ...}`, of which only `cancel` must be there.
The header `shop` names the shop, which must have an API key that is good for orders: so what it may
send by HTTP it may send here. Who may write on the topic, and so name any such shop, is the
broker's to control. What cannot be taken becomes a dead letter with field and reason.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, assert_never, cast

from order_ingest.domain import checks, orders
from order_ingest.domain.checks import Known
from order_ingest.domain.findings import Finding, Refused
from order_ingest.domain.orders import Placement
from order_ingest.domain.requests import (
    CancelMessage,
    OrderRequest,
    Recipient,
    parse_storefront_message,
)
from order_ingest.domain.sandbox import shop_of
from order_ingest.domain.waiting import Command, command_on_order
from order_ingest.handlers import (
    BY_KAFKA,
    Delivery,
    Door,
    Memory,
    OrderBook,
    Register,
    WaitingRoom,
    attempt,
    cited_holds,
    take_order,
)
from restock_common.contracts.envelope import Message, Record, trace_context
from restock_common.contracts.event import Event
from restock_common.contracts.ledger import CartHeld
from restock_common.contracts.topics import SANDBOX, STOREFRONT_ORDERS, Topic
from restock_common.errors import Transient
from restock_common.postgres import Connection
from restock_common.transact import Emission


class OrderAsked(Event):
    """An order that passed every check but whether it is a repeat; never published."""

    topic: ClassVar[Topic] = STOREFRONT_ORDERS

    shop: str
    placement: Placement
    recipient: Recipient | None = None


class CancelAsked(Event):
    """A cancellation that passed every check but whether its order is known; never published."""

    topic: ClassVar[Topic] = STOREFRONT_ORDERS

    shop: str
    order: str
    request: CancelMessage


@dataclass(slots=True)
class Batch:
    """The orders that one transaction is about.

    Attributes:
        memory: They as they were first taken, those of this batch among them.
        holds: The carts that they cite, by id.
        reached: Those of this batch that have been decided: only then are they known.
        deliveries: Who gets them, where that was said.
        waiting: Cancellations whose order is not known.
    """

    memory: Memory
    holds: Mapping[str, CartHeld]
    reached: set[str] = field(default_factory=set)
    deliveries: list[Delivery] = field(default_factory=list)
    waiting: list[Command] = field(default_factory=list)

    def known(self, order: str) -> Placement | None:
        """Return an order that was placed before this point of the log."""
        if order in self.memory.new and order not in self.reached:
            return None
        return self.memory.placements.get(order)


class StorefrontOrders:
    """The application on the raw topic; checks and decisions are those of the HTTP door.

    Args:
        door: What an order is checked against.
        book: Where each order is remembered.
        register: Where the carts are that orders cite.
        room: Where cancellations wait for their order.
        may_send: Tells whether a shop may send orders; `Shops.may_send_orders`.
    """

    def __init__(
        self,
        door: Door,
        book: OrderBook,
        register: Register,
        room: WaitingRoom,
        may_send: Callable[[str], bool],
    ) -> None:
        self._door = door
        self._book = book
        self._register = register
        self._room = room
        self._may_send = may_send

    def read(self, record: Record) -> Message[Event]:
        """Return what a record asks for.

        Raises:
            Refused: It can never be taken.
            Transient: There is no pool to take it, or what it names may still come.
        """
        shop = self._shop(record)
        request = parse_storefront_message(record.value)
        known = self._door.known()
        event: OrderAsked | CancelAsked
        match request:
            case OrderRequest():
                placement = self._take(shop, request, known)
                event = OrderAsked(shop=shop, placement=placement, recipient=request.recipient)
                event_id, time = orders.placed_id(placement.order), request.placed_at
            case CancelMessage():
                time = request.cancelled_at or record.written_at
                checks.check_time("cancelled_at", time, known.now)
                order = orders.shops_id(shop, request.cancel)
                event = CancelAsked(shop=shop, order=order, request=request)
                event_id = orders.cancelled_id(order)
            case _:
                assert_never(request)
        return Message(
            event_id,
            source=f"/restock/storefronts/{shop}",
            time=time,
            event=event,
            traceparent=trace_context(_header(record, "traceparent")),
        )

    def _take(self, shop: str, request: OrderRequest, known: Known) -> Placement:
        try:
            return take_order(shop, request, known, self._door.customers.privacy)
        except Refused as error:
            if error.missing and self._door.may_miss():
                raise Transient(f"it may wait in the spool: {error}") from error
            raise

    async def load(self, connection: Connection, messages: Sequence[Message[Event]]) -> Batch:
        """Write the orders that are not there yet, and return all that the messages speak of."""
        asked = [one.event.placement for one in messages if isinstance(one.event, OrderAsked)]
        others = [one.event.order for one in messages if isinstance(one.event, CancelAsked)]
        holds = await cited_holds(self._register, connection, asked)
        homed = [attempt(lambda one: orders.follow_hold(one, holds), one) for one in asked]
        placements = [one for one in homed if isinstance(one, Placement)]
        return Batch(await self._book.remember(connection, placements, others), holds)

    def handle(self, state: Batch, message: Message[Event]) -> Iterable[Emission]:
        """Publish the order as it was first taken, or its cancellation, on its shard.

        A cancellation of an order that is not known waits; the housekeeper delivers it.
        """
        event = cast("OrderAsked | CancelAsked", message.event)
        match event:
            case OrderAsked(shop=shop, placement=asked, recipient=recipient):
                asked = orders.follow_hold(asked, state.holds)
                first = orders.settle(state.memory.placements[asked.order], asked)
                state.reached.add(first.order)
                if recipient is not None:
                    token = first.event.customer
                    state.deliveries.append(Delivery(shop, first.order, token, recipient))
                return (self._emission(first.event, first),)
            case CancelAsked(shop=shop, order=order, request=request):
                placement = state.known(order)
                if placement is None:
                    state.waiting.append(command_on_order(shop, order, request, message.time))
                    return ()
                cancelled = orders.cancel(placement, request, message.time)
                return (self._emission(cancelled, placement),)
            case _:
                assert_never(event)

    async def save(self, connection: Connection, state: Batch) -> None:
        """Write who gets the orders, and what waits; `load` has written the orders."""
        for order in sorted(state.memory.new):
            placed_at = state.memory.placements[order].event.placed_at
            self._door.arrivals.note(shop_of(order), BY_KAFKA, "order", told_at=placed_at, orders=1)
        if state.deliveries:
            await self._door.customers.recipients.keep(connection, state.deliveries)
        if state.waiting:
            await self._room.add(connection, state.waiting)

    def _emission(self, event: Event, placement: Placement) -> Emission:
        topic = SANDBOX if self._door.sandboxes(placement.order) else None
        return Emission(event, topic, partition=placement.shard)

    def _shop(self, record: Record) -> str:
        shop = _header(record, "shop")
        if not shop:
            raise Refused([Finding("header shop", "is missing")])
        if not self._may_send(shop):
            raise Refused([Finding("header shop", "is no shop with a key for orders", shop)])
        return shop


def _header(record: Record, name: str) -> str | None:
    for found, value in record.headers:
        if found == name:
            return value.decode(errors="backslashreplace")
    return None
