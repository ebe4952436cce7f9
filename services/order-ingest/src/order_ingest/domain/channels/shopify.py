"""Shopify: https://shopify.dev/docs/api/webhooks, topics of orders and refunds."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from pydantic import Field

from order_ingest.domain.channels.base import (
    Addressee,
    Cancel,
    Channel,
    Command,
    Headers,
    Ignored,
    Shop,
    Shown,
)
from order_ingest.domain.channels.lenient import (
    Count,
    Degrees,
    Flag,
    Id,
    Lenient,
    Moment,
    Money,
    Ref,
    SkuWord,
    Word,
    joined,
    position,
    read,
    wrong,
)
from order_ingest.domain.channels.shopify_api import TOPIC, ShopifyOrders
from order_ingest.domain.channels.shown import shown_in
from order_ingest.domain.channels.signatures import hmac_in
from order_ingest.domain.channels.snapshots import (
    Back,
    Item,
    Snapshot,
    backs_of,
    commands_of,
)
from order_ingest.domain.requests import CancelRequest

_BEGUN = "orders/create"
_CHANGED = frozenset(
    f"orders/{what}"
    for what in ("updated", "cancelled", "paid", "fulfilled", "partially_fulfilled")
)
_FAILED_FULFILMENT = {"cancelled", "error", "failure"}
_CAME_BACK = "return"


class _Line(Lenient):
    id: Id
    sku: SkuWord = ""
    variant_id: Ref = ""
    product_id: Ref = ""
    quantity: Count
    current_quantity: Count | None = None
    requires_shipping: Flag = True
    gift_card: Flag = False


class _LineBack(Lenient):
    line_item_id: Id
    quantity: Count
    restock_type: Word = ""
    location_id: Ref = ""
    line_item: _Line | None = None


class _Refund(Lenient):
    id: Id
    order_id: Id
    created_at: Moment
    refund_line_items: Annotated[tuple[_LineBack, ...], Field(max_length=1000)] = ()


class _FulfilledLine(Lenient):
    id: Id
    quantity: Count


class _Fulfilment(Lenient):
    status: Word = ""
    line_items: Annotated[tuple[_FulfilledLine, ...], Field(max_length=1000)] = ()


class _Address(Lenient):
    name: Word = ""
    phone: Word = ""
    address1: Word = ""
    address2: Word = ""
    zip: Word = ""
    city: Word = ""
    province_code: Word = ""
    country_code: Word = ""
    latitude: Degrees = None
    longitude: Degrees = None


class _Customer(Lenient):
    id: Word = ""
    email: Word = ""


class _Order(Lenient):
    id: Id
    order_number: Word = ""
    name: Word = ""
    created_at: Moment
    updated_at: Moment | None = None
    cancelled_at: Moment | None = None
    cancel_reason: Word = ""
    test: Flag = False
    email: Word = ""
    phone: Word = ""
    currency: Word = ""
    total_price: Money = None
    customer: _Customer | None = None
    shipping_address: _Address | None = None
    billing_address: _Address | None = None
    line_items: Annotated[tuple[_Line, ...], Field(max_length=5000)]
    fulfillments: Annotated[tuple[_Fulfilment, ...] | None, Field(max_length=1000)] = ()
    refunds: Annotated[tuple[_Refund, ...] | None, Field(max_length=1000)] = ()


class _Deleted(Lenient):
    id: Id


def adapt(headers: Headers, raw: bytes, shop: Shop) -> tuple[Command, ...]:
    """Return what a delivery asks for; see `base.Adapter`."""
    topic = headers.get(TOPIC, "").strip().lower()
    if topic == _BEGUN or topic in _CHANGED:
        order = read(_Order, raw)
        return commands_of(_snapshot(order, begun=topic == _BEGUN), shop)
    if topic == "orders/delete":
        order_id = read(_Deleted, raw).id
        return (Cancel(order_id, CancelRequest(reason="deleted in the shop")),)
    if topic == "refunds/create":
        refund = read(_Refund, raw)
        return backs_of(refund.order_id, tuple(_backs([refund], {}, "")), shop)
    if not topic:
        raise wrong(f"header {TOPIC}", "is missing")
    return (Ignored(f"topic {topic[:80]!r} says nothing of what is to be shipped"),)


def shows(headers: Headers, raw: bytes) -> Shown | None:
    """Return the order that a delivery shows; see `base.Reader`."""
    topic = headers.get(TOPIC, "").strip().lower()
    if topic != _BEGUN and topic not in _CHANGED:
        return None
    order = read(_Order, raw)
    told = _snapshot(order, begun=True)
    return shown_in(told, order.order_number or order.name, order.updated_at)


def _snapshot(order: _Order, *, begun: bool) -> Snapshot:
    address = order.shipping_address or order.billing_address or _Address()
    customer = order.customer or _Customer()
    shipped = _shipped(order.fulfillments or ())
    refunded, returned = Counter[str](), Counter[str]()
    for refund in order.refunds or ():
        for back in refund.refund_line_items:
            refunded[back.line_item_id] += back.quantity
            if back.restock_type == _CAME_BACK:
                returned[back.line_item_id] += back.quantity
    items = tuple(
        _item(line, f"line_items.{number}", _wanted(line, shipped, refunded, returned))
        for number, line in enumerate(order.line_items)
    )
    return Snapshot(
        order=order.id,
        placed_at=order.created_at,
        changed_at=None if begun else _changed_at(order),
        items=items,
        customer=customer.id or order.email or customer.email or order.phone,
        recipient=Addressee(
            name=address.name,
            mail=order.email or customer.email,
            phone=address.phone or order.phone,
            street=joined(address.address1, address.address2),
            postal_code=address.zip,
            city=address.city,
            country=address.country_code,
        ),
        region=address.province_code,
        position=position(address.latitude, address.longitude),
        value=order.total_price,
        currency=order.currency,
        cancelled_at=order.cancelled_at,
        cancel_reason=order.cancel_reason,
        test=order.test,
        backs=tuple(
            _backs(order.refunds or (), {line.id: line for line in order.line_items}, "refunds.")
        ),
    )


def _changed_at(order: _Order) -> datetime:
    if order.updated_at is None:
        raise wrong("updated_at", "is missing, and tells which state is the newer")
    return order.updated_at


def _wanted(
    line: _Line, shipped: Counter[str], refunded: Counter[str], returned: Counter[str]
) -> int:
    """Return the units of a line that are to be shipped, those included that have been.

    What came back has left before: Shopify takes it out of `current_quantity`, and it is still a
    part of the order here, where the return is booked by itself.
    """
    current = line.current_quantity
    left = max(line.quantity - refunded[line.id], 0) if current is None else current
    return max(min(left + returned[line.id], line.quantity), shipped[line.id])


def _shipped(fulfilments: Iterable[_Fulfilment]) -> Counter[str]:
    units = Counter[str]()
    for one in fulfilments:
        if one.status.lower() not in _FAILED_FULFILMENT:
            for line in one.line_items:
                units[line.id] += line.quantity
    return units


def _backs(refunds: Iterable[_Refund], lines: dict[str, _Line], at: str) -> Iterable[Back]:
    """Yield what refunds brought back, by the location that it came back to."""
    for number, refund in enumerate(refunds):
        place = f"{at}{number}.refund_line_items" if at else "refund_line_items"
        by_location: dict[str, list[Item]] = {}
        for index, back in enumerate(refund.refund_line_items):
            line = back.line_item or lines.get(back.line_item_id)
            if back.restock_type == _CAME_BACK and line is not None:
                by_location.setdefault(back.location_id, []).append(
                    _item(line, f"{place}.{index}", back.quantity)
                )
        for location, items in by_location.items():
            returned = f"refund-{refund.id}-{location}" if location else f"refund-{refund.id}"
            yield Back(returned, refund.created_at, tuple(items), location, place)


def _item(line: _Line, at: str, target: int) -> Item:
    return Item(
        at=at,
        line=line.id,
        sku=line.sku,
        variant=line.variant_id,
        product=line.product_id,
        ordered=line.quantity,
        target=target,
        ships=line.requires_shipping and not line.gift_card,
    )


SHOPIFY = Channel(
    "shopify",
    adapt,
    hmac_in("x-shopify-hmac-sha256"),
    (TOPIC,),
    shows=shows,
    contiguous=True,
    orders_api=ShopifyOrders,
)
