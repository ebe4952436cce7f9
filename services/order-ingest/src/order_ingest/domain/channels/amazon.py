"""Amazon: ORDER_CHANGE notifications of the Selling Partner API, as EventBridge or SQS hand on.

https://developer-docs.amazon.com/sp-api/docs/notification-type-values. Notifications repeat states:
each is a snapshot, compared by the ledger with what it knows, and never added.
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
    SkuWord,
    Word,
    read,
)
from order_ingest.domain.channels.signatures import secret_in_header
from order_ingest.domain.channels.snapshots import Item, Snapshot, commands_of

_ENVELOPES = (("detail",), ("Message",), ("body",), ("Body",))
_BY_AMAZON = "AFN"
_CALLED_OFF = {"canceled", "cancelled"}
_COUNTRIES = {
    "ATVPDKIKX0DER": "US",
    "A2EUQ1WTGCTBG2": "CA",
    "A1AM78C64UM0Y8": "MX",
    "A2Q3Y263D00KWC": "BR",
    "A28R8C7NBKEWEA": "IE",
    "A1RKKUPIHCS9HS": "ES",
    "A1F83G8C2ARO7P": "GB",
    "A13V1IB3VIYZZH": "FR",
    "AMEN7PMS3EDWL": "BE",
    "A1805IZSGTT6HS": "NL",
    "A1PA6795UKMFR9": "DE",
    "APJ6JRA9NG5V4": "IT",
    "A2NODRKZP88ZB9": "SE",
    "AE08WJ6YKNBMC": "ZA",
    "A1C3SOZRARQ6R3": "PL",
    "ARBP9OOSHTCHU": "EG",
    "A33AVAJ2PDY3EV": "TR",
    "A17E79C6D8DWNP": "SA",
    "A2VIGQ35RCS4UG": "AE",
    "A21TJRUUN4KGV": "IN",
    "A19VAU5U5O7RUS": "SG",
    "A39IBJ37TRP1C6": "AU",
    "A1VC38T7YXB528": "JP",
}
"""Source: Selling Partner API, marketplace ids."""


class _Trigger(Lenient):
    TimeOfOrderChange: Moment | None = None


class _Item(Lenient):
    OrderItemId: Id
    SellerSKU: SkuWord = ""
    OrderItemStatus: Word = ""
    Quantity: Count | None = None
    QuantityShipped: Count | None = None


class _Summary(Lenient):
    MarketplaceId: Word = ""
    OrderStatus: Word = ""
    FulfillmentType: Word = ""
    PurchaseDate: Moment | None = None
    LatestDeliveryDate: Moment | None = None
    DestinationPostalCode: Word = ""
    OrderItems: Annotated[tuple[_Item, ...] | None, Field(max_length=1000)] = None


class _Change(Lenient):
    AmazonOrderId: Id
    OrderChangeTrigger: _Trigger | None = None
    Summary: _Summary | None = None


class _Payload(Lenient):
    OrderChangeNotification: _Change


class _Kind(Lenient):
    NotificationType: Word


class _Notification(Lenient):
    EventTime: Moment
    Payload: _Payload


def adapt(_headers: Headers, raw: bytes, shop: Shop) -> tuple[Command, ...]:
    """Return what a notification asks for; see `base.Adapter`."""
    kind = read(_Kind, raw, *_ENVELOPES).NotificationType
    if kind != "ORDER_CHANGE":
        return (Ignored(f"notification type {kind[:80]!r} says nothing of what is to be shipped"),)
    notification = read(_Notification, raw, *_ENVELOPES)
    change = notification.Payload.OrderChangeNotification
    summary = change.Summary or _Summary()
    if summary.FulfillmentType == _BY_AMAZON:
        return (Ignored("Amazon ships it from its own stock (AFN)"),)
    items = summary.OrderItems or ()
    told = bool(items) and all(one.Quantity is not None and one.SellerSKU for one in items)
    off = summary.OrderStatus.lower() in _CALLED_OFF
    if summary.PurchaseDate is None or not (told or off):
        return (FetchOrder(change.AmazonOrderId, "the notification does not tell all of it"),)
    trigger = change.OrderChangeTrigger or _Trigger()
    changed_at = trigger.TimeOfOrderChange or notification.EventTime
    snapshot = Snapshot(
        order=change.AmazonOrderId,
        placed_at=summary.PurchaseDate,
        changed_at=changed_at,
        items=tuple(_item(one, number) for number, one in enumerate(items)),
        customer="",
        recipient=Addressee(
            postal_code=summary.DestinationPostalCode,
            country=_COUNTRIES.get(summary.MarketplaceId, ""),
        ),
        address_at="Summary.MarketplaceId",
        promised_by=summary.LatestDeliveryDate,
        cancelled_at=changed_at if off else None,
        changed_field="TimeOfOrderChange",
        items_at="Summary.OrderItems",
    )
    return commands_of(snapshot, shop)


def _item(one: _Item, number: int) -> Item:
    quantity, shipped = one.Quantity or 0, one.QuantityShipped or 0
    off = one.OrderItemStatus.lower() in _CALLED_OFF
    return Item(
        at=f"Summary.OrderItems.{number}",
        line=one.OrderItemId,
        sku=one.SellerSKU,
        variant="",
        product="",
        ordered=quantity,
        target=shipped if off else max(quantity, shipped),
    )


AMAZON = Channel("amazon", adapt, secret_in_header)
