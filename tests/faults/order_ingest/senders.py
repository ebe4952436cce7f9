"""Senders that take no for an answer never: each sends again until it is told 202."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from random import Random
from typing import Any

import httpx
from tests.integration.order_ingest.sample import PLACED_AT, SOUTH, order

_PAUSE_S = 0.05


class Senders:
    """Some senders at once; each waits for the answer to one thing before it sends the next.

    Args:
        doors: The replicas; whatever is sent goes to any of them, now and then to both at once.
        prefix: Of all names.
        seed: Chance's.

    Attributes:
        chains: The event ids of each order, in the order in which the ledger must hear of them.
        policies: The safety stock that was last accepted, by location.
        statuses: How often each was answered.
    """

    def __init__(self, doors: Sequence[httpx.AsyncClient], prefix: str, seed: int) -> None:
        self._doors = doors
        self._prefix = prefix
        self._random = Random(seed)
        self._open = True
        self._tasks: list[asyncio.Task[None]] = []
        self.chains: dict[str, list[str]] = defaultdict(list)
        self.policies: dict[str, int] = {}
        self.statuses: Counter[int] = Counter()

    def start(self) -> None:
        """Begin to send."""
        shops = [self._order_for_ever(name) for name in ("a", "b", "c", "d")]
        self._tasks = [
            asyncio.create_task(one)
            for one in (*shops, self._set_policies("n1"), self._set_policies("s1"))
        ]

    def check(self) -> None:
        """Raise what ended a sender, if anything has."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def stop(self) -> None:
        """Begin nothing more, and wait until all that was begun is accepted."""
        self._open = False
        await asyncio.gather(*self._tasks)

    async def cancel(self) -> None:
        """Leave everything as it is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _order_for_ever(self, name: str) -> None:
        number = 0
        while self._open:
            number += 1
            await self._order(f"{self._prefix}-{name}{number}")

    async def _order(self, name: str) -> None:
        """Place an order, change it twice, and call it off; some are called off first."""
        destination = SOUTH if self._random.random() < 0.5 else order("")["destination"]
        placed = ("/v1/orders", order(name, destination=destination))
        cancelled = (f"/v1/orders/{name}/cancel", {"cancelled_at": PLACED_AT.isoformat()})
        chain = self.chains[f"demo:{name}"]
        if self._random.random() < 0.2:
            early = await self._send("POST", *cancelled)
            chain += [await self._send("POST", *placed), early]
            return
        chain.append(await self._send("POST", *placed))
        for revision in (1, 2):
            lines = [{"line": "1", "sku": "tea", "quantity": revision + 2}]
            amendment = {
                "revision": revision,
                "lines": lines,
                "amended_at": PLACED_AT.isoformat(),
            }
            path = f"/v1/orders/{name}/amendments"
            chain.append(await self._send("POST", path, amendment))
        if self._random.random() < 0.5:
            chain.append(await self._send("POST", *cancelled))

    async def _set_policies(self, location: str) -> None:
        """Say something else about one place again and again: the last word must stay the last."""
        units = 0
        while self._open:
            units += 1
            await self._send("PUT", f"/v1/policies/tea/{location}", {"safety_stock": units})
            self.policies[location] = units

    async def _send(self, method: str, path: str, body: dict[str, Any]) -> str:
        """Send until it is accepted; return the event's id."""
        while True:
            doors = [self._random.choice(self._doors)]
            if self._random.random() < 0.1:
                doors = list(self._doors)
            answers = await asyncio.gather(*(one.request(method, path, json=body) for one in doors))
            self.statuses.update(one.status_code for one in answers)
            for answer in answers:
                assert answer.status_code in {202, 503}, answer.text
                assert answer.status_code == 202 or "retry-after" in answer.headers
            if all(one.status_code == 202 for one in answers):
                return str(answers[0].json()["event"])
            await asyncio.sleep(_PAUSE_S)
