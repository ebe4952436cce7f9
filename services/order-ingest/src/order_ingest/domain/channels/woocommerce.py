"""WooCommerce: https://woocommerce.com/document/webhooks/, topics of orders."""

import re
from collections import Counter
from datetime import datetime
from typing import Annotated

from pydantic import Field

from order_ingest.domain.channels.base import (
    Addressee,
    Amend,
    Cancel,
    Channel,
    Command,
    FetchOrder,
    Headers,
    Ignored,
    Shop,
    ShopSettings,
    Shown,
)
from order_ingest.domain.channels.lenient import (
    Count,
    Id,
    Lenient,
    Moment,
    Money,
    Ref,
    SkuWord,
    Word,
    joined,
    read,
    wrong,
)
from order_ingest.domain.channels.shown import shown_in
from order_ingest.domain.channels.signatures import hmac_in
from order_ingest.domain.channels.snapshots import Item, Snapshot, commands_of
from order_ingest.domain.channels.woocommerce_api import TOPIC, WooCommerceOrders
from order_ingest.domain.requests import CancelRequest

_SIGNED = hmac_in("x-wc-webhook-signature")
_PING = re.compile(rb"\s*webhook_id=\d{1,20}\s*")
_BEGUN = "order.created"
_CHANGED = {"order.updated", "order.restored"}
_NOT_YET = {"checkout-draft", "auto-draft", "draft"}
_CALLED_OFF = {"cancelled", "failed", "trash", "refunded"}
_NOTHING = "0"


class _Line(Lenient):
    id: Id
    product_id: Ref = ""
    variation_id: Ref = ""
    sku: SkuWord = ""
    quantity: Count


class _MetaOfRefund(Lenient):
    key: Word = ""
    value: object = None


class _LineRefunded(Lenient):
    quantity: int = 0
    meta_data: tuple[_MetaOfRefund, ...] = ()


class _Refund(Lenient):
    line_items: tuple[_LineRefunded, ...] | None = None


class _Address(Lenient):
    first_name: Word = ""
    last_name: Word = ""
    address_1: Word = ""
    address_2: Word = ""
    city: Word = ""
    state: Word = ""
    postcode: Word = ""
    country: Word = ""
    email: Word = ""
    phone: Word = ""


class _Order(Lenient):
    id: Id
    number: Word = ""
    status: Word
    date_created_gmt: Moment
    date_modified_gmt: Moment | None = None
    date_completed_gmt: Moment | None = None
    customer_id: Word = ""
    currency: Word = ""
    total: Money = None
    billing: _Address = _Address()
    shipping: _Address = _Address()
    line_items: Annotated[tuple[_Line, ...], Field(max_length=5000)]
    refunds: tuple[_Refund, ...] | None = ()


class _Deleted(Lenient):
    id: Id


def adapt(headers: Headers, raw: bytes, shop: Shop) -> tuple[Command, ...]:
    """Return what a delivery asks for; see `base.Adapter`."""
    if _PING.fullmatch(raw):
        return (Ignored("a ping, which WooCommerce sends when a webhook is saved"),)
    topic = headers.get(TOPIC, "").strip().lower()
    if topic == "order.deleted":
        order_id = read(_Deleted, raw).id
        return (Cancel(order_id, CancelRequest(reason="deleted in the shop")),)
    if topic == _BEGUN or topic in _CHANGED:
        return _of_order(read(_Order, raw), shop, begun=topic == _BEGUN)
    if not topic:
        raise wrong(f"header {TOPIC}", "is missing")
    return (Ignored(f"topic {topic[:80]!r} says nothing of what is to be shipped"),)


def shows(headers: Headers, raw: bytes) -> Shown | None:
    """Return the order that a delivery shows; see `base.Reader`."""
    topic = headers.get(TOPIC, "").strip().lower()
    if _PING.fullmatch(raw) or (topic != _BEGUN and topic not in _CHANGED):
        return None
    order = read(_Order, raw)
    if order.status in _NOT_YET:
        return None
    return shown_in(_snapshot(order, begun=True), order.number, order.date_modified_gmt)


def verify(headers: Headers, raw: bytes, settings: ShopSettings, now: datetime) -> None:
    """Check the signature; a ping has none, and does nothing. See `base.Verifier`."""
    if not _PING.fullmatch(raw):
        _SIGNED(headers, raw, settings, now)


def _of_order(order: _Order, shop: Shop, *, begun: bool) -> tuple[Command, ...]:
    if order.status in _NOT_YET:
        return (Ignored(f"status {order.status[:80]!r}: nobody has ordered yet"),)
    if order.status in _CALLED_OFF and order.date_completed_gmt is not None:
        return (Ignored(f"{order.status} after it was completed: what came back is not told"),)
    untold = any(refund.line_items is None for refund in order.refunds or ())
    commands = commands_of(_snapshot(order, begun=begun), shop)
    if untold and order.status not in _CALLED_OFF:
        # What is still wanted of it is not told either: an amendment would take the refund back.
        told = [one for one in commands if not isinstance(one, Amend)]
        return (*told, FetchOrder(order.id, "the lines of its refunds are not told"))
    return commands


def _snapshot(order: _Order, *, begun: bool) -> Snapshot:
    billing = order.billing
    address = order.shipping if order.shipping.country or order.shipping.city else billing
    changed_at = order.date_modified_gmt or order.date_created_gmt
    off = order.status in _CALLED_OFF  # and may be taken up again: no cancellation, which is final
    refunded = Counter[str]()
    for refund in order.refunds or ():
        for line in refund.line_items or ():
            for meta in line.meta_data:
                if meta.key == "_refunded_item_id":
                    refunded[str(meta.value)] += abs(line.quantity)
    return Snapshot(
        order=order.id,
        placed_at=order.date_created_gmt,
        changed_at=None if begun and not off else changed_at,
        items=tuple(
            _item(line, number, line.quantity if off else refunded[line.id])
            for number, line in enumerate(order.line_items)
        ),
        customer=_known(order.customer_id) or billing.email or billing.phone,
        recipient=Addressee(
            name=joined(address.first_name, address.last_name),
            mail=billing.email,
            phone=address.phone or billing.phone,
            street=joined(address.address_1, address.address_2),
            postal_code=address.postcode,
            city=address.city,
            country=address.country,
        ),
        region=address.state,
        address_at="shipping",
        value=order.total,
        currency=order.currency,
        changed_field="date_modified_gmt",
    )


def _item(line: _Line, number: int, refunded: int) -> Item:
    return Item(
        at=f"line_items.{number}",
        line=line.id,
        sku=line.sku,
        variant=_known(line.variation_id) or _known(line.product_id),
        product=_known(line.product_id),
        ordered=line.quantity,
        target=max(line.quantity - refunded, 0),
    )


def _known(number: str) -> str:
    """Return an id; WooCommerce writes 0 where there is none."""
    return "" if number == _NOTHING else number


WOOCOMMERCE = Channel(
    "woocommerce", adapt, verify, (TOPIC,), shows=shows, orders_api=WooCommerceOrders
)
