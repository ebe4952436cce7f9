"""Shopify's orders, by its REST Admin API: https://shopify.dev/docs/api/admin-rest."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

from pydantic_core import to_json

from order_ingest.domain.channels.orders_api import (
    Ask,
    Page,
    ShopApi,
    Unreadable,
    json_of,
    orders_of,
)

TOPIC = "x-shopify-topic"

_PAGE = "250"
_NEXT = re.compile(r'<([^<>]*)>;[^,<>]*\brel="?next"?')
_LIMIT = re.compile(r"(\d{1,6})/([1-9]\d{0,5})")
_DRAINS_IN_S = 20.0
"""A full bucket is empty after so long, of whatever plan (40 requests at 2 a second, 80 at 4)."""
_NEARLY_FULL, _HALF = 0.8, 0.5


@dataclass(frozen=True, slots=True)
class ShopifyOrders:
    """Asks for orders page by page; see `orders_api.OrdersApi`."""

    api: ShopApi
    headers: ClassVar[Mapping[str, str]] = {TOPIC: "orders/updated"}

    def credentials(self) -> Mapping[str, str]:
        """Return the headers that tell who asks."""
        return {"X-Shopify-Access-Token": self.api.secret.get_secret_value()}

    def changed_since(self, since: datetime) -> Ask:
        """Return what to ask for all orders that changed since then; usually only open ones are."""
        return Ask(
            f"/admin/api/{self.api.version}/orders.json",
            (
                ("status", "any"),
                ("updated_at_min", since.isoformat(timespec="seconds")),
                ("limit", _PAGE),
            ),
        )

    def page(self, asked: Ask, headers: Mapping[str, str], body: bytes) -> Page:
        """Return what an answer says.

        Of the link to the next page only the query is followed: the address, which gets the token,
        stays the one that was configured.
        """
        found = json_of(body)
        orders = orders_of(found.get("orders") if isinstance(found, dict) else None, "orders")
        link = _NEXT.search(headers.get("link", ""))
        if link is None:
            return Page(orders)
        try:
            query = tuple(parse_qsl(urlsplit(link[1]).query))
        except ValueError:
            raise Unreadable("the link to the next page is no URL") from None
        if query == asked.query:
            raise Unreadable("the link to the next page leads to the same one")
        return Page(orders, Ask(asked.path, query))

    def one(self, order: str) -> Sequence[Ask]:
        """Return what to ask for a single order."""
        if not (order.isascii() and order.isdigit()):
            return ()
        return (Ask(f"/admin/api/{self.api.version}/orders/{order}.json"),)

    def joined(self, bodies: Sequence[bytes]) -> bytes:
        """Return a single order as a webhook would send it."""
        found = json_of(bodies[0])
        order = found.get("order") if isinstance(found, dict) else None
        if not isinstance(order, dict):
            raise Unreadable("the answer holds no order")
        return to_json(order)

    def pause_s(self, headers: Mapping[str, str]) -> float:
        """Return how long a bucket that is nearly full takes until it is half empty."""
        told = _LIMIT.fullmatch(headers.get("x-shopify-shop-api-call-limit", "").strip())
        if told is None:
            return 0.0
        filled = int(told[1]) / int(told[2])
        return (min(filled, 1.0) - _HALF) * _DRAINS_IN_S if filled >= _NEARLY_FULL else 0.0
