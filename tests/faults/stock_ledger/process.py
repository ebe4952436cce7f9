"""The stock-ledger as a process of its own: started, killed, paused, asked how far it is."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from tests.support import until

from restock_common.contracts.topics import LEDGER
from restock_common.settings import KafkaSettings
from restock_local.processes import end, exit_status, free_port, kill, last_lines, spawn

SESSION_TIMEOUT_MS = 1500
"""A killed member is missed soon: its successor waits for that."""

_GRACE_S = 30.0


class LedgerProcess:
    """One process `python -m stock_ledger`.

    Args:
        kafka: How to reach the broker.
        database_url: Its database.
        log: Where its lines go.
        command: What Python runs.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        database_url: str,
        log: Path,
        command: Sequence[str] = ("-m", "stock_ledger"),
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._command = [sys.executable, *command]
        self._log = log
        self._environment = {
            **os.environ,
            "RESTOCK_DATABASE_URL": database_url,
            "RESTOCK_KAFKA_BOOTSTRAP": kafka.kafka_bootstrap,
            "RESTOCK_KAFKA_IDEMPOTENT": str(kafka.kafka_idempotent),
            "RESTOCK_KAFKA_SESSION_TIMEOUT_MS": str(SESSION_TIMEOUT_MS),
            "RESTOCK_HTTP_PORT": str(port),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, on the same port as before."""
        self._process = spawn(self._command, log=self._log, environment=self._environment)

    def kill(self) -> None:
        """SIGKILL it."""
        kill(self._running())

    def pause(self) -> None:
        """SIGSTOP it."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT it."""
        self._running().send_signal(signal.SIGCONT)

    async def stop(self) -> int | None:
        """End it in order, also where it stands still; return its exit code.

        Safe on one that was killed or never started.
        """
        if self._process is None:
            return None
        if exit_status(self._process) is None:
            self.resume()
        await end(self._process, grace_s=_GRACE_S)
        return self._process.returncode

    def check(self) -> None:
        """Fail, with the end of its log, where it ended by itself."""
        code = exit_status(self._running())
        assert code is None, f"the ledger ended with {code}:\n{last_lines(self._log)}"

    async def ready(self) -> None:
        """Wait until records flow."""

        async def answer() -> bool:
            self.check()
            return await self.not_ready() is None

        await until(answer, what="the ledger is ready", timeout_s=60)

    async def not_ready(self) -> str | None:
        """Return why it is not ready; None where it is."""
        found = await self.get("/health/ready")
        return "it does not answer" if found is None else found["reason"]

    async def taken(self) -> int:
        """Return how many records it has taken of the shards that it owns."""
        return sum((await self.offsets()).values())

    async def offsets(self) -> dict[int, int]:
        """Return the next offset of each shard that it owns; none while it does not answer."""
        found = await self.get("/v1/progress")
        offsets = {} if found is None else found["offsets"].get(LEDGER.name, {})
        return {int(shard): offset for shard, offset in offsets.items()}

    async def get(self, path: str) -> dict[str, Any] | None:
        """Return what it answers, whatever the status; None where it does not answer."""
        try:
            async with httpx.AsyncClient(base_url=self.url, timeout=5) as door:
                return dict((await door.get(path)).json())
        except httpx.TransportError:
            return None

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of its log that tell of an event."""
        lines = [line for line in self._log.read_text().splitlines() if line.startswith("{")]
        return [told for line in lines if (told := json.loads(line))["event"] == event]

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the ledger has not been started"
        return self._process
