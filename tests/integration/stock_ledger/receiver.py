"""Who receives webhooks, makes them, and tells levels that lead to them."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web
from tests.integration.stock_ledger.processes import Running
from tests.support import publish, until
from tests.unit.stock_ledger.levels import level, told

from restock_common.settings import KafkaSettings

Answer = Callable[["Received"], Awaitable[int]]


class Received:
    """One request as it came."""

    def __init__(self, headers: dict[str, str], body: bytes) -> None:
        self.headers = headers
        self.body = body
        self.data: dict[str, Any] = orjson.loads(body)["data"]

    @property
    def message(self) -> str:
        return self.headers["webhook-id"]

    @property
    def place(self) -> tuple[str, str]:
        return self.data["sku"], self.data["location"]

    @property
    def change(self) -> tuple[str, int]:
        return self.data["sku"], self.data["on_hand"]


async def accept(_: Received) -> int:
    return 204


class Receiver:
    """A real HTTP server that keeps what it received."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.accepted: list[Received] = []
        self.answer: Answer = accept
        self.under_way: Counter[tuple[str, str]] = Counter()
        self.most_under_way = 0
        self.twice_at_once: list[tuple[str, str]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        one = Received(
            {name.lower(): value for name, value in request.headers.items()}, await request.read()
        )
        self.received.append(one)
        self.under_way[one.place] += 1
        self.most_under_way = max(self.most_under_way, self.under_way.total())
        if self.under_way[one.place] > 1:
            self.twice_at_once.append(one.place)
        try:
            status = await self.answer(one)
        finally:
            self.under_way[one.place] -= 1
        if status < 300:
            self.accepted.append(one)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async def until_accepted(self, *changes: tuple[str, int]) -> None:
        async def done() -> bool:
            return {one.change for one in self.accepted} >= set(changes)

        await until(done, what=f"{changes} have been accepted")


@asynccontextmanager
async def serving() -> AsyncIterator[Receiver]:
    """Run a receiver."""
    made = Receiver()
    app = web.Application()
    app.router.add_post("/hook", made.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    made.url = f"http://{host}:{port}/hook"
    try:
        yield made
    finally:
        await runner.cleanup()


async def hook(reader: Running, url: str, name: str = "shop", **asked: Any) -> str:
    """Make a webhook; return its secret."""
    answer = await reader.door.put(f"/v1/webhooks/{name}", json={"url": url, **asked})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["secret"])


async def state(reader: Running, name: str = "shop") -> dict[str, Any]:
    answer = await reader.door.get(f"/v1/webhooks/{name}")
    assert answer.is_success, answer.text
    return dict(answer.json())


class Shard:
    """Publishes levels as a shard's writer does."""

    def __init__(self, kafka: KafkaSettings, number: int) -> None:
        self._kafka = kafka
        self._number = number
        self._sequence = 0

    async def tell(self, *changes: tuple[str, int]) -> None:
        messages = []
        for sku, on_hand in changes:
            self._sequence += 1
            messages.append(told(level(sku, on_hand), self._sequence, shard=self._number))
        await publish(self._kafka, messages)
