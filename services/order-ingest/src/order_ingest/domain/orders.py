"""What an order is called, where it goes, and what a repeat of it means."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from order_ingest.domain import kits
from order_ingest.domain.findings import Conflict, Finding, Refused
from order_ingest.domain.privacy import Privacy, may_be_one
from order_ingest.domain.requests import (
    AmendmentRequest,
    CancelRequest,
    OrderRequest,
    ReturnRequest,
)
from restock_common.contracts.catalogue import Catalogue
from restock_common.contracts.envelope import derive_id, encode_body
from restock_common.contracts.event import Event
from restock_common.contracts.ledger import (
    CartHeld,
    OrderAmended,
    OrderCancelled,
    OrderLine,
    OrderPlaced,
    OrderReturned,
    Sourcing,
)
from restock_common.errors import shown

MAX_ORDER_BYTES = 900_000
"""A record of the ledger holds 2 MiB: the rest is for the ranked pools and warehouses."""

_NOT_IN_THE_DIGEST: Any = {
    "sourcing": True,
    "destination": True,
    "lines": {"__all__": {"components"}},
}
"""What the door added, and where it goes, which is compared by itself."""


@dataclass(frozen=True)
class Placement:
    """An order as it was first taken; whatever comes later, it stays that.

    Attributes:
        event: What the ledger is told, with the pools as they were ranked then.
        digest: Of what the shop said, without what the door added. It is keyed, and of nothing that
            does not stand on the event: when the customer is forgotten, it tells nothing of them.
    """

    event: OrderPlaced
    digest: bytes

    @cached_property
    def told(self) -> bytes:
        """Return what the ledger is told, as JSON: written once, however often it is used."""
        return encode_body(self.event)

    @property
    def order(self) -> str:
        """Return the order's id."""
        return self.event.order

    @property
    def pool(self) -> str:
        """Return the home pool."""
        return self.event.sourcing[0].pool

    @property
    def shard(self) -> int:
        """Return the shard of the home pool, which is the partition of all that concerns it."""
        return self.event.sourcing[0].shard


def shops_id(shop: str, number: str) -> str:
    """Return `<shop>:<number>`, also where the number has been given in that form already.

    So orders, carts and returns of two shops are never the same one.
    """
    prefix = f"{shop}:"
    return number if number.startswith(prefix) else prefix + number


def placed_id(order: str) -> str:
    """Return the event id of an order's placement."""
    return derive_id("order-placed", order)


def amended_id(order: str, revision: int) -> str:
    """Return the event id of an order's amendment."""
    return derive_id("order-amended", order, revision)


def cancelled_id(order: str) -> str:
    """Return the event id of an order's cancellation."""
    return derive_id("order-cancelled", order)


def returned_id(returned: str) -> str:
    """Return the event id of a return."""
    return derive_id("order-returned", returned)


def place(
    shop: str,
    request: OrderRequest,
    catalogue: Catalogue,
    sourcing: tuple[Sourcing, ...],
    privacy: Privacy,
) -> Placement:
    """Return the order as it would be taken now.

    Args:
        shop: Who sends it.
        request: What was sent, of skus that the catalogue has.
        catalogue: What kits are made of.
        sourcing: The pools by rank, the home pool first.
        privacy: What is told of the customer and the place.

    Raises:
        Refused: It is too long for a record of the ledger, or a kit takes too many units.
    """
    event = OrderPlaced(
        order=shops_id(shop, request.order),
        customer=privacy.token(shop, request.customer),
        placed_at=request.placed_at,
        destination=privacy.coarsen(request.destination),
        window=request.window,
        lines=kits.order_lines(request.lines, catalogue),
        sourcing=sourcing,
        hold=None if request.hold is None else shops_id(shop, request.hold),
        ship_complete=request.ship_complete,
        channel=request.channel,
        customer_tier=request.customer_tier,
        promised_by=request.promised_by,
        value=request.value,
    )
    # Without defaults, so that a field that is added later changes no order's digest.
    said = event.model_dump_json(exclude=_NOT_IN_THE_DIGEST, exclude_defaults=True)
    placement = Placement(event, privacy.digest(said.encode()))
    if len(placement.told) > MAX_ORDER_BYTES:
        _check_fits(placement.event, exclude={"sourcing"})
    return placement


def follow_hold(placement: Placement, holds: Mapping[str, CartHeld]) -> Placement:
    """Return the order homed where the cart was held that it cites, which may be far away.

    Args:
        placement: As geography has it.
        holds: The carts that are known, by id.

    Raises:
        Refused: The cart was never held here.
    """
    cited = placement.event.hold
    if cited is None:
        return placement
    held = holds.get(cited)
    if held is None:
        raise Refused([Finding("hold", "was never taken here", shown(cited))])
    ranked = {sourcing.pool: sourcing for sourcing in placement.event.sourcing}
    home = ranked.pop(held.sourcing.pool, held.sourcing)
    event = placement.event.model_copy(update={"sourcing": (home, *ranked.values())})
    return replace(placement, event=event)


def settle(first: Placement, asked: Placement) -> Placement:
    """Return what a repeat is answered with: the order as it was first taken.

    Raises:
        Conflict: The repeat says something else.
    """
    elsewhere = not may_be_one(first.event.destination, asked.event.destination)
    if elsewhere or first.digest != asked.digest:
        raise Conflict(f"order {asked.order!r} was placed before with other content", field="order")
    return first


def cancel(placement: Placement, request: CancelRequest, now: datetime) -> OrderCancelled:
    """Return the cancellation of an order."""
    return OrderCancelled(
        order=placement.order, cancelled_at=request.cancelled_at or now, reason=request.reason
    )


def amend(
    placement: Placement, request: AmendmentRequest, lines: tuple[OrderLine, ...], now: datetime
) -> OrderAmended:
    """Return the amendment of an order.

    Args:
        placement: The order.
        request: What was sent.
        lines: Its lines, as the ledger is told them.
        now: When it was amended, unless the request tells.

    Raises:
        Refused: It is too long for a record of the ledger.
    """
    event = OrderAmended(
        order=placement.order,
        revision=request.revision,
        amended_at=request.amended_at or now,
        lines=lines,
    )
    _check_fits(event)
    return event


def check_replacements(placement: Placement, request: ReturnRequest, pool: str) -> None:
    """Raise Refused where goods cannot be replaced that came back to a pool.

    They came back to another pool than the order's home, which would have to send what replaces
    them; or what replaces them has the name of a line that the order has.
    """
    if request.replacements and pool != placement.pool:
        reason = f"are sent from pool {placement.pool!r}: return the goods there, or amend"
        raise Refused([Finding("replacements", reason, shown(request.location))])
    names = {line.line for line in placement.event.lines}
    findings = [
        Finding(f"replacements.{index}.line", "is a line of the order", shown(line.line))
        for index, line in enumerate(request.replacements)
        if line.line in names
    ]
    if findings:
        raise Refused(findings)


def give_back(
    shop: str,
    placement: Placement,
    request: ReturnRequest,
    pool: str,
    replacements: tuple[OrderLine, ...],
) -> OrderReturned:
    """Return what came back of an order.

    Args:
        shop: Who sends it.
        placement: The order.
        request: What was sent.
        pool: Of the location that it came back to.
        replacements: What is sent instead, as the ledger is told it.

    Raises:
        Refused: It is too long for a record of the ledger.
    """
    event = OrderReturned(
        returned=shops_id(shop, request.returned),
        order=placement.order,
        location=request.location,
        pool=pool,
        returned_at=request.returned_at,
        lines=request.lines,
        replacements=replacements,
    )
    _check_fits(event)
    return event


def _check_fits(event: Event, exclude: set[str] | None = None) -> None:
    if len(event.model_dump_json(exclude=exclude, exclude_none=True).encode()) > MAX_ORDER_BYTES:
        raise Refused([Finding("body", f"is an order of more than {MAX_ORDER_BYTES} bytes")])
