"""Several replicas of services on one platform, behind doors as a Kubernetes Service picks them."""

import asyncio
import secrets
import signal
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from restock_common.settings import ENV_PREFIX
from restock_local.platform.base import Platform
from restock_local.processes import exit_status, finished
from restock_local.sample import sample_order
from restock_local.supervisor import SHOP, ServiceKind, Supervisor, door_secrets

ENDPOINTS_S = 0.3
"""What a preStop hook waits, so that no new request is sent to whom it is about to end."""

GRACE_S = 45.0
"""The chart's terminationGracePeriodSeconds."""


class Shared(Platform):
    """A platform that gives each service one database, however many replicas ask for it."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform.broker, platform.databases)
        self._name = secrets.token_hex(4)
        self.urls: dict[str, str] = {}

    async def new_database(self, name: str) -> str:
        if name not in self.urls:
            self.urls[name] = await super().new_database(f"{name}_{self._name}")
        return self.urls[name]

    async def drop(self) -> None:
        for url in self.urls.values():
            await self.databases.drop_database(url.rpartition("/")[2])


def shared_settings() -> Mapping[str, str]:
    """Return what every replica of a service must have alike."""
    alike = {"API_KEYS": f"{SHOP}=the-key-of-all", **door_secrets()}
    return {ENV_PREFIX + name: value for name, value in alike.items()}


class Replica(Supervisor):
    """One replica of each of some services."""

    def __init__(
        self,
        platform: Shared,
        folder: Path,
        kinds: Iterable[ServiceKind],
        alike: Mapping[str, str],
    ) -> None:
        folder.mkdir()
        super().__init__(platform, folder, clock="live", environment=alike, services=kinds)

    async def leave(self, name: str) -> None:
        """End a service as Kubernetes does; fail where it does not end in order, in time."""
        process = self._processes[name]
        process.send_signal(signal.SIGTERM)
        self._killed.add(name)
        await finished(process, timeout_s=GRACE_S)
        assert exit_status(process) == 0, f"{name}: {self.log(name).read_text()[-2000:]}"

    async def roll(self, name: str) -> None:
        """Replace a service by a new process on the same port."""
        await self.leave(name)
        await self.restart(name)


class Client:
    """Sends orders at a rate to whichever door is open; every answer but 202 is an error."""

    def __init__(self, key: str, sku: str, *, per_s: float) -> None:
        self.doors: list[str] = []
        self.sent: set[str] = set()
        self.errors: list[str] = []
        self._key, self._sku, self._per_s = key, sku, per_s
        self._ended = False

    async def run(self) -> None:
        """Send until `end`, and wait for every answer."""
        connector = aiohttp.TCPConnector(limit=256)
        headers = {"X-API-Key": self._key, "Content-Type": "application/json"}
        timeout = aiohttp.ClientTimeout(total=20)
        async with (
            aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout) as session,
            asyncio.TaskGroup() as sending,
        ):
            begun, number = time.monotonic(), 0
            while not self._ended:
                sending.create_task(self._send(session, number))
                number += 1
                await asyncio.sleep(max(0.0, begun + number / self._per_s - time.monotonic()))

    def end(self) -> None:
        self._ended = True

    async def without(self, door: str) -> None:
        """Send nothing more to a door."""
        self.doors.remove(door)
        await asyncio.sleep(ENDPOINTS_S)

    async def _send(self, session: aiohttp.ClientSession, number: int) -> None:
        order = f"rolling-{number}"
        door = self.doors[number % len(self.doors)]
        body = sample_order(order, placed_at=datetime.now(UTC), sku=self._sku)
        try:
            async with session.post(f"{door}/v1/orders", data=body) as answer:
                if answer.status == 202:
                    self.sent.add(order)
                else:
                    self.errors.append(f"{order}: {answer.status} {await answer.text()}")
        except (aiohttp.ClientError, TimeoutError) as error:
            self.errors.append(f"{order}: {error!r}")
