"""A small shop with an API of its own, as Shopify's and as WooCommerce's; it loses webhooks."""

import asyncio
import base64
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.unit.order_ingest.channels.sample import case

TOKEN, KEY = "shpat-of-the-shop", "ck-of-the-shop"
PAGE = 7
BUSY_EVERY = 5

Answer = Callable[[Request], Awaitable[Response]]
Send = Callable[[str, dict[str, Any]], Awaitable[None]]


class ShopServer:
    """Keeps orders, tells of most of them, and shows all to whoever asks with its token.

    Attributes:
        url: Where it listens.
        orders: What it keeps, by id.
        lost: Numbers of which no webhook arrived.
        busy: How often it answered 429.
        broken: What it answers with in the place of orders; None while it is well.
        asked: The path of each request.
    """

    def __init__(self, channel: str, *, seed: int = 1) -> None:
        self.channel = channel
        self.url = ""
        self.orders: dict[int, dict[str, Any]] = {}
        self.lost: list[int] = []
        self.busy = 0
        self.broken: Response | None = None
        self.asked: list[str] = []
        self._cursors: dict[str, tuple[int, datetime]] = {}
        self._chance = random.Random(seed)
        self._template = case(channel, "order-created").body
        self._created, self._updated = {
            "shopify": ("orders/create", "orders/updated"),
            "woocommerce": ("order.created", "order.updated"),
        }[channel]
        self._send: Send | None = None

    def tells(self, send: Send) -> None:
        """Send webhooks by this from now on."""
        self._send = send

    async def sell(self, number: int, *, lose: bool | None = None) -> int:
        """Take an order, and tell of it, but for each tenth; return its id."""
        now = datetime.now(UTC).replace(microsecond=0)
        order = deepcopy(self._template)
        order["id"] = identity = 1_000_000 + number
        if self.channel == "shopify":
            order |= {"order_number": number, "name": f"#{number}", "created_at": now.isoformat()}
            order["updated_at"] = now.isoformat()
        else:
            naive = now.replace(tzinfo=None).isoformat()
            order |= {"number": str(number), "date_created_gmt": naive, "date_modified_gmt": naive}
        self.orders[identity] = order
        if lose is None:
            lose = self._chance.random() < 0.1
        if lose:
            self.lost.append(number)
        else:
            await self.tell(self._created, order)
        return identity

    async def change(self, identity: int, quantity: int, *, tell: bool = True) -> None:
        """Let the first line of an order have another quantity, a second after it changed last."""
        order = self.orders[identity]
        line = order["line_items"][0]
        line["quantity"] = quantity
        if self.channel == "shopify":
            line["current_quantity"] = quantity
        at = self._changed_at(order) + timedelta(seconds=1)
        if self.channel == "shopify":
            order["updated_at"] = at.isoformat()
        else:
            order["date_modified_gmt"] = at.replace(tzinfo=None).isoformat()
        if tell:
            await self.tell(self._updated, order)

    async def call_off(self, identity: int) -> None:
        """Cancel an order that it tells nobody of, a second after it changed last."""
        order = self.orders[identity]
        at = self._changed_at(order) + timedelta(seconds=1)
        if self.channel == "shopify":
            order |= {"cancelled_at": at.isoformat(), "updated_at": at.isoformat()}
            for line in order["line_items"]:
                line["current_quantity"] = 0
        else:
            order |= {
                "status": "cancelled",
                "date_modified_gmt": at.replace(tzinfo=None).isoformat(),
            }

    async def tell(self, topic: str, order: dict[str, Any]) -> None:
        """Send a webhook."""
        if self._send is not None:
            await self._send(topic, deepcopy(order))

    def app(self) -> Starlette:
        """Return its API."""
        orders = "/wp-json/wc/v3/orders"
        return Starlette(
            routes=[
                Route("/admin/api/{version}/orders.json", self._guarded(self._shopify)),
                Route(orders, self._guarded(self._woocommerce)),
                Route(orders + "/{order:int}", self._guarded(self._one)),
                Route(orders + "/{order:int}/refunds", self._guarded(self._refunds)),
            ]
        )

    def _guarded(self, answer: Answer) -> Answer:
        """Return what answers whoever has the token, unless it is too busy for that."""

        async def guarded(request: Request) -> Response:
            self.asked.append(request.url.path)
            if self.broken is not None:
                return self.broken
            if len(self.asked) % BUSY_EVERY == 0:
                self.busy += 1
                return JSONResponse({}, 429, {"Retry-After": "0.02"})
            pair = base64.b64encode(f"{KEY}:{TOKEN}".encode()).decode()
            name, wanted = {
                "shopify": ("x-shopify-access-token", TOKEN),
                "woocommerce": ("authorization", f"Basic {pair}"),
            }[self.channel]
            if request.headers.get(name) != wanted:
                return JSONResponse({"errors": "no"}, 401)
            return await answer(request)

        return guarded

    async def _shopify(self, request: Request) -> Response:
        query = dict(request.query_params)
        if "page_info" in query:
            assert set(query) == {"page_info", "limit"}, "Shopify takes nothing else then"
            start, since = self._cursors[query["page_info"]]
        else:
            assert query["status"] == "any", "Shopify shows open orders only"
            start, since = 0, datetime.fromisoformat(query["updated_at_min"])
        found = self._since(since - timedelta.resolution)
        headers = {"X-Shopify-Shop-Api-Call-Limit": "1/40"}
        if start + PAGE < len(found):
            cursor = f"page-{len(self._cursors)}"
            self._cursors[cursor] = start + PAGE, since
            link = f"https://elsewhere.example/x?page_info={cursor}&limit=250"
            headers["Link"] = f'<{link}>; rel="next"'
        return JSONResponse({"orders": found[start : start + PAGE]}, headers=headers)

    async def _woocommerce(self, request: Request) -> Response:
        query = request.query_params
        assert query["dates_are_gmt"] == "true"
        found = self._since(datetime.fromisoformat(query["modified_after"]).replace(tzinfo=UTC))
        start = (int(query["page"]) - 1) * PAGE
        pages = -(-len(found) // PAGE)
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
        return JSONResponse(found[start : start + PAGE], headers=headers)

    async def _one(self, request: Request) -> Response:
        order = self.orders.get(request.path_params["order"])
        return JSONResponse(order or {"code": "invalid_id"}, 200 if order else 404)

    async def _refunds(self, request: Request) -> Response:
        line = self.orders[request.path_params["order"]]["line_items"][0]
        told = {"key": "_refunded_item_id", "value": str(line["id"])}
        back = {"id": 9, "quantity": -1, "meta_data": [told]}
        return JSONResponse([{"id": 8, "line_items": [back]}])

    def _changed_at(self, order: dict[str, Any]) -> datetime:
        told = order.get("updated_at") or order["date_modified_gmt"]
        moment = datetime.fromisoformat(told)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment

    def _since(self, since: datetime) -> list[dict[str, Any]]:
        found = sorted(self.orders.items())
        return [order for _, order in found if self._changed_at(order) > since]


@asynccontextmanager
async def serving(*shops: ShopServer) -> AsyncIterator[None]:
    """Let shops listen."""
    async with AsyncExitStack() as stack:
        for shop in shops:
            listening = socket.create_server(("127.0.0.1", 0))
            shop.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            config = uvicorn.Config(shop.app(), log_level="error", lifespan="off")
            server = Unsignalled(config)
            await stack.enter_async_context(_running(server, listening))
        yield


class Unsignalled(uvicorn.Server):
    """uvicorn without signal handlers, which are the tests'."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _running(server: uvicorn.Server, listening: socket.socket) -> AsyncIterator[None]:
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
        listening.close()
