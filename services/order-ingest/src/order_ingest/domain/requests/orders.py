"""What storefronts say of orders, carts and returns."""

from typing import Annotated

from pydantic import Field

from order_ingest.domain.requests.base import MAX_BATCH_ITEMS, Request, ShopsOwn
from order_ingest.domain.requests.customers import Recipient
from restock_common.contracts.ledger import DeliveryWindow, HoldLine, Place, ReturnedLine
from restock_common.units import (
    Identifier,
    LocationId,
    PoolId,
    PositiveUnits,
    Sku,
    Text,
    Timestamp,
)

MAX_HOLD_S = 7 * 86_400
"""A cart that is kept for longer is an order."""


class LineRequest(Request):
    """One line of an order.

    Attributes:
        sku: A product, or a kit.
        quantity: Units, or kits.
        line: Its place in the order, from 1, unless the shop names it.
        preorder: What is not there may be promised from expected receipts.
        split: Whether several locations may serve it together.
    """

    sku: Sku
    quantity: PositiveUnits
    line: Identifier | None = None
    preorder: bool = False
    split: bool = True


class NamedLineRequest(LineRequest):
    """A line that must be named: in a list that changes, a place tells nothing."""

    line: Identifier


class OrderRequest(Request):
    """An order as a storefront sends it.

    Attributes:
        order: The shop's own number.
        customer: Who ordered: a number or whatever the shop knows them by. Told to nobody.
        placed_at: When.
        destination: Where it goes. Told to others as no more than near by.
        window: When the customer can take it.
        lines: What was ordered.
        hold: The cart hold that becomes this order, by the shop's own name of it.
        ship_complete: All lines leave together or none does.
        channel: Where it was sold, such as `amazon`.
        customer_tier: Such as `gold`.
        promised_by: When the customer was told to have it.
        value: What it is worth.
        recipient: Who gets it. Told to drivers alone, and no part of what a repeat must say again.
    """

    order: ShopsOwn
    customer: Identifier
    placed_at: Timestamp
    destination: Place
    window: DeliveryWindow | None = None
    lines: Annotated[tuple[LineRequest, ...], Field(min_length=1, max_length=1000)]
    hold: ShopsOwn | None = None
    ship_complete: bool = False
    channel: Identifier | None = None
    customer_tier: Identifier | None = None
    promised_by: Timestamp | None = None
    value: Annotated[float, Field(ge=0)] | None = None
    recipient: Recipient | None = None


class OrderBatch(Request):
    """Up to 1,000 orders, answered one by one."""

    orders: Annotated[tuple[OrderRequest, ...], Field(min_length=1, max_length=MAX_BATCH_ITEMS)]


class AmendmentRequest(Request):
    """The order as it is to be from now on: all its lines; one that is not named is taken out.

    Attributes:
        revision: Counts the amendments of an order; an older one than the last changes nothing.
        lines: Absolute quantities.
        amended_at: Without a time, it was now.
        recipient: Who gets it from now on, where that has changed; told to drivers alone.
    """

    revision: Annotated[int, Field(ge=1, lt=2**63)]
    lines: Annotated[tuple[NamedLineRequest, ...], Field(max_length=1000)]
    amended_at: Timestamp | None = None
    recipient: Recipient | None = None


class CancelRequest(Request):
    """Calls a whole order off; without a time, it was now."""

    cancelled_at: Timestamp | None = None
    reason: Text = ""


class CancelMessage(CancelRequest):
    """A cancellation on the Kafka door: told from an order by `cancel`, the order's number."""

    cancel: Identifier


class ReturnRequest(Request):
    """Shipped units that came back.

    Attributes:
        returned: The shop's own id of the return; the same return counts once.
        order: The order, by the shop's number of it or by its id.
        location: Where they came back to.
        returned_at: When.
        lines: What came back; of a kit, its components.
        replacements: What is sent instead, as new lines of the order: an exchange.
    """

    returned: ShopsOwn
    order: Identifier
    location: LocationId
    returned_at: Timestamp
    lines: Annotated[tuple[ReturnedLine, ...], Field(min_length=1, max_length=1000)]
    replacements: Annotated[tuple[NamedLineRequest, ...], Field(max_length=1000)] = ()


class HoldRequest(Request):
    """Keep units for a cart.

    Attributes:
        hold: The shop's own id of the cart.
        destination: Where the order will go, as far as is known.
        lines: A sku once; of a kit, all its components are kept.
        ttl_s: How long, in seconds, from `held_at`.
        held_at: Without a time, it was now.
        pool: Where; without one, in the pool nearest to the destination.
        channel: Where it would be sold.
    """

    hold: ShopsOwn
    destination: Place
    lines: Annotated[tuple[HoldLine, ...], Field(min_length=1, max_length=1000)]
    ttl_s: Annotated[int, Field(ge=1, le=MAX_HOLD_S)]
    held_at: Timestamp | None = None
    pool: PoolId | None = None
    channel: Identifier | None = None
