"""Orders: placed, amended, called off, given back."""

from collections.abc import Collection, Mapping, Sequence

from order_ingest.domain import checks, kits, orders
from order_ingest.domain.checks import Known
from order_ingest.domain.findings import Refused
from order_ingest.domain.orders import Placement, shops_id
from order_ingest.domain.privacy import Privacy
from order_ingest.domain.requests import (
    AmendmentRequest,
    CancelRequest,
    NamedLineRequest,
    OrderRequest,
    ReturnRequest,
    parse,
)
from order_ingest.domain.sourcing import rank_pools
from order_ingest.domain.waiting import KINDS, Command, OrderCommand, command_on_order
from order_ingest.handlers.customers import Customers, Delivery
from order_ingest.handlers.desk import Desk, attempt, counted
from order_ingest.handlers.gathered import Gathered
from order_ingest.handlers.ports import Accepted, OrderBook, Register
from order_ingest.handlers.waiting import Waiting
from restock_common.contracts.ledger import (
    CartHeld,
    OrderAmended,
    OrderCancelled,
    OrderLine,
    OrderReturned,
)
from restock_common.errors import Permanent, Transient
from restock_common.postgres import Connection, Database
from restock_common.transact import Outgoing

_COUNTED_AS: Mapping[type[OrderCommand], str] = {
    AmendmentRequest: "amendment",
    CancelRequest: "cancellation",
    ReturnRequest: "return",
}


def take_order(shop: str, request: OrderRequest, known: Known, privacy: Privacy) -> Placement:
    """Return the order as it would be taken now, checked and homed.

    It is ranked by the place as it is told to others: distances to warehouses would tell the rest.

    Raises:
        Refused: It names what is not there, or a time out of reach.
        Transient: No pool has a warehouse yet.
    """
    checks.check_order(request, known)
    sourcing = rank_pools(known.catalogue, privacy.coarsen(request.destination))
    if not sourcing:
        raise Transient("the catalogue has no pool with a location yet")
    return orders.place(shop, request, known.catalogue, sourcing, privacy)


async def cited_holds(
    register: Register, connection: Connection, placements: Sequence[Placement]
) -> Mapping[str, CartHeld]:
    """Return the carts that orders cite, by id; those that are not known are missing."""
    cited = {one.event.hold for one in placements if one.event.hold is not None}
    return await register.find(connection, CartHeld, sorted(cited)) if cited else {}


class Orders:
    """The doors for orders.

    Args:
        desk: What they stand on.
        database: Where the order book is.
        book: The order book.
        register: Where the carts are that orders cite.
        customers: Keeps who gets them.
        waiting: Keeps what comes before its order.
    """

    def __init__(
        self,
        desk: Desk,
        database: Database,
        book: OrderBook,
        register: Register,
        customers: Customers,
        waiting: Waiting,
    ) -> None:
        self._desk = desk
        self._customers = customers
        self._database = database
        self._book = book
        self._register = register
        self._waiting = waiting
        self._remember = Gathered(self._remember_all)

    async def place(
        self, shop: str, requests: Sequence[OrderRequest | Refused]
    ) -> Sequence[Accepted | Permanent]:
        """Take orders, each for itself, in one write and one publication for all.

        A repeat is answered like the first and published again: the sender may have missed the
        answer because the event was never published, and the ledger takes an order once.

        Raises:
            Transient: Nothing is promised for any of them: send them again.
        """
        privacy = self._customers.privacy
        asked = await self._desk.attempt_all(
            lambda one, known: take_order(shop, one, known, privacy), requests
        )
        asked = await self._follow_holds(asked)
        placements = [one for one in asked if isinstance(one, Placement)]
        awaited, new = set[str](), set[str]()
        if placements:
            remembered = await self._remember(placements)
            first_of = {first.order: first for first, _, _ in remembered}
            awaited = {first.order for first, _, is_awaited in remembered if is_awaited}
            new = {first.order for first, is_new, _ in remembered if is_new}
            asked = [
                attempt(lambda one: orders.settle(first_of[one.order], one), one) for one in asked
            ]
            await self._customers.keep(_deliveries(shop, requests, asked))
        await self._desk.publish([self._placed(one) for one in asked if isinstance(one, Placement)])
        for order in awaited:
            await self.deliver(order)
        return counted("order", [attempt(lambda one: _accepted(one, new), one) for one in asked])

    async def amend(self, shop: str, number: str, request: AmendmentRequest) -> Accepted:
        """Say what an order is to be from now on; one that was not seen yet is waited for.

        Raises:
            Unknown: The shop can have no such order.
            Refused: It names what is not there, or a time out of reach.
            Transient: Nothing is promised: send it again.
        """
        known = await self._desk.check(lambda known: checks.check_amendment(request, known))
        return await self._change(shop, shops_id(shop, number), request, known)

    async def cancel(self, shop: str, number: str, request: CancelRequest) -> Accepted:
        """Call an order off; one that was not seen yet is waited for.

        Raises:
            Unknown: The shop can have no such order.
            Refused: The time is out of reach.
            Transient: Nothing is promised: send it again.
        """
        known = self._desk.known()
        if request.cancelled_at is not None:
            checks.check_time("cancelled_at", request.cancelled_at, known.now)
        return await self._change(shop, shops_id(shop, number), request, known)

    async def give_back(self, shop: str, request: ReturnRequest) -> Accepted:
        """Take what came back of an order; it goes to the shard of where it came back to.

        Raises:
            Unknown: The shop can have no such order.
            Refused: It names what is not there, or a time out of reach.
            Transient: Nothing is promised: send it again.
        """
        known = await self._desk.check(lambda known: checks.check_return(request, known))
        return await self._change(shop, shops_id(shop, request.order), request, known)

    async def deliver(self, order: str) -> None:
        """Publish an order that is in the book, and behind it what has waited for it.

        Raises:
            Transient: It waits on.
        """
        known = self._desk.known()
        async with self._database.connection() as connection:
            placement = await self._book.find(connection, order)
            commands = await self._waiting.room.of(connection, "order", order)
        if placement is None or not commands:
            return
        delivered: list[tuple[Command, Outgoing | Permanent]] = []
        corrected: list[Delivery] = []
        for command in commands:
            try:
                request = parse(KINDS[command.name], command.body.encode())
                _, entry = await self._decide(command.shop, placement, request, known)
            except Permanent as error:
                delivered.append((command, error))
            except LookupError:
                break  # the catalogue that it was checked against has not come here yet
            else:
                delivered.append((command, entry))
                corrected += _corrected(command.shop, placement, request)
        if not delivered:
            return
        await self._customers.keep(corrected)
        await self._waiting.deliver(self._placed(placement), delivered)

    async def _change(self, shop: str, order: str, request: OrderCommand, known: Known) -> Accepted:
        async with self._database.connection() as connection:
            placement = await self._book.find(connection, order)
        if placement is None:
            return await self._wait(command_on_order(shop, order, request, known.now), request)
        accepted, entry = await self._decide(shop, placement, request, known)
        await self._customers.keep(_corrected(shop, placement, request))
        # A cancellation may come before its order, nothing else. What the book holds may still be
        # on its way to the ledger, or have been lost on it, however long ago.
        before = [] if isinstance(request, CancelRequest) else [self._placed(placement)]
        return await self._desk.accept(
            accepted, *before, entry, counted_as=_COUNTED_AS[type(request)]
        )

    async def _wait(self, command: Command, request: OrderCommand) -> Accepted:
        """Keep a command; where its order came meanwhile, deliver it."""
        await self._waiting.keep(command)
        async with self._database.connection() as connection:
            come = await self._book.find(connection, command.subject)
        if come is not None:
            await self.deliver(command.subject)
        kind, identity = "order", command.subject
        if isinstance(request, ReturnRequest):
            kind, identity = "returned", shops_id(command.shop, request.returned)
        accepted = Accepted(kind, identity, command.event, waiting=True)
        counted(_COUNTED_AS[type(request)], [accepted])
        return accepted

    async def _decide(
        self, shop: str, placement: Placement, request: OrderCommand, known: Known
    ) -> tuple[Accepted, Outgoing]:
        """Return what is answered and published of a command. Raises Refused or Transient."""
        event: OrderAmended | OrderCancelled | OrderReturned
        kind, identity, pool, shard = "order", placement.order, placement.pool, placement.shard
        match request:
            case AmendmentRequest():
                lines = await self._told(placement, request.lines, known)
                event = orders.amend(placement, request, lines, known.now)
                event_id, time = orders.amended_id(event.order, event.revision), event.amended_at
            case CancelRequest():
                event = orders.cancel(placement, request, known.now)
                event_id, time = orders.cancelled_id(event.order), event.cancelled_at
            case ReturnRequest():
                end = known.end(request.location)
                orders.check_replacements(placement, request, end.pool)
                told = await self._told(placement, request.replacements, known, at="replacements")
                event = orders.give_back(shop, placement, request, end.pool, told)
                event_id, time = orders.returned_id(event.returned), event.returned_at
                kind, identity, pool, shard = "returned", event.returned, event.pool, end.shard
        entry = self._desk.entry(event_id, event, shard, time=time)
        return Accepted(kind, identity, event_id, pool), entry

    def _placed(self, placement: Placement) -> Outgoing:
        event = placement.event
        event_id = orders.placed_id(placement.order)
        return self._desk.entry(
            event_id, event, placement.shard, time=event.placed_at, body=placement.told
        )

    async def _told(
        self,
        placement: Placement,
        lines: Sequence[NamedLineRequest],
        known: Known,
        *,
        at: str = "lines",
    ) -> tuple[OrderLine, ...]:
        """Return lines as the ledger is told them: each as it was when the order first had it."""
        before = {line.line: line for line in placement.event.lines}
        told = kits.order_lines(lines, known.catalogue, before, at=at)
        added = [line for line in told if line.line not in before]
        if not added:
            return told
        async with self._database.connection() as connection:
            first = await self._book.add_lines(connection, placement.order, added)
        return kits.order_lines(lines, known.catalogue, {**before, **first}, at=at)

    async def _follow_holds(
        self, asked: list[Placement | Permanent]
    ) -> list[Placement | Permanent]:
        """Home the orders that cite a cart where it was held."""
        placements = [one for one in asked if isinstance(one, Placement)]
        if all(one.event.hold is None for one in placements):
            return asked
        async with self._database.connection() as connection:
            holds = await cited_holds(self._register, connection, placements)
        return [attempt(lambda one: orders.follow_hold(one, holds), one) for one in asked]

    async def _remember_all(self, asked: list[Placement]) -> list[tuple[Placement, bool, bool]]:
        """Return each order as it was first taken, whether just now, and whether it is waited for.

        Written by one statement, which commits by itself; only then is looked at what waits.
        """
        async with self._database.connection() as connection:
            memory = await self._book.remember(connection, asked)
            awaited: Collection[str] = ()
            if memory.new:
                room = self._waiting.room
                awaited = await room.awaited(connection, "order", sorted(memory.new))
        return [
            (memory.placements[one.order], one.order in memory.new, one.order in awaited)
            for one in asked
        ]


def _accepted(placement: Placement, new: Collection[str]) -> Accepted:
    order = placement.order
    return Accepted("order", order, orders.placed_id(order), placement.pool, new=order in new)


def _deliveries(
    shop: str,
    requests: Sequence[OrderRequest | Refused],
    taken: Sequence[Placement | Permanent],
) -> list[Delivery]:
    """Return who gets the orders that were taken, where that was said."""
    return [
        Delivery(shop, placement.order, placement.event.customer, request.recipient)
        for request, placement in zip(requests, taken, strict=True)
        if isinstance(request, OrderRequest)
        and isinstance(placement, Placement)
        and request.recipient is not None
    ]


def _corrected(shop: str, placement: Placement, request: OrderCommand) -> list[Delivery]:
    """Return who gets an order from now on, where an amendment says so."""
    if not isinstance(request, AmendmentRequest) or request.recipient is None:
        return []
    token = placement.event.customer
    return [Delivery(shop, placement.order, token, request.recipient, request.revision)]
