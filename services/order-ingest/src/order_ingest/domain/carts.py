"""Where a cart is held, and until when."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from order_ingest.domain import kits, register
from order_ingest.domain.findings import Finding, Refused
from order_ingest.domain.orders import shops_id
from order_ingest.domain.register import Entry
from order_ingest.domain.requests import HoldRequest
from restock_common.contracts.catalogue import Catalogue
from restock_common.contracts.ledger import CartHeld, Sourcing
from restock_common.errors import shown


def hold(
    shop: str,
    request: HoldRequest,
    catalogue: Catalogue,
    ranked: Sequence[Sourcing],
    now: datetime,
) -> Entry[CartHeld]:
    """Return the cart as it would be held now.

    Args:
        shop: Who sends it.
        request: What was sent, of skus that the catalogue has.
        catalogue: What kits are made of.
        ranked: The pools that have a location, the nearest first; at least one.
        now: When it is held, unless the request tells.

    Raises:
        Refused: The pool that it names has no location, or it takes more than one hold may.
    """
    pools = {sourcing.pool: sourcing for sourcing in ranked}
    sourcing = ranked[0] if request.pool is None else pools.get(request.pool)
    if sourcing is None:
        raise Refused([Finding("pool", "has no location", shown(request.pool))])
    held_at = request.held_at or now
    event = CartHeld(
        hold=shops_id(shop, request.hold),
        sourcing=sourcing,
        held_at=held_at,
        expires_at=held_at + timedelta(seconds=request.ttl_s),
        lines=kits.hold_lines(request.lines, catalogue),
        channel=request.channel,
    )
    return register.entry(event.hold, event, request, free={"hold"})
