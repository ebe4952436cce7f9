"""BigCommerce: https://developer.bigcommerce.com/docs/integrations/webhooks; thin: only ids come.

The order itself is fetched: the answer of `GET /v2/orders/{id}` with the answers of its `products`
and `shipping_addresses` in the place of the links.
"""

from typing import Annotated

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
)
from order_ingest.domain.channels.signatures import first_of, secret_in_header, standard
from order_ingest.domain.channels.snapshots import Item, Snapshot, commands_of

_INCOMPLETE, _CANCELLED, _DECLINED = 0, 5, 6
_ORDER_SCOPES = "store/order/"
_ARCHIVED = "store/order/archived"
_SHIPPED_KINDS = {"", "physical"}


class _Data(Lenient):
    id: Id
    type: Word = ""


class _Hook(Lenient):
    scope: Word
    data: _Data


class _Product(Lenient):
    id: Id
    product_id: Ref = ""
    variant_id: Ref = ""
    sku: SkuWord = ""
    type: Word = ""
    quantity: Count
    quantity_shipped: Count = 0
    quantity_refunded: Count = 0


class _Address(Lenient):
    first_name: Word = ""
    last_name: Word = ""
    street_1: Word = ""
    street_2: Word = ""
    city: Word = ""
    zip: Word = ""
    country_iso2: Word = ""
    phone: Word = ""
    email: Word = ""


class _Order(Lenient):
    id: Id
    status_id: Count
    date_created: Moment
    date_modified: Moment
    customer_id: Word = ""
    currency_code: Word = ""
    total_inc_tax: Money = None
    billing_address: _Address = _Address()
    shipping_addresses: tuple[_Address, ...] = ()
    products: Annotated[tuple[_Product, ...], Field(max_length=5000)]


def adapt(_headers: Headers, raw: bytes, shop: Shop) -> tuple[Command, ...]:
    """Return what a delivery, or an order that was fetched, asks for; see `base.Adapter`."""
    value = unwrapped(raw)
    if isinstance(value, dict) and "products" in value:
        order = validated(_Order, value)
        if order.status_id == _INCOMPLETE:
            return (Ignored("it is incomplete: nobody has paid for it yet"),)
        return commands_of(_snapshot(order), shop)
    hook = validated(_Hook, value)
    if not hook.scope.startswith(_ORDER_SCOPES):
        return (Ignored(f"scope {hook.scope[:80]!r} says nothing of orders"),)
    if hook.scope == _ARCHIVED:
        return (Ignored("archiving hides an order, and changes nothing of it"),)
    return (FetchOrder(hook.data.id, "BigCommerce tells the id alone"),)


def _snapshot(order: _Order) -> Snapshot:
    billing = order.billing_address
    address = order.shipping_addresses[0] if order.shipping_addresses else billing
    # It may be taken up again: no cancellation, which is final.
    off = order.status_id in (_CANCELLED, _DECLINED)
    customer = "" if order.customer_id == "0" else order.customer_id
    return Snapshot(
        order=order.id,
        placed_at=order.date_created,
        changed_at=order.date_modified,
        items=tuple(_item(one, number, off=off) for number, one in enumerate(order.products)),
        customer=customer or billing.email or billing.phone,
        recipient=Addressee(
            name=joined(address.first_name, address.last_name),
            mail=billing.email or address.email,
            phone=address.phone or billing.phone,
            street=joined(address.street_1, address.street_2),
            postal_code=address.zip,
            city=address.city,
            country=address.country_iso2,
        ),
        address_at="shipping_addresses.0",
        value=order.total_inc_tax,
        currency=order.currency_code,
        changed_field="date_modified",
        items_at="products",
    )


def _item(one: _Product, number: int, *, off: bool) -> Item:
    gone = one.quantity if off else max(one.quantity_shipped, one.quantity_refunded)
    return Item(
        at=f"products.{number}",
        line=one.id,
        sku=one.sku,
        variant="" if one.variant_id == "0" else one.variant_id,
        product=one.product_id,
        ordered=one.quantity,
        target=one.quantity_shipped + max(one.quantity - gone, 0),
        ships=one.type.lower() in _SHIPPED_KINDS,
    )


BIGCOMMERCE = Channel(
    "bigcommerce", adapt, first_of(("webhook-signature", standard), (None, secret_in_header))
)
