"""Orders: placed, amended, called off, given back."""

from collections.abc import Mapping, Sequence

from order_ingest.domain import checks, kits, orders
from order_ingest.domain.checks import Known
from order_ingest.domain.findings import Refused
from order_ingest.domain.orders import Placement, shops_id
from order_ingest.domain.requests import (
    AmendmentRequest,
    CancelRequest,
    NamedLineRequest,
    OrderRequest,
    ReturnRequest,
)
from order_ingest.domain.sourcing import rank_pools
from order_ingest.handlers.desk import Desk, attempt, counted
from order_ingest.handlers.gathered import Gathered
from order_ingest.handlers.ports import Accepted, OrderBook, Register
from restock_common.contracts.ledger import CartHeld, OrderLine
from restock_common.errors import Permanent, Transient
from restock_common.postgres import Connection, Database


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
    return orders.place(shop, request, known.catalogue, sourcing)


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
    """

    def __init__(self, desk: Desk, database: Database, book: OrderBook, register: Register) -> None:
        self._desk = desk
        self._database = database
        self._book = book
        self._register = register
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
        known = self._desk.known()
        asked = [attempt(lambda one: take_order(shop, one, known), one) for one in requests]
        asked = await self._follow_holds(asked)
        placements = [one for one in asked if isinstance(one, Placement)]
        if placements:
            firsts = await self._remember(placements)
            first_of = {first.order: first for first in firsts}
            asked = [
                attempt(lambda one: orders.settle(first_of[one.order], one), one) for one in asked
            ]
        await self._desk.publish(
            [
                self._desk.entry(
                    orders.placed_id(one.order), one.event, one.shard, time=one.event.placed_at
                )
                for one in asked
                if isinstance(one, Placement)
            ]
        )
        return counted("order", [attempt(_accepted, one) for one in asked])

    async def amend(self, shop: str, number: str, request: AmendmentRequest) -> Accepted:
        """Say what an order is to be from now on.

        Raises:
            Unknown: It was never placed here.
            Refused: It names what is not there, or a time out of reach.
            Transient: Nothing is promised: send it again.
        """
        known = self._desk.known()
        checks.check_amendment(request, known)
        placement = await self._placed(shops_id(shop, number))
        lines = await self._told(placement, request.lines, known)
        event = orders.amend(placement, request, lines, known.now)
        event_id = orders.amended_id(event.order, event.revision)
        return await self._desk.accept(
            Accepted("order", event.order, event_id, placement.pool),
            self._desk.entry(event_id, event, placement.shard, time=event.amended_at),
            counted_as="amendment",
        )

    async def cancel(self, shop: str, number: str, request: CancelRequest) -> Accepted:
        """Call an order off.

        Raises:
            Unknown: It was never placed here.
            Refused: The time is out of reach.
            Transient: Nothing is promised: send it again.
        """
        now = self._desk.known().now
        if request.cancelled_at is not None:
            checks.check_time("cancelled_at", request.cancelled_at, now)
        placement = await self._placed(shops_id(shop, number))
        event = orders.cancel(placement, request, now)
        event_id = orders.cancelled_id(event.order)
        return await self._desk.accept(
            Accepted("order", event.order, event_id, placement.pool),
            self._desk.entry(event_id, event, placement.shard, time=event.cancelled_at),
            counted_as="cancellation",
        )

    async def give_back(self, shop: str, request: ReturnRequest) -> Accepted:
        """Take what came back of an order; it goes to the shard of where it came back to.

        Raises:
            Unknown: The order was never placed here.
            Refused: It names what is not there, or a time out of reach.
            Transient: Nothing is promised: send it again.
        """
        known = self._desk.known()
        checks.check_return(request, known)
        placement = await self._placed(shops_id(shop, request.order))
        end = known.end(request.location)
        orders.check_replacements(placement, request, end.pool)
        instead = await self._told(placement, request.replacements, known, at="replacements")
        event = orders.give_back(shop, placement, request, end.pool, instead)
        event_id = orders.returned_id(event.returned)
        return await self._desk.accept(
            Accepted("returned", event.returned, event_id, event.pool),
            self._desk.entry(event_id, event, end.shard, time=event.returned_at),
            counted_as="return",
        )

    async def _placed(self, order: str) -> Placement:
        async with self._database.connection() as connection:
            memory = await self._book.remember(connection, (), (order,))
        return orders.placed(order, memory.placements.get(order))

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

    async def _remember_all(self, asked: list[Placement]) -> list[Placement]:
        """Return each order as it was first taken; one statement, which commits by itself."""
        async with self._database.connection() as connection:
            memory = await self._book.remember(connection, asked)
        return [memory.placements[one.order] for one in asked]


def _accepted(placement: Placement) -> Accepted:
    event_id = orders.placed_id(placement.order)
    return Accepted("order", placement.order, event_id, placement.pool)
