"""Adobe Commerce and Magento: https://developer.adobe.com/commerce/extensibility/webhooks/."""

from typing import Annotated

from pydantic import Field

from order_ingest.domain.channels.base import (
    Addressee,
    Channel,
    Command,
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
    read,
    unwrapped,
)
from order_ingest.domain.channels.signatures import first_of, rsa_over_base64, secret_in_header
from order_ingest.domain.channels.snapshots import Back, Item, Snapshot, backs_of, commands_of

_SIGNATURE = "x-adobe-commerce-webhook-signature"
_ORDER_AT = (("order",), ("data", "order"), ("event", "data", "value"), ("data", "value"))
_MEMO_AT = (("creditmemo",), ("data", "creditmemo"))
_NOT_SHIPPED = {"virtual", "downloadable", "giftcard"}
_TAKEN_APART = "bundle"


class _OfItem(Lenient):
    qty_shipped: Count = 0


class _Item(Lenient):
    item_id: Id
    parent_item_id: Ref = ""
    product_id: Ref = ""
    product_type: Word = ""
    sku: SkuWord = ""
    is_virtual: Flag = False
    qty_ordered: Count
    qty_canceled: Count | None = 0
    qty_refunded: Count | None = 0
    qty_shipped: Count | None = 0


class _Address(Lenient):
    address_type: Word = ""
    firstname: Word = ""
    lastname: Word = ""
    street: tuple[Word, ...] | Word = ""
    city: Word = ""
    region_code: Word = ""
    postcode: Word = ""
    country_id: Word = ""
    telephone: Word = ""
    email: Word = ""


class _Shipping(Lenient):
    address: _Address | None = None


class _Assignment(Lenient):
    shipping: _Shipping | None = None


class _Extension(Lenient):
    shipping_assignments: tuple[_Assignment, ...] = ()


class _Order(Lenient):
    entity_id: Id
    state: Word = ""
    created_at: Moment
    updated_at: Moment | None = None
    customer_id: Word = ""
    customer_email: Word = ""
    order_currency_code: Word = ""
    grand_total: Money = None
    items: Annotated[tuple[_Item, ...], Field(max_length=5000)]
    addresses: tuple[_Address, ...] = ()
    shipping_address: _Address | None = None
    billing_address: _Address | None = None
    extension_attributes: _Extension | None = None


class _MemoItem(Lenient):
    order_item_id: Id
    product_id: Ref = ""
    sku: SkuWord = ""
    qty: Count
    back_to_stock: Flag = False
    order_item: _OfItem | None = None


class _Memo(Lenient):
    entity_id: Id
    order_id: Id
    created_at: Moment
    items: Annotated[tuple[_MemoItem, ...], Field(max_length=1000)] = ()


def adapt(_headers: Headers, raw: bytes, shop: Shop) -> tuple[Command, ...]:
    """Return what a delivery asks for; see `base.Adapter`."""
    value = unwrapped(raw)
    inner = value.get("data", value) if isinstance(value, dict) else None
    if isinstance(inner, dict) and isinstance(inner.get("creditmemo"), dict):
        memo = read(_Memo, raw, *_MEMO_AT)
        return backs_of(memo.order_id, (_back(memo),), shop)
    order = read(_Order, raw, *_ORDER_AT)
    if order.state == "pending_payment":
        return (Ignored("state 'pending_payment': nobody has paid for it yet"),)
    return commands_of(_snapshot(order), shop)


def _snapshot(order: _Order) -> Snapshot:
    address = _address(order)
    changed_at = order.updated_at or order.created_at
    street = address.street if isinstance(address.street, str) else joined(*address.street)
    return Snapshot(
        order=order.entity_id,
        placed_at=order.created_at,
        changed_at=changed_at,
        items=_items(order.items),
        customer=order.customer_id or order.customer_email or address.email,
        recipient=Addressee(
            name=joined(address.firstname, address.lastname),
            mail=order.customer_email or address.email,
            phone=address.telephone,
            street=street,
            postal_code=address.postcode,
            city=address.city,
            country=address.country_id,
        ),
        region=address.region_code,
        value=order.grand_total,
        currency=order.order_currency_code,
        cancelled_at=changed_at if order.state == "canceled" else None,
        items_at="items",
    )


def _address(order: _Order) -> _Address:
    """Return where it goes: in each of the forms that Adobe Commerce writes it in."""
    if order.shipping_address is not None:
        return order.shipping_address
    extension = order.extension_attributes or _Extension()
    for assignment in extension.shipping_assignments:
        if assignment.shipping is not None and assignment.shipping.address is not None:
            return assignment.shipping.address
    of_kind = {one.address_type: one for one in reversed(order.addresses)}
    return of_kind.get("shipping") or order.billing_address or of_kind.get("billing") or _Address()


def _items(items: tuple[_Item, ...]) -> tuple[Item, ...]:
    """Return what is shipped, each thing once.

    A configurable product comes as itself and as what was chosen: the parent counts, it has the
    sku of what was chosen and the quantities. A bundle comes as itself and its parts: they count.
    """
    parents = {one.item_id: one for one in items}
    with_parts = {one.parent_item_id for one in items if one.parent_item_id}
    counted = []
    for number, one in enumerate(items):
        parent = parents.get(one.parent_item_id)
        if parent is not None and parent.product_type != _TAKEN_APART:
            continue
        if one.product_type == _TAKEN_APART and one.item_id in with_parts:
            continue
        counted.append(_item(one, number))
    return tuple(counted)


def _item(one: _Item, number: int) -> Item:
    shipped = one.qty_shipped or 0
    to_ship = one.qty_ordered - max(shipped, one.qty_refunded or 0) - (one.qty_canceled or 0)
    return Item(
        at=f"items.{number}",
        line=one.item_id,
        sku=one.sku,
        variant=one.product_id,
        product=one.product_id,
        ordered=one.qty_ordered,
        target=shipped + max(to_ship, 0),  # as Adobe Commerce itself counts what is to ship
        ships=not one.is_virtual and one.product_type not in _NOT_SHIPPED,
    )


def _back(memo: _Memo) -> Back:
    """Return what a credit memo puts back to stock; of what never left, the order tells."""
    items = tuple(
        Item(
            at=f"creditmemo.items.{number}",
            line=one.order_item_id,
            sku=one.sku,
            variant=one.product_id,
            product=one.product_id,
            ordered=one.qty,
            target=one.qty,
        )
        for number, one in enumerate(memo.items)
        if one.back_to_stock and (one.order_item is None or one.order_item.qty_shipped)
    )
    return Back(f"creditmemo-{memo.entity_id}", memo.created_at, items, "", "creditmemo")


ADOBE_COMMERCE = Channel(
    "adobe_commerce",
    adapt,
    first_of((_SIGNATURE, rsa_over_base64(_SIGNATURE)), (None, secret_in_header)),
)
