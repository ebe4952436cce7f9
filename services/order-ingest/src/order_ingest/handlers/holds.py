"""Carts: units are kept for a while, and let go."""

from urllib.parse import quote

from order_ingest.domain import carts, checks, register
from order_ingest.domain.orders import shops_id
from order_ingest.domain.register import Entry
from order_ingest.domain.requests import HoldRequest
from order_ingest.domain.sourcing import rank_pools
from order_ingest.handlers.desk import Desk
from order_ingest.handlers.gathered import Gathered
from order_ingest.handlers.ports import Accepted, Register
from restock_common.contracts.envelope import derive_id
from restock_common.contracts.ledger import CartHeld, CartReleased
from restock_common.errors import Transient
from restock_common.postgres import Database


class Holds:
    """The doors for carts.

    Args:
        desk: What they stand on.
        database: Where the register is.
        register: Remembers each cart, since its end carries nothing but its id.
    """

    def __init__(self, desk: Desk, database: Database, register: Register) -> None:
        self._desk = desk
        self._database = database
        self._register = register
        self._enter = Gathered(self._enter_all)

    async def hold(self, shop: str, request: HoldRequest) -> Accepted:
        """Ask to keep units for a cart; the ledger tells whether they are there.

        Raises:
            Refused: It names what is not there, or a time out of reach.
            Conflict: The cart was held before with other content.
            Transient: Nothing is promised: send it again.
        """
        known = self._desk.known()
        checks.check_hold(request, known)
        ranked = rank_pools(known.catalogue, request.destination)
        if not ranked:
            raise Transient("the catalogue has no pool with a location yet")
        asked = carts.hold(shop, request, known.catalogue, ranked, known.now)
        [first] = await self._enter([asked])
        event = register.settle(first, asked, "hold").event
        event_id = derive_id("cart-held", event.hold)
        shard = event.sourcing.shard
        return await self._desk.accept(
            Accepted(
                "hold",
                event.hold,
                event_id,
                event.sourcing.pool,
                (("expires_at", event.expires_at.isoformat()), _state(event.hold)),
            ),
            self._desk.entry(event_id, event, shard, time=event.held_at),
            counted_as="hold",
        )

    async def release(self, shop: str, name: str) -> Accepted:
        """Let all units of a cart go.

        Raises:
            Unknown: It was never held here.
            Transient: Nothing is promised: send it again.
        """
        now = self._desk.known().now
        hold = shops_id(shop, name)
        async with self._database.connection() as connection:
            found = await self._register.find(connection, CartHeld, [hold])
        held = register.taken("hold", hold, found.get(hold))
        event = CartReleased(hold=hold, released_at=now)
        event_id = derive_id("cart-released", hold)
        return await self._desk.accept(
            Accepted("hold", hold, event_id, held.sourcing.pool, (_state(hold),)),
            self._desk.entry(event_id, event, held.sourcing.shard, time=now),
            counted_as="release",
        )

    async def _enter_all(self, asked: list[Entry[CartHeld]]) -> list[Entry[CartHeld]]:
        async with self._database.connection() as connection:
            return await self._register.enter(connection, asked)


def _state(hold: str) -> tuple[str, str]:
    """Return where the ledger's own API tells what became of a cart."""
    return "state", f"/v1/holds/{quote(hold, safe=':')}"
