"""Apache Kafka and PostgreSQL in containers, where a Docker engine answers.

Testcontainers starts a reaper beside them, so that they go even when this process is killed.
"""

import asyncio

from testcontainers.core.container import DockerContainer

from restock_common.kafka import delete_topics
from restock_common.settings import KafkaSettings
from restock_local.platform.apache import KAFKA_VERSION, node_settings
from restock_local.platform.base import answering, greet_broker
from restock_local.platform.postgres import LoopbackPostgres
from restock_local.processes import free_port

_POSTGRES_VERSION = "18"
_START_S = 120.0


class DockerBroker:
    """One broker that is its own controller, in the project's image `apache/kafka`."""

    description = f"Apache Kafka {KAFKA_VERSION} (Docker)"

    def __init__(self) -> None:
        self._port = free_port()
        self._container = DockerContainer(f"apache/kafka:{KAFKA_VERSION}").with_bind_ports(
            "9092/tcp", self._port
        )
        settings = node_settings(
            listeners="PLAINTEXT://:9092,CONTROLLER://:9093",
            advertised=f"PLAINTEXT://127.0.0.1:{self._port}",
            controller="localhost:9093",
            log_folder="/tmp/kafka",  # noqa: S108 - inside the container
        )
        for name, value in settings.items():
            self._container.with_env("KAFKA_" + name.upper().replace(".", "_"), value)

    @property
    def kafka(self) -> KafkaSettings:
        """How to reach it."""
        return KafkaSettings(
            kafka_bootstrap=f"127.0.0.1:{self._port}",
            kafka_idempotent=True,
            kafka_session_timeout_ms=4000,
        )

    async def start(self) -> None:
        """Start the container and wait until the broker answers."""
        await asyncio.to_thread(self._container.start)
        await answering("the broker", lambda: greet_broker(self.kafka), timeout_s=_START_S)

    async def stop(self) -> None:
        """Remove the container."""
        await asyncio.to_thread(self._container.stop)

    async def kill(self) -> None:
        """SIGKILL the container; `restart` finds its log again."""
        await asyncio.to_thread(self._container.get_wrapped_container().kill)

    async def restart(self) -> None:
        """Restart the container: same port, same log."""
        await asyncio.to_thread(self._container.get_wrapped_container().restart)
        await answering("the broker", lambda: greet_broker(self.kafka), timeout_s=_START_S)

    async def wipe(self) -> None:
        """Delete every topic; changelogs too."""
        await answering("topic deletion", lambda: delete_topics(self.kafka), timeout_s=60)


class DockerPostgres(LoopbackPostgres):
    """PostgreSQL in its official image."""

    description = f"PostgreSQL {_POSTGRES_VERSION} (Docker)"

    def __init__(self) -> None:
        super().__init__()
        self._container = (
            DockerContainer(f"postgres:{_POSTGRES_VERSION}")
            .with_bind_ports("5432/tcp", self._port)
            .with_env("POSTGRES_PASSWORD", self._password)
        )

    async def start(self) -> None:
        """Start the container and wait until the server answers."""
        await asyncio.to_thread(self._container.start)
        await self._answers()

    async def stop(self) -> None:
        """Remove the container."""
        await asyncio.to_thread(self._container.stop)

    async def kill(self) -> None:
        """SIGKILL the container; `restart` finds its data again."""
        await asyncio.to_thread(self._container.get_wrapped_container().kill)

    async def restart(self) -> None:
        """Restart the container: same port, same data."""
        await asyncio.to_thread(self._container.get_wrapped_container().restart)
        await self._answers()

    async def _answers(self) -> None:
        await answering("PostgreSQL", lambda: self._execute("SELECT 1"), timeout_s=_START_S)
