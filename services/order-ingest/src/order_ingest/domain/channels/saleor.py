"""Saleor: https://docs.saleor.io/developer/extending/webhooks, by the subscription in the docs."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from order_ingest.domain.channels.base import (
    Addressee,
    Channel,
    Command,
    Headers,
    Ignored,
    Shop,
    ShopSettings,
)
from order_ingest.domain.channels.lenient import (
    Count,
    Flag,
    Id,
    Lenient,
    Moment,
    Money,
    Ref,
    SkuWord,
    Word,
    joined,
    read,
)
from order_ingest.domain.channels.signatures import detached_jws_in, hex_hmac_in
from order_ingest.domain.channels.snapshots import Back, Item, Snapshot, commands_of

_EVENT = "saleor-event"
_SIGNATURE = "saleor-signature"
_JWS, _HMAC = detached_jws_in(_SIGNATURE), hex_hmac_in(_SIGNATURE)
_ORDER_AT = (("order",), ("event", "order"), ("data", "event", "order"))
_BEGUN = "order_created"
_NOT_YET = {"draft", "unconfirmed"}
_CALLED_OFF = {"canceled", "expired"}
_CAME_BACK = {"returned", "refunded_and_returned"}
_TAKEN_OUT = "refunded"


class _Camel(Lenient):
    model_config = ConfigDict(alias_generator=to_camel)


class _Named(_Camel):
    id: Ref = ""


class _Country(_Camel):
    code: Word = ""


class _Address(_Camel):
    first_name: Word = ""
    last_name: Word = ""
    street_address_1: Word = ""
    street_address_2: Word = ""
    city: Word = ""
    country_area: Word = ""
    postal_code: Word = ""
    phone: Word = ""
    country: _Country | None = None


class _Line(_Camel):
    id: Id
    product_sku: SkuWord = ""
    product_variant_id: Ref = ""
    is_shipping_required: Flag = True
    quantity: Count


class _LineOf(_Camel):
    quantity: Count
    order_line: _Named | None = None


class _Fulfilment(_Camel):
    id: Id
    status: Word = ""
    created: Moment | None = None
    warehouse: _Named | None = None
    lines: Annotated[tuple[_LineOf, ...] | None, Field(max_length=1000)] = ()


class _Amount(_Camel):
    amount: Money = None
    currency: Word = ""


class _Total(_Camel):
    gross: _Amount | None = None


class _Order(_Camel):
    id: Id
    created: Moment
    updated_at: Moment
    status: Word
    user_email: Word = ""
    user: _Named | None = None
    total: _Total | None = None
    shipping_address: _Address | None = None
    billing_address: _Address | None = None
    lines: Annotated[tuple[_Line, ...], Field(max_length=5000)]
    fulfillments: Annotated[tuple[_Fulfilment, ...] | None, Field(max_length=1000)] = ()


def adapt(headers: Headers, raw: bytes, shop: Shop) -> tuple[Command, ...]:
    """Return what a delivery asks for; see `base.Adapter`."""
    event = headers.get(_EVENT, "").strip().lower()
    if event and not event.startswith(("order_", "fulfillment_")):
        return (Ignored(f"event {event[:80]!r} says nothing of orders"),)
    order = read(_Order, raw, *_ORDER_AT)
    if order.status.lower() in _NOT_YET:
        return (Ignored(f"status {order.status[:80]!r}: nobody has ordered yet"),)
    return commands_of(_snapshot(order, begun=event == _BEGUN), shop)


def _snapshot(order: _Order, *, begun: bool) -> Snapshot:
    address = order.shipping_address or order.billing_address or _Address()
    gross = (order.total or _Total()).gross or _Amount()
    return Snapshot(
        order=order.id,
        placed_at=order.created,
        changed_at=None if begun else order.updated_at,
        items=tuple(
            _item(line, number, line.quantity - min(_taken_out(order, line), line.quantity))
            for number, line in enumerate(order.lines)
        ),
        customer=(order.user or _Named()).id or order.user_email,
        recipient=Addressee(
            name=joined(address.first_name, address.last_name),
            mail=order.user_email,
            phone=address.phone,
            street=joined(address.street_address_1, address.street_address_2),
            postal_code=address.postal_code,
            city=address.city,
            country=(address.country or _Country()).code,
        ),
        region=address.country_area,
        address_at="order.shippingAddress",
        value=gross.amount,
        currency=gross.currency,
        cancelled_at=order.updated_at if order.status.lower() in _CALLED_OFF else None,
        backs=tuple(_backs(order)),
        changed_field="order.updatedAt",
        items_at="order.lines",
    )


def _item(line: _Line, number: int, target: int) -> Item:
    return Item(
        at=f"order.lines.{number}",
        line=line.id,
        sku=line.product_sku,
        variant=line.product_variant_id,
        product="",
        ordered=line.quantity,
        target=target,
        ships=line.is_shipping_required,
    )


def _taken_out(order: _Order, line: _Line) -> int:
    """Return the units of a line that were refunded and did not come back."""
    return sum(
        one.quantity
        for fulfilment in order.fulfillments or ()
        if fulfilment.status.lower() == _TAKEN_OUT
        for one in fulfilment.lines or ()
        if one.order_line is not None and one.order_line.id == line.id
    )


def _backs(order: _Order) -> list[Back]:
    lines = {line.id: (number, line) for number, line in enumerate(order.lines)}
    backs = []
    for number, one in enumerate(order.fulfillments or ()):
        if one.status.lower() not in _CAME_BACK:
            continue
        items = tuple(
            _item(lines[back.order_line.id][1], lines[back.order_line.id][0], back.quantity)
            for back in one.lines or ()
            if back.order_line is not None and back.order_line.id in lines
        )
        at = f"order.fulfillments.{number}"
        location = (one.warehouse or _Named()).id
        backs.append(Back(one.id, one.created or order.updated_at, items, location, at))
    return backs


def verify(headers: Headers, raw: bytes, settings: ShopSettings, now: datetime) -> None:
    """Check the HMAC where a secret key is set, else the JWS; see `base.Verifier`."""
    scheme = _HMAC if settings.secrets else _JWS
    scheme(headers, raw, settings, now)


SALEOR = Channel("saleor", adapt, verify, (_EVENT,))
