"""Lines that one pool cannot serve, offered to others."""

from restock_common.contracts.ledger.base import (
    DeliveryWindow,
    LedgerEvent,
    OrderLine,
    Place,
    Ranked,
    Shard,
    Sourcing,
)
from restock_common.units import Identifier, LocationId, OrderId, PoolId, Timestamp, Units


class LineOffered(Ranked, LedgerEvent):
    """A home pool offers a line that it cannot serve to the next pool by rank, once.

    Offers are answered when time next advances, in order of (placed_at, offer), after the
    target's own orders: so the answer does not depend on how two shards' logs interleave.
    """

    offer: Identifier
    order: OrderId
    line: OrderLine
    customer: Identifier
    placed_at: Timestamp
    destination: Place
    window: DeliveryWindow | None = None
    home_shard: Shard
    home_pool: PoolId
    sourcing: Sourcing


class LineAccepted(LedgerEvent):
    """The target pool reserved the offered line, all of it."""

    offer: Identifier
    order: OrderId
    line: Identifier
    pool: PoolId
    location: LocationId


class LineRefused(LedgerEvent):
    """The target pool cannot serve the offered line: home asks the next, or backorders it."""

    offer: Identifier
    order: OrderId
    line: Identifier
    pool: PoolId


class LineWithdrawn(LedgerEvent):
    """Home wants only `remaining` units of an offer; the target remembers a whole one for ever."""

    offer: Identifier
    order: OrderId
    line: Identifier
    pool: PoolId
    remaining: Units = 0
