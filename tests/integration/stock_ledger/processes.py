"""The service as processes: as many as a test wants, each with its role."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from tests.support import until

from restock_common.settings import KafkaSettings

ADMIN_KEY = "the admin's key"


@dataclass(frozen=True)
class Running:
    """A process that is ready, and its door."""

    process: asyncio.subprocess.Process
    door: httpx.AsyncClient
    log: Path

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()

    async def end(self) -> int:
        """Ask it to end; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()

    async def metric(self, line: str) -> float:
        """Return a metric's value by its name and labels as they are written; 0 without one."""
        text = (await self.door.get("/metrics")).text
        found = [row for row in text.splitlines() if row.startswith(f"{line} ")]
        return float(found[0].rpartition(" ")[2]) if found else 0.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running(
    kafka: KafkaSettings, database_url: str, folder: Path, **settings: str
) -> AsyncIterator[Running]:
    """Run a ledger, a reader unless another role is asked for; killed at the end."""
    port = free_port()
    own = {
        "DATABASE_URL": database_url,
        "KAFKA_BOOTSTRAP": kafka.kafka_bootstrap,
        "KAFKA_IDEMPOTENT": str(kafka.kafka_idempotent),
        "KAFKA_SESSION_TIMEOUT_MS": str(kafka.kafka_session_timeout_ms),
        "HTTP_PORT": str(port),
        "ROLE": "reader",
        "ADMIN_KEY": ADMIN_KEY,
        "WEBHOOKS_ALLOW_PRIVATE": "true",
        "WEBHOOKS_RETRY_S": "0.2,0.4,0.8,1,1,1,1,1,1",
        **settings,
    }
    path = folder / f"{port}.log"
    with path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "stock_ledger",
            env={**os.environ, **{f"RESTOCK_{name}": value for name, value in own.items()}},
            stdout=log,
            stderr=log,
        )
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers={"X-API-Key": ADMIN_KEY}, timeout=30
        ) as door:

            async def ready() -> bool:
                assert process.returncode is None, path.read_text()
                try:
                    return (await door.get("/health/ready")).is_success
                except httpx.TransportError:
                    return False

            await until(ready, what="the process is ready")
            yield Running(process, door, path)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
