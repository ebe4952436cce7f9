"""The service as it is deployed: its own process, killed in the middle and started again."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import httpx
from tests.integration.replenisher.harness import (
    MIDNIGHT,
    READ,
    advance,
    forecast,
    level,
    placed,
    replenishment,
    sell,
)
from tests.support import publish, until

from restock_common.contracts.event import Event
from restock_common.contracts.replenishment import PurchaseOrderPlaced
from restock_common.kafka import log_bounds
from restock_common.settings import KafkaSettings

SKUS = [f"sku-{number:03}" for number in range(300)]


class Process:
    """A replenisher process and its door."""

    def __init__(self, process: asyncio.subprocess.Process, client: httpx.AsyncClient) -> None:
        self.process = process
        self._client = client

    async def progress(self) -> dict[str, Any] | None:
        """Return its progress; None while it does not answer or is not ready."""
        try:
            answer = await self._client.get("/v1/progress")
        except httpx.TransportError:
            assert self.process.returncode is None, "the process ended by itself"
            return None
        told: dict[str, Any] = answer.json()
        return told if told["ready"] else None

    async def has_begun(self) -> bool:
        """Return whether it has taken any record."""
        told = await self.progress()
        return told is not None and any(map(any, map(dict.values, told["offsets"].values())))


@asynccontextmanager
async def started(kafka: KafkaSettings, database_url: str) -> AsyncIterator[Process]:
    """Start the service; killed with SIGKILL at the end if it still runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "replenisher",
        env={
            **os.environ,
            "RESTOCK_KAFKA_BOOTSTRAP": kafka.kafka_bootstrap,
            "RESTOCK_KAFKA_IDEMPOTENT": str(kafka.kafka_idempotent),
            "RESTOCK_KAFKA_SESSION_TIMEOUT_MS": str(kafka.kafka_session_timeout_ms),
            "RESTOCK_DATABASE_URL": database_url,
            "RESTOCK_HTTP_PORT": str(port),
        },
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            yield Process(process, client)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def all_taken(process: Process, kafka: KafkaSettings) -> None:
    """Wait until a process has taken, reviewed and published everything, by itself."""

    async def is_quiet() -> bool:
        told = await process.progress()
        if told is None or told["unpublished"] or told["pending"]:
            return False
        ends = await log_bounds(kafka, READ)
        return all(
            told["offsets"].get(one.topic, {}).get(str(one.number)) == end
            for one, (_, end) in ends.items()
        )

    await until(is_quiet, what="the process has taken everything", timeout_s=60)


async def test_killed_in_the_middle_it_orders_each_need_once(
    topics: KafkaSettings, database_url: str
) -> None:
    await sell(topics, "acme", SKUS)
    await publish(topics, [level(sku, 1) for sku in SKUS])
    await publish(topics, [forecast(sku, 2) for sku in SKUS])
    async with started(topics, database_url) as first:
        await advance(topics, MIDNIGHT)
        await until(first.has_begun, what="the first process has begun")
    async with started(topics, database_url) as second:
        await all_taken(second, topics)
        second.process.terminate()
        assert await second.process.wait() == 0
    distinct = {one.id: one.event for one in await replenishment(topics)}
    assert len(distinct) == 1, "one supplier, one location, one review"
    order = (await placed(topics))[0]
    assert [line.sku for line in order.lines] == SKUS
    assert len({line.quantity for line in order.lines}) == 1


async def test_of_two_replicas_one_is_killed_and_no_need_is_missed_or_ordered_for_twice(
    topics: KafkaSettings, database_url: str
) -> None:
    """What the one was doing, or had not begun, the other does: told again by the log."""
    await sell(topics, "acme", SKUS[:150])
    await sell(topics, "best", SKUS[150:])
    async with (
        started(topics, database_url) as first,
        started(topics, database_url) as second,
    ):
        await until(first.progress, what="the first replica is ready")
        await until(second.progress, what="the second replica is ready")
        news: list[Event] = [level(sku, 1) for sku in SKUS]
        news += [forecast(sku, 2) for sku in SKUS]
        Random(2).shuffle(news)
        await publish(topics, news)
        await advance(topics, MIDNIGHT)
        await until(first.has_begun, what="the first replica has begun")
        first.process.kill()
        await publish(topics, news)  # told again, as a producer does that had no answer
        await all_taken(second, topics)
    events = {one.id: one.event for one in await replenishment(topics)}.values()
    orders = [event for event in events if isinstance(event, PurchaseOrderPlaced)]
    lines = [line for order in orders for line in order.lines]
    assert sorted(line.sku for line in lines) == SKUS
    assert len({(line.need, line.need_revision) for line in lines}) == len(SKUS)


async def test_it_waits_for_a_broker_that_is_not_there_yet(
    topics: KafkaSettings, database_url: str
) -> None:
    async with late_door(topics.kafka_bootstrap, refusals=2) as bootstrap:
        waiting = topics.model_copy(update={"kafka_bootstrap": bootstrap})
        async with started(waiting, database_url) as process:

            async def is_ready() -> bool:
                return await process.progress() is not None

            await until(is_ready, what="the broker was found", timeout_s=30)
            assert process.process.returncode is None


@asynccontextmanager
async def late_door(bootstrap: str, *, refusals: int) -> AsyncIterator[str]:
    """Yield another address of the broker, which hangs up on the first who connect."""
    host, port = bootstrap.split(":")
    refused = 0

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while read := await reader.read(65_536):
            writer.write(read)
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal refused
        if refused < refusals:
            refused += 1
            writer.close()
            return
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(passed_on(reader, back), passed_on(there, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
