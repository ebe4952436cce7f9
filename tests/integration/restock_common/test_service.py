"""A process from its first breath to SIGTERM."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from tests.support import until

SCRIPT = Path(__file__).parent / "service_process.py"
LIFE = ["open", "start first", "start second", "stop second", "stop first", "close"]


@dataclass
class Running:
    """A process and its door."""

    process: asyncio.subprocess.Process
    http: httpx.AsyncClient

    async def ready(self) -> bool:
        try:
            return (await self.http.get("/health/ready")).status_code == 200
        except httpx.TransportError:
            return False

    async def end(self) -> tuple[int | None, list[str]]:
        output, _ = await self.process.communicate()
        return self.process.returncode, output.decode().splitlines()


@asynccontextmanager
async def service(*arguments: str) -> AsyncIterator[Running]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SCRIPT),
        str(port),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        try:
            yield Running(process, http)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def test_it_serves_and_ends_in_order_on_sigterm() -> None:
    async with service() as running:
        await until(running.ready, what="the service is ready", timeout_s=60)
        assert (await running.http.get("/health/live")).json() == {"live": True, "reason": None}
        progress = (await running.http.get("/v1/progress")).json()
        assert progress["ready"] is True
        assert progress["offsets"] == {"topic": {"1": 7, "2": 7}}
        assert (progress["unpublished"], progress["pending"]) == (2, 4)
        metrics = (await running.http.get("/metrics")).text
        assert 'restock_http_request_seconds_count{method="GET",route="/health/live"' in metrics
        running.process.send_signal(signal.SIGTERM)
        assert await running.end() == (0, LIFE)


async def test_ctrl_c_ends_it_the_same_way() -> None:
    async with service() as running:
        await until(running.ready, what="the service is ready", timeout_s=60)
        running.process.send_signal(signal.SIGINT)
        assert await running.end() == (0, LIFE)


async def test_a_part_that_dies_ends_the_process_in_order() -> None:
    async with service("dies") as running:
        assert await running.end() == (1, LIFE)


async def test_sigterm_ends_it_also_while_a_part_waits_to_begin() -> None:
    async with service("waits") as running:
        assert running.process.stdout is not None
        begun = [(await running.process.stdout.readline()).decode().strip() for _ in range(3)]
        running.process.send_signal(signal.SIGTERM)
        code, ended = await asyncio.wait_for(running.end(), timeout=10)
    assert begun == ["open", "start first", "wait second"]
    assert (code, ended) == (0, ["stop second", "stop first", "close"])
