"""Two replicas of the door on one database, on a platform that may be broken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest
from tests.faults.stock_ledger.process import LedgerProcess
from tests.integration.order_ingest.sample import CATALOGUE
from tests.support import until

from restock_common.settings import ENV_PREFIX
from restock_local.platform.base import Platform, declare_topics
from restock_local.supervisor import NO_LIMITS, door_secrets

KEY = "a-key-for-faults"
_DATABASE = "faults_order_ingest"


@dataclass(frozen=True, slots=True)
class Replicas:
    """The door, twice.

    Attributes:
        platform: Broker and database server.
        processes: Each on its own port.
        doors: A client of each, with a good key.
        database_url: The database that they share.
    """

    platform: Platform
    processes: list[LedgerProcess]
    doors: list[httpx.AsyncClient]
    database_url: str

    def check(self) -> None:
        """Fail where one of them has ended by itself."""
        for process in self.processes:
            process.check()

    async def spooled(self) -> int:
        """Return how many records lie in the spool, by what both replicas know."""
        found = [await process.get("/v1/progress") for process in self.processes]
        return sum(1 if one is None else one["unpublished"] for one in found)


async def _knows(door: httpx.AsyncClient) -> bool:
    """Return whether a replica knows the last of the catalogue."""
    return (await door.put("/v1/policies/tea/s1", json={})).status_code == 202


@pytest.fixture(scope="module")
async def replicas(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Replicas]:
    """Run two doors with a small catalogue; they turn to the spool soon."""
    await platform.broker.wipe()
    await declare_topics(platform.kafka)
    url = await platform.new_database(_DATABASE)
    folder = tmp_path_factory.mktemp("doors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESTOCK_API_KEYS", f"demo={KEY}")
        patch.setenv("RESTOCK_CLOCK", "replay")
        patch.setenv("RESTOCK_PUBLISH_TIMEOUT_S", "0.5")
        for name, told in {**door_secrets(), **NO_LIMITS}.items():
            patch.setenv(ENV_PREFIX + name, told)
        processes = [
            LedgerProcess(platform.kafka, url, folder / f"{n}.log", ("-m", "order_ingest"))
            for n in range(2)
        ]
    async with AsyncExitStack() as stack:
        for process in processes:
            process.start()
            stack.push_async_callback(process.stop)
        await asyncio.gather(*(process.ready() for process in processes))
        doors = [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=one.url, headers={"X-API-Key": KEY}, timeout=30)
            )
            for one in processes
        ]
        for kind, items in CATALOGUE.items():
            answer = await doors[0].put(f"/v1/{kind}:batch", json={"items": items})
            assert answer.status_code == 202, answer.text
        await until(lambda: _knows(doors[1]), what="the other replica has read the catalogue")
        yield Replicas(platform, processes, doors, url)
    await platform.databases.drop_database(_DATABASE)
