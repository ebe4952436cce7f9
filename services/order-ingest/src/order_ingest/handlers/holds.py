"""Carts: units are kept for a while, and let go."""

from datetime import datetime
from urllib.parse import quote

from order_ingest.domain import carts, checks, register
from order_ingest.domain.orders import shops_id
from order_ingest.domain.privacy import Privacy
from order_ingest.domain.register import Entry
from order_ingest.domain.requests import HoldRequest
from order_ingest.domain.sourcing import rank_pools
from order_ingest.domain.waiting import release_of_hold, released_id
from order_ingest.handlers.desk import Desk, counted
from order_ingest.handlers.gathered import Gathered
from order_ingest.handlers.ports import Accepted, Register
from order_ingest.handlers.waiting import Waiting
from restock_common.contracts.envelope import derive_id
from restock_common.contracts.ledger import CartHeld, CartReleased
from restock_common.errors import Transient
from restock_common.postgres import Database
from restock_common.transact import Outgoing


class Holds:
    """The doors for carts.

    Args:
        desk: What they stand on.
        database: Where the register is.
        register: Remembers each cart, since its end carries nothing but its id.
        waiting: Keeps a release that comes before its cart.
        privacy: What the ranking, and what is remembered, may tell of where a cart will go.
    """

    def __init__(
        self,
        desk: Desk,
        database: Database,
        register: Register,
        waiting: Waiting,
        privacy: Privacy,
    ) -> None:
        self._desk = desk
        self._privacy = privacy
        self._database = database
        self._register = register
        self._waiting = waiting
        self._enter = Gathered(self._enter_all)

    async def hold(self, shop: str, request: HoldRequest) -> Accepted:
        """Ask to keep units for a cart; the ledger tells whether they are there.

        Raises:
            Refused: It names what is not there, or a time out of reach.
            Conflict: The cart was held before with other content.
            Transient: Nothing is promised: send it again.
        """
        known = await self._desk.check(lambda known: checks.check_hold(request, known))
        near = self._privacy.coarsen(request.destination)
        ranked = rank_pools(known.catalogue, near)
        if not ranked:
            raise Transient("the catalogue has no pool with a location yet")
        told = request.model_copy(update={"destination": near})
        asked = carts.hold(shop, told, known.catalogue, ranked, known.now)
        [(first, awaited)] = await self._enter([asked])
        event = register.settle(first, asked, "hold").event
        entry = _held(self._desk, event)
        accepted = await self._desk.accept(
            Accepted(
                "hold",
                event.hold,
                held_id(event.hold),
                event.sourcing.pool,
                (("expires_at", event.expires_at.isoformat()), _state(event.hold)),
            ),
            entry,
            counted_as="hold",
        )
        if awaited:
            await self.deliver(event.hold)
        return accepted

    async def release(self, shop: str, name: str) -> Accepted:
        """Let all units of a cart go; one that was not seen yet is waited for.

        Raises:
            Unknown: The shop can have no such cart.
            Transient: Nothing is promised: send it again.
        """
        now = self._desk.known().now
        hold = shops_id(shop, name)
        held = await self._find(hold)
        pool = None if held is None else held.sourcing.pool
        accepted = Accepted(
            "hold", hold, released_id(hold), pool, (_state(hold),), waiting=held is None
        )
        if held is None:
            await self._waiting.keep(release_of_hold(shop, hold, now))
            if await self._find(hold) is not None:
                await self.deliver(hold)
            counted("release", [accepted])
            return accepted
        # The cart may have been written down so lately that it is not published yet.
        return await self._desk.accept(
            accepted,
            _held(self._desk, held),
            _released(self._desk, held, now),
            counted_as="release",
        )

    async def deliver(self, hold: str) -> None:
        """Publish a cart that is in the register, and behind it the release that waited for it.

        Raises:
            Transient: It waits on.
        """
        held = await self._find(hold)
        async with self._database.connection() as connection:
            commands = await self._waiting.room.of(connection, "hold", hold)
        if held is None or not commands:
            return
        await self._waiting.deliver(
            _held(self._desk, held),
            [(one, _released(self._desk, held, one.came_at)) for one in commands],
        )

    async def _find(self, hold: str) -> CartHeld | None:
        async with self._database.connection() as connection:
            return (await self._register.find(connection, CartHeld, [hold])).get(hold)

    async def _enter_all(self, asked: list[Entry[CartHeld]]) -> list[tuple[Entry[CartHeld], bool]]:
        """Return each cart as it was first taken, and whether its release waits."""
        async with self._database.connection() as connection:
            entries = await self._register.enter(connection, asked)
            awaited = await self._waiting.room.awaited(
                connection, "hold", sorted({one.id for one in asked})
            )
        return [(one, one.id in awaited) for one in entries]


def held_id(hold: str) -> str:
    """Return the event id of a cart."""
    return derive_id("cart-held", hold)


def _held(desk: Desk, event: CartHeld) -> Outgoing:
    return desk.entry(held_id(event.hold), event, event.sourcing.shard, time=event.held_at)


def _released(desk: Desk, held: CartHeld, at: datetime) -> Outgoing:
    event = CartReleased(hold=held.hold, released_at=at)
    return desk.entry(released_id(held.hold), event, held.sourcing.shard, time=at)


def _state(hold: str) -> tuple[str, str]:
    """Return where the ledger's own API tells what became of a cart."""
    return "state", f"/v1/holds/{quote(hold, safe=':')}"
