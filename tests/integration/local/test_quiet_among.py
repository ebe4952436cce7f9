"""Quiet among some services: the others may work on, and a rebalance is no end of the work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from restock_common.contracts.topics import LEDGER
from restock_common.kafka import log_bounds
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition
from restock_local.quiet import NotQuiet, QuietWatch

pytestmark = pytest.mark.kafka

PARTITIONS = [Partition(LEDGER.name, number) for number in range(LEDGER.partitions)]


@asynccontextmanager
async def telling(status: dict[str, Any]) -> AsyncIterator[str]:
    """Serve a status that the test may change; yields the URL."""

    async def progress(_: web.Request) -> web.Response:
        return web.json_response(status)

    application = web.Application()
    application.router.add_get("/v1/progress", progress)
    async with TestServer(application) as server:
        yield str(server.make_url("")).rstrip("/")


async def test_only_those_asked_for_and_what_they_ever_read(kafka: KafkaSettings) -> None:
    bounds = await log_bounds(kafka, PARTITIONS)
    at_the_end = {LEDGER.name: {str(one.number): end for one, (_, end) in bounds.items()}}
    ledger: dict[str, Any] = {
        "ready": True,
        "offsets": at_the_end,
        "unpublished": 0,
        "pending": 0,
    }
    async with (
        telling(ledger) as ledger_url,
        telling({**ledger, "offsets": {}, "pending": 7}) as slow_url,
        QuietWatch({"stock-ledger": ledger_url, "slow": slow_url}, kafka) as watch,
    ):
        await watch.until_quiet(timeout_s=30, among=["stock-ledger"])
        with pytest.raises(NotQuiet, match="slow has 7 pending"):
            await watch.until_quiet(timeout_s=0.2)
        ledger["offsets"] = {}  # its partitions are being given out anew
        with pytest.raises(NotQuiet, match=r"nobody reads restock\.ledger\.v1/0"):
            await watch.until_quiet(timeout_s=0.2, among=["stock-ledger"])
