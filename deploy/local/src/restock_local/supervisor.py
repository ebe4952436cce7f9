"""The five services as separate processes: started, watched, killed on purpose, stopped."""

import asyncio
import base64
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import aiohttp
from pydantic import SecretStr

from restock_common.sealing import KEY_BYTES
from restock_common.settings import ENV_PREFIX, KafkaSettings
from restock_local.platform.base import Platform
from restock_local.processes import (
    ProcessFailed,
    end,
    exit_status,
    free_port,
    kill,
    last_lines,
    spawn,
)

SHOP = "demo"
NO_LIMITS = {"KEY_REQUESTS_PER_S": "1000000", "ADDRESS_REQUESTS_PER_S": "1000000"}
"""All that a local run sends comes with one key, from one address, as fast as it is taken."""

_READY_S = 120.0
_GRACE_S = 20.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class ServiceKind:
    """A service that can be run.

    Attributes:
        name: As in its logs and its consumer group.
        has_database: Whether it keeps its state in PostgreSQL; else in a folder of its own.
    """

    name: str
    has_database: bool = True

    @property
    def module(self) -> str:
        """Return what `python -m` starts."""
        return self.name.replace("-", "_")


SERVICES = (
    ServiceKind("order-ingest"),
    ServiceKind("stock-ledger"),
    ServiceKind("forecaster", has_database=False),
    ServiceKind("replenisher"),
    ServiceKind("dispatcher"),
)


class Supervisor:
    """Runs services on a platform, each with its own database, port and log file.

    Used as a context manager: left in whatever way, none of them keeps running.

    Args:
        platform: Started before, stopped after this.
        folder: Where logs and state folders go.
        clock: `live` advances time each second; `replay` leaves it to `POST /v1/clock`.
        environment: Further settings for all of them.
        services: Which ones.
    """

    def __init__(
        self,
        platform: Platform,
        folder: Path,
        *,
        clock: Literal["live", "replay"],
        environment: Mapping[str, str] | None = None,
        services: Iterable[ServiceKind] = SERVICES,
    ) -> None:
        self._platform = platform
        self.folder = folder
        self._clock = clock
        self._extra = dict(environment or {})
        self._kinds = {kind.name: kind for kind in services}
        self._ports = {name: free_port() for name in self._kinds}
        self._environments: dict[str, dict[str, str]] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._killed: set[str] = set()
        self.api_key = secrets.token_urlsafe(18)
        self._door_secrets = door_secrets()
        given = platform.kafka.dead_letter_keys
        self.dead_letter_keys = _new_key() if given is None else given.get_secret_value()

    @property
    def master_keys(self) -> str:
        """What customers' keys are encrypted with."""
        return self._door_secrets["MASTER_KEYS"]

    @property
    def urls(self) -> dict[str, str]:
        """Where each service's HTTP door is, by name."""
        return {name: f"http://127.0.0.1:{port}" for name, port in self._ports.items()}

    def log(self, name: str) -> Path:
        """Return a service's log file."""
        return self.folder / f"{name}.log"

    def database_url(self, name: str) -> str:
        """Return the URL of a started service's database."""
        return self._environments[name][f"{ENV_PREFIX}DATABASE_URL"]

    async def start(self) -> None:
        """Start all and wait until all are ready. Raises ProcessFailed where one is not."""
        for kind in self._kinds.values():
            self._environments[kind.name] = await self._environment(kind)
        for name in self._kinds:
            self._spawn(name)
        await self._until_ready(self._kinds)

    async def stop(self) -> None:
        """Stop all at once, in order where they can; whatever is left is killed."""
        await asyncio.gather(
            *(end(process, grace_s=_GRACE_S) for process in self._processes.values())
        )
        self._processes.clear()

    def kill(self, name: str) -> None:
        """SIGKILL a service's process (not what it has started), as a crash would."""
        self._killed.add(name)
        process = self._processes[name]
        if exit_status(process) is None:
            os.kill(process.pid, signal.SIGKILL)

    async def restart(self, name: str) -> None:
        """Start a service again, on the same port and state, and wait until it is ready."""
        await end(self._processes[name], grace_s=_GRACE_S)
        self._spawn(name)
        await self._until_ready([name])

    def check(self) -> None:
        """Raise ProcessFailed, with the end of its log, where a service ended by itself."""
        for name, process in self._processes.items():
            code = exit_status(process)
            if code is not None and name not in self._killed:
                raise ProcessFailed(
                    f"{name} ended with {code}; the end of its log:\n{last_lines(self.log(name))}"
                )

    async def __aenter__(self) -> Self:
        """Start; what has been started is killed where the rest fails."""
        try:
            await self.start()
        except BaseException:
            for process in self._processes.values():
                kill(process)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    def _spawn(self, name: str) -> None:
        self._killed.discard(name)
        self._processes[name] = spawn(
            [sys.executable, "-m", self._kinds[name].module],
            log=self.log(name),
            environment=self._environments[name],
        )

    async def _environment(self, kind: ServiceKind) -> dict[str, str]:
        settings = {
            **_kafka_environment(self._platform.kafka),
            "DEAD_LETTER_KEYS": self.dead_letter_keys,
            "HTTP_PORT": str(self._ports[kind.name]),
            "CLOCK": self._clock,
            "API_KEYS": f"{SHOP}={self.api_key}",
            **self._door_secrets,
            **NO_LIMITS,
        }
        if kind.name == "dispatcher":
            settings["ADMIN_KEY"] = self.api_key  # carriers report there
        if kind.has_database:
            settings["DATABASE_URL"] = await self._platform.new_database(kind.module)
        else:
            state = self.folder / kind.name
            state.mkdir()
            settings["DATA_DIR"] = str(state)
        own = {ENV_PREFIX + name: value for name, value in settings.items()}
        return {**os.environ, **own, **self._extra}

    async def _until_ready(self, names: Iterable[str]) -> None:
        deadline = time.monotonic() + _READY_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as client:
            for name in names:
                while reason := await self._not_ready(client, name):
                    self.check()
                    if time.monotonic() > deadline:
                        raise ProcessFailed(
                            f"{name} is not ready after {_READY_S:g} s: {reason}; the end of its "
                            f"log:\n{last_lines(self.log(name))}"
                        )
                    await asyncio.sleep(_POLL_S)

    async def _not_ready(self, client: aiohttp.ClientSession, name: str) -> str | None:
        try:
            async with client.get(f"{self.urls[name]}/health/ready") as answer:
                return None if answer.ok else await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            return f"it does not answer ({type(error).__name__})"


def _kafka_environment(kafka: KafkaSettings) -> dict[str, str]:
    """Return settings as the environment spells them, without the prefix."""
    return {
        name.upper(): str(value.get_secret_value() if isinstance(value, SecretStr) else value)
        for name, value in kafka.model_dump(exclude_none=True).items()
    }


def door_secrets() -> dict[str, str]:
    """Return new secrets of order-ingest, as the environment spells them, without the prefix."""
    return {"TOKEN_SECRET": secrets.token_hex(32), "MASTER_KEYS": _new_key()}


def _new_key() -> str:
    """Return a key for encryption, under a name, as the environment spells it."""
    return f"local={base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"
