"""The ledger as a process of its own, started and stopped on the same database."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from restock_common.settings import ENV_PREFIX, KafkaSettings
from restock_local.processes import (
    ProcessFailed,
    end,
    exit_status,
    free_port,
    kill,
    last_lines,
    spawn,
)

_BENCHMARKS = str(Path(__file__).parents[1])
_READY_S = 120.0
_GRACE_S = 30.0


class LedgerProcess:
    """`python -m stock_ledger`, or what runs it otherwise.

    Args:
        kafka: The broker.
        database_url: Its database.
        folder: Where its log goes.
        role: Which parts it runs.
        module: What `python -m` starts.
        settings: Further ones, by their fields' names.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        database_url: str,
        folder: Path,
        role: str = "writer",
        *,
        module: str = "stock_ledger",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._module = module
        self._log = folder / f"stock-ledger-{role}.log"
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        given = {
            **{name: str(value) for name, value in kafka.model_dump(exclude_none=True).items()},
            "http_port": str(port),
            "database_url": database_url,
            "log_level": "warning",
            "role": role,
            **(settings or {}),
        }
        named = {ENV_PREFIX + name.upper(): value for name, value in given.items()}
        self._environment = {**os.environ, **named, "PYTHONPATH": _BENCHMARKS}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return its process id, while it runs."""
        assert self._process is not None, "the ledger has not been started"
        return self._process.pid

    def start(self) -> None:
        """Start it; it is not waited for."""
        self._process = spawn(
            [sys.executable, "-m", self._module], log=self._log, environment=self._environment
        )

    async def until_ready(self) -> None:
        """Wait until it is ready. Raises ProcessFailed where it is not in time."""
        deadline = time.monotonic() + _READY_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
            while not await self._ready(http):
                self.check()
                if time.monotonic() > deadline:
                    raise ProcessFailed(f"the ledger is not ready:\n{self.said()}")
                await asyncio.sleep(0.1)

    def check(self) -> None:
        """Raise ProcessFailed, with the end of its log, where it has ended by itself."""
        if self._process is not None and (code := exit_status(self._process)) is not None:
            raise ProcessFailed(f"the ledger ended with {code}:\n{self.said()}")

    def said(self) -> str:
        """Return the end of its log."""
        return last_lines(self._log)

    async def stop(self) -> None:
        """Have it finish what it has begun; killed where it does not."""
        if self._process is not None:
            await end(self._process, grace_s=_GRACE_S)
            self._process = None

    def kill(self) -> None:
        """Leave nothing of it behind."""
        if self._process is not None:
            kill(self._process)
            self._process = None

    async def _ready(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.url}/health/ready") as answer:
                return answer.ok
        except (aiohttp.ClientError, TimeoutError):
            return False
