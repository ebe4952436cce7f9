"""What is measured, as processes of their own."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp

from restock_local.processes import ProcessFailed, end, exit_status, free_port, last_lines, spawn

_READY_S = 60.0
_GRACE_S = 20.0


class Server:
    """A Python process that serves HTTP.

    Used as a context manager: ready when entered, gone when left.

    Args:
        command: What Python runs; `{port}` is replaced.
        environment: Its settings, beside those of this process.
        log: Where its lines go.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._command = [sys.executable, *(part.format(port=port) for part in command)]
        self._environment = {**os.environ, **environment, "RESTOCK_HTTP_PORT": str(port)}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return its process id, while it runs."""
        assert self._process is not None, "the server has not been started"
        return self._process.pid

    def rss_mb(self) -> float:
        """Return the memory that it holds now, in MB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000

    async def __aenter__(self) -> "Server":
        """Start it and wait until it is ready. Raises ProcessFailed where it is not."""
        self._process = spawn(self._command, log=self._log, environment=self._environment)
        deadline = time.monotonic() + _READY_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
            while not await self._ready(http):
                if exit_status(self._process) is not None or time.monotonic() > deadline:
                    await self.__aexit__()
                    raise ProcessFailed(f"not ready:\n{last_lines(self._log)}")
                await asyncio.sleep(0.1)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Have it finish what it has begun."""
        if self._process is not None:
            await end(self._process, grace_s=_GRACE_S)

    async def _ready(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.url}/health/ready") as answer:
                return answer.ok
        except (aiohttp.ClientError, TimeoutError):
            return False
