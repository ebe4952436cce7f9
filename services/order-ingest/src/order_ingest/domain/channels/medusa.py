"""Medusa: https://docs.medusajs.com, events of orders, sent on by a subscriber of the shop's."""

from typing import Annotated, Any

from pydantic import Field

from order_ingest.domain.channels.base import (
    Addressee,
    Channel,
    Command,
    FetchOrder,
    Headers,
    Ignored,
    Shop,
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
    unwrapped,
    validated,
    wrong,
)
from order_ingest.domain.channels.signatures import first_of, secret_in_header, standard
from order_ingest.domain.channels.snapshots import Back, Item, Snapshot, commands_of

_BEGUN = "order.placed"
_CALLED_OFF = {"canceled", "cancelled"}
_NOT_YET = {"draft", "requires_action"}
_CAME_BACK = "received"
"""All of it: a part that was received before is told again with it, and a return counts once."""
_NAMES = ("type", "event", "name", "eventName")


class _Detail(Lenient):
    shipped_quantity: Count = 0


class _Item(Lenient):
    id: Id
    variant_id: Ref = ""
    variant_sku: SkuWord = ""
    product_id: Ref = ""
    quantity: Count
    requires_shipping: Flag = True
    is_giftcard: Flag = False
    detail: _Detail | None = None


class _Address(Lenient):
    first_name: Word = ""
    last_name: Word = ""
    address_1: Word = ""
    address_2: Word = ""
    city: Word = ""
    province: Word = ""
    postal_code: Word = ""
    country_code: Word = ""
    phone: Word = ""


class _ItemBack(Lenient):
    item_id: Id
    received_quantity: Count | None = None


class _Return(Lenient):
    id: Id
    status: Word = ""
    received_at: Moment | None = None
    location_id: Ref = ""
    items: Annotated[tuple[_ItemBack, ...] | None, Field(max_length=1000)] = ()


class _Order(Lenient):
    id: Id
    status: Word = ""
    created_at: Moment
    updated_at: Moment
    canceled_at: Moment | None = None
    email: Word = ""
    customer_id: Word = ""
    currency_code: Word = ""
    total: Money = None
    shipping_address: _Address | None = None
    billing_address: _Address | None = None
    items: Annotated[tuple[_Item, ...], Field(max_length=5000)]
    returns: Annotated[tuple[_Return, ...] | None, Field(max_length=1000)] = ()


class _Thin(Lenient):
    order_id: Word = ""
    id: Word = ""


def adapt(_headers: Headers, raw: bytes, shop: Shop) -> tuple[Command, ...]:
    """Return what a delivery asks for; see `base.Adapter`."""
    value = unwrapped(raw)
    name, data, at = _opened(value)
    if not name.startswith("order"):
        return (Ignored(f"event {name[:80]!r} says nothing of orders"),)
    if not isinstance(data, dict) or "items" not in data or "created_at" not in data:
        thin = validated(_Thin, data, at)
        if not (thin.order_id or thin.id):
            raise wrong(".".join([*at, "id"]), "is missing")
        order_id = validated(_Id, {"id": thin.order_id or thin.id}, at).id
        return (FetchOrder(order_id, "Medusa's own events tell the id alone"),)
    order = validated(_Order, data, at)
    if order.status in _NOT_YET:
        return (Ignored(f"status {order.status!r}: nobody has ordered yet"),)
    return commands_of(_snapshot(order, begun=name == _BEGUN), shop)


class _Id(Lenient):
    id: Id


def _opened(value: Any) -> tuple[str, Any, tuple[str, ...]]:
    """Return the name of an event, what it tells, and where that stands."""
    if not isinstance(value, dict):
        raise wrong("body", "is not an object", value)
    name = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), None)
    if name is None:
        raise wrong("type", "is missing: it names the event")
    return name.strip().lower(), value.get("data"), ("data",)


def _snapshot(order: _Order, *, begun: bool) -> Snapshot:
    address = order.shipping_address or order.billing_address or _Address()
    off = order.canceled_at or (order.updated_at if order.status in _CALLED_OFF else None)
    return Snapshot(
        order=order.id,
        placed_at=order.created_at,
        changed_at=None if begun else order.updated_at,
        items=tuple(_item(one, number) for number, one in enumerate(order.items)),
        customer=order.customer_id or order.email,
        recipient=Addressee(
            name=joined(address.first_name, address.last_name),
            mail=order.email,
            phone=address.phone,
            street=joined(address.address_1, address.address_2),
            postal_code=address.postal_code,
            city=address.city,
            country=address.country_code,
        ),
        region=address.province.rpartition("-")[2],
        address_at="data.shipping_address",
        value=order.total,
        currency=order.currency_code,
        cancelled_at=off,
        backs=tuple(_backs(order)),
        changed_field="data.updated_at",
        items_at="data.items",
    )


def _item(one: _Item, number: int, back: int | None = None) -> Item:
    shipped = one.detail.shipped_quantity if one.detail else 0
    return Item(
        at=f"data.items.{number}",
        line=one.id,
        sku=one.variant_sku,
        variant=one.variant_id,
        product=one.product_id,
        ordered=one.quantity,
        target=max(one.quantity, shipped) if back is None else back,
        ships=one.requires_shipping and not one.is_giftcard,
    )


def _backs(order: _Order) -> list[Back]:
    lines = {one.id: (number, one) for number, one in enumerate(order.items)}
    backs = []
    for number, one in enumerate(order.returns or ()):
        if one.status != _CAME_BACK:
            continue
        items = tuple(
            _item(lines[back.item_id][1], lines[back.item_id][0], back.received_quantity)
            for back in one.items or ()
            if back.item_id in lines and back.received_quantity
        )
        came_at = one.received_at or order.updated_at
        backs.append(Back(one.id, came_at, items, one.location_id, f"data.returns.{number}"))
    return backs


MEDUSA = Channel(
    "medusa", adapt, first_of(("webhook-signature", standard), (None, secret_in_header))
)
