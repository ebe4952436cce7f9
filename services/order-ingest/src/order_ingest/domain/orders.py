"""What an order is called, where it goes, and what a repeat of it means."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from order_ingest.domain.findings import Conflict, Finding, Refused, UnknownOrder
from order_ingest.domain.requests import CancelRequest, OrderRequest
from restock_common.contracts.envelope import derive_id
from restock_common.contracts.ledger import OrderCancelled, OrderLine, OrderPlaced, Sourcing

MAX_ORDER_BYTES = 900_000
"""A record of the ledger holds 2 MiB: the rest is for the ranked pools and warehouses."""


@dataclass(frozen=True, slots=True)
class Placement:
    """An order as it was first taken; whatever comes later, it stays that.

    Attributes:
        event: What the ledger is told, with the pools as they were ranked then.
        digest: Of what the shop said, without what the door added.
    """

    event: OrderPlaced
    digest: bytes

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


def order_id(shop: str, number: str) -> str:
    """Return `<shop>:<number>`, also where the number has been given in that form already."""
    prefix = f"{shop}:"
    return number if number.startswith(prefix) else prefix + number


def placed_id(order: str) -> str:
    """Return the event id of an order's placement."""
    return derive_id("order-placed", order)


def cancelled_id(order: str) -> str:
    """Return the event id of an order's cancellation."""
    return derive_id("order-cancelled", order)


def place(shop: str, request: OrderRequest, sourcing: tuple[Sourcing, ...]) -> Placement:
    """Return the order as it would be taken now.

    Args:
        shop: Who sends it.
        request: What was sent.
        sourcing: The pools by rank, the home pool first.

    Raises:
        Refused: It is too long for a record of the ledger.
    """
    event = OrderPlaced(
        order=order_id(shop, request.order),
        customer=request.customer,
        placed_at=request.placed_at,
        destination=request.destination,
        window=request.window,
        lines=tuple(
            OrderLine(line=line.line or str(number), sku=line.sku, quantity=line.quantity)
            for number, line in enumerate(request.lines, 1)
        ),
        sourcing=sourcing,
    )
    said = event.model_dump_json(exclude={"sourcing"}, exclude_none=True).encode()
    if len(said) > MAX_ORDER_BYTES:
        raise Refused([Finding("body", f"is an order of more than {MAX_ORDER_BYTES} bytes")])
    return Placement(event, blake2b(said, digest_size=16).digest())


def settle(first: Placement, asked: Placement) -> Placement:
    """Return what a repeat is answered with: the order as it was first taken.

    Raises:
        Conflict: The repeat says something else.
    """
    if first.digest != asked.digest:
        raise Conflict(f"order {asked.order!r} was placed before with other content", field="order")
    return first


def cancel(
    order: str, known: Placement | None, request: CancelRequest, now: datetime
) -> OrderCancelled:
    """Return the cancellation of an order.

    Raises:
        UnknownOrder: It was never placed.
    """
    if known is None:
        raise UnknownOrder(f"order {order!r} is not known", field="order")
    return OrderCancelled(
        order=order, cancelled_at=request.cancelled_at or now, reason=request.reason
    )
