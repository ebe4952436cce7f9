"""The forecaster as a process of its own."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from restock_common.settings import ENV_PREFIX, KafkaSettings
from restock_local.processes import ProcessFailed, end, exit_status, free_port, last_lines, spawn

PATIENCE_S = 3_600.0
_GRACE_S = 120.0


class Asked:
    """What a running forecaster tells of itself.

    Args:
        http: Kept connections.
        url: Where it answers.
        failed: Raises where it has ended by itself.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str, failed: Any) -> None:
        self._http = http
        self._url = url
        self._failed = failed

    async def progress(self) -> dict[str, Any] | None:
        """Return its progress; None where it does not answer."""
        try:
            async with self._http.get(f"{self._url}/v1/progress") as answer:
                return dict(await answer.json())
        except aiohttp.ClientError:
            return None

    async def until(self, topic: str, offsets: int) -> float:
        """Return when it was ready and had taken so many records, by `time.monotonic`."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            self._failed()
            told = await self.progress()
            if told and told["ready"] and sum(told["offsets"].get(topic, {}).values()) >= offsets:
                return time.monotonic()
            await asyncio.sleep(0.02)
        raise ProcessFailed(f"the forecaster has not taken {offsets} records in time")


@asynccontextmanager
async def forecaster(
    kafka: KafkaSettings, folder: Path, **settings: object
) -> AsyncIterator[Asked]:
    """Run the service; stopped in order at the end.

    Args:
        kafka: The broker.
        folder: Where its data and its log are.
        settings: Further settings, by their names.
    """
    port, log_file = free_port(), folder / "forecaster.log"
    told = {
        **kafka.model_dump(exclude_none=True),
        "http_port": port,
        "data_dir": folder / "data",
        "log_level": "warning",
        **settings,
    }
    named = {ENV_PREFIX + name.upper(): str(value) for name, value in told.items()}
    process = spawn(
        [sys.executable, "-m", "forecaster"], log=log_file, environment={**os.environ, **named}
    )

    def failed() -> None:
        if (code := exit_status(process)) is not None:
            raise ProcessFailed(f"the forecaster ended with {code}:\n{last_lines(log_file)}")

    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
            yield Asked(http, f"http://127.0.0.1:{port}", failed)
    finally:
        await end(process, grace_s=_GRACE_S)
