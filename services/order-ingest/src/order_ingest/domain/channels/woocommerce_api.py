"""WooCommerce's orders: https://woocommerce.github.io/woocommerce-rest-api-docs/, version 3."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from pydantic_core import to_json

from order_ingest.domain.channels.orders_api import (
    Ask,
    Page,
    ShopApi,
    Unreadable,
    json_of,
    orders_of,
)

TOPIC = "x-wc-webhook-topic"

_ORDERS = "/wp-json/wc/v3/orders"
_PAGE = 100
_COUNT = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class WooCommerceOrders:
    """Asks for orders page by page; see `orders_api.OrdersApi`.

    Pages are numbered, and cut anew for each question. By id, orders that change meanwhile only
    come in: they shift others to later pages, where they are read twice. One that is deleted shifts
    others to an earlier page: then there are fewer in all, and all of it has to be read again.
    """

    api: ShopApi
    headers: ClassVar[Mapping[str, str]] = {TOPIC: "order.updated"}

    def credentials(self) -> Mapping[str, str]:
        """Return the headers that tell who asks."""
        pair = f"{self.api.key.get_secret_value()}:{self.api.secret.get_secret_value()}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}

    def changed_since(self, since: datetime) -> Ask:
        """Return what to ask for all orders that changed since then (WooCommerce 5.8 and later)."""
        moment = since.astimezone(UTC).replace(tzinfo=None)
        return Ask(
            _ORDERS,
            (
                ("modified_after", moment.isoformat(timespec="seconds")),
                ("dates_are_gmt", "true"),
                ("orderby", "id"),
                ("order", "asc"),
                ("per_page", str(_PAGE)),
                ("page", "1"),
            ),
        )

    def page(self, asked: Ask, headers: Mapping[str, str], body: bytes) -> Page:
        """Return what an answer says; where nobody tells how many pages, a full one is not last."""
        orders = orders_of(json_of(body), "body")
        query = dict(asked.query)
        number = int(query["page"])
        pages = _count(headers.get("x-wp-totalpages"))
        more = len(orders) >= _PAGE if pages is None else number < pages
        following = Ask(asked.path, tuple({**query, "page": str(number + 1)}.items()))
        return Page(orders, following if more else None, _count(headers.get("x-wp-total")))

    def one(self, order: str) -> Sequence[Ask]:
        """Return what to ask for a single order, and for the lines of its refunds."""
        if not (order.isascii() and order.isdigit()):
            return ()
        return (
            Ask(f"{_ORDERS}/{order}"),
            Ask(f"{_ORDERS}/{order}/refunds", (("per_page", str(_PAGE)),)),
        )

    def joined(self, bodies: Sequence[bytes]) -> bytes:
        """Return a single order as a webhook would send it, its refunds with their lines."""
        order, refunds = map(json_of, bodies)
        if not isinstance(order, dict) or not isinstance(refunds, list):
            raise Unreadable("the answer holds no order, or no refunds")
        return to_json({**order, "refunds": refunds})

    def pause_s(self, _headers: Mapping[str, str], /) -> float:
        """Return 0: WooCommerce has no limits of its own, and who stands before it says 429."""
        return 0.0


def _count(text: str | None) -> int | None:
    found = _COUNT.fullmatch(text or "")
    return int(found[0]) if found else None
