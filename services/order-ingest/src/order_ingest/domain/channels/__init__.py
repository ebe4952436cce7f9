"""What storefronts send, each in its own words: one file a channel, one line for it here.

An adapter is pure: headers, raw bytes and what is known of the shop lead to commands, which go
through the same doors as orders by HTTP. All but the generic one read an order as it is now, a
`Snapshot`, and what follows from one is written once.
"""

from order_ingest.domain.channels.adobe_commerce import ADOBE_COMMERCE
from order_ingest.domain.channels.amazon import AMAZON
from order_ingest.domain.channels.base import (
    Addressee,
    Amend,
    BadSignature,
    Cancel,
    Channel,
    Command,
    FetchOrder,
    Headers,
    Ignored,
    InvalidPayload,
    Place,
    Return,
    Shop,
    ShopSettings,
    Shown,
    Unmapped,
)
from order_ingest.domain.channels.bigcommerce import BIGCOMMERCE
from order_ingest.domain.channels.medusa import MEDUSA
from order_ingest.domain.channels.orders_api import (
    Ask,
    OrdersApi,
    Page,
    ShopApi,
    Unreadable,
    retry_after_s,
)
from order_ingest.domain.channels.saleor import SALEOR
from order_ingest.domain.channels.shopify import SHOPIFY
from order_ingest.domain.channels.standard_webhooks import STANDARD_WEBHOOKS
from order_ingest.domain.channels.woocommerce import WOOCOMMERCE

CHANNELS: dict[str, Channel] = {
    channel.name: channel
    for channel in (
        SHOPIFY,
        WOOCOMMERCE,
        BIGCOMMERCE,
        ADOBE_COMMERCE,
        AMAZON,
        MEDUSA,
        SALEOR,
        STANDARD_WEBHOOKS,
    )
}


def counts_orders(settings: ShopSettings) -> bool:
    """Return whether the numbers of a shop's orders tell which of them are missing."""
    if settings.contiguous_numbers is not None:
        return settings.contiguous_numbers
    return CHANNELS[settings.channel].contiguous


__all__ = [
    "CHANNELS",
    "Addressee",
    "Amend",
    "Ask",
    "BadSignature",
    "Cancel",
    "Channel",
    "Command",
    "FetchOrder",
    "Headers",
    "Ignored",
    "InvalidPayload",
    "OrdersApi",
    "Page",
    "Place",
    "Return",
    "Shop",
    "ShopApi",
    "ShopSettings",
    "Shown",
    "Unmapped",
    "Unreadable",
    "counts_orders",
    "retry_after_s",
]
