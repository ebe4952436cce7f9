"""What a local platform is put together from: a broker and a database server."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, Self

from restock_common.contracts.topics import TOPICS, Topic
from restock_common.errors import Transient
from restock_common.kafka import create_topics, log_bounds
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition


class Broker(Protocol):
    """A broker that speaks Kafka's protocol."""

    @property
    def kafka(self) -> KafkaSettings:
        """How to reach it, once it has been started."""

    @property
    def description(self) -> str:
        """Its name and version, and how it is run."""

    async def start(self) -> None:
        """Start it and wait until it answers. Raises ProcessFailed where it does not."""

    async def stop(self) -> None:
        """Stop it; safe on one that never started."""

    async def kill(self) -> None:
        """End it as a crash would, with SIGKILL; `restart` brings it back."""

    async def restart(self) -> None:
        """Stop and start it on the same port; what was on it is lost where it is in memory only."""

    async def wipe(self) -> None:
        """Delete every topic; it is reached as before."""


class DatabaseServer(Protocol):
    """A PostgreSQL server."""

    @property
    def description(self) -> str:
        """Its name and version, and how it is run."""

    async def start(self) -> None:
        """Start it and wait until it answers. Raises ProcessFailed where it does not."""

    async def stop(self) -> None:
        """Stop it; safe on one that never started."""

    async def kill(self) -> None:
        """End it as a crash would, with SIGKILL of all its processes; `restart` brings it back."""

    async def restart(self) -> None:
        """Stop it, where it runs, and start it on the same port and data."""

    async def new_database(self, name: str) -> str:
        """Create an empty database; return its URL."""

    async def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""


class Platform:
    """A broker and a database server, started and stopped together.

    Used as a context manager: left in whatever way, nothing keeps running.
    """

    def __init__(self, broker: Broker, databases: DatabaseServer) -> None:
        self.broker = broker
        self.databases = databases

    @property
    def kafka(self) -> KafkaSettings:
        """How to reach the broker."""
        return self.broker.kafka

    async def start(self) -> None:
        """Start both and wait until they answer."""
        await self.databases.start()
        await self.broker.start()

    async def stop(self) -> None:
        """Stop both; safe after a start that failed half-way."""
        try:
            await self.broker.stop()
        finally:
            await self.databases.stop()

    async def new_database(self, name: str) -> str:
        """Create an empty database; return its URL."""
        return await self.databases.new_database(name)

    def info(self) -> dict[str, str]:
        """Return which broker and which database this is, with their versions."""
        return {"broker": self.broker.description, "database": self.databases.description}

    async def __aenter__(self) -> Self:
        """Start; what has been started is stopped where the rest fails."""
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()


async def answering(
    what: str,
    attempt: Callable[[], Awaitable[object]],
    *,
    timeout_s: float,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Attempt again and again until it succeeds.

    Args:
        what: Named in the error.
        attempt: Raises Transient while it is too early.
        timeout_s: After so many seconds the last error is raised.
        check: Called between attempts; raises where waiting has become pointless.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        check()
        try:
            await attempt()
        except Transient as error:
            if time.monotonic() > deadline:
                raise Transient(f"{what} does not answer after {timeout_s:g} s: {error}") from error
            await asyncio.sleep(0.05)
        else:
            return


async def greet_broker(kafka: KafkaSettings) -> None:
    """Ask the broker something. Raises Transient where it does not answer.

    The port is tried first: aiokafka logs an error for each port that is still closed.
    """
    host, _, port = kafka.kafka_bootstrap.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError as error:
        raise Transient(f"nobody listens at {kafka.kafka_bootstrap}: {error}") from error
    writer.close()
    await create_topics(kafka, ())


async def declare_topics(kafka: KafkaSettings, topics: Sequence[Topic] = TOPICS) -> None:
    """Create the topics that are not there, and wait until every partition has its leader."""
    partitions = [
        Partition(topic.name, number) for topic in topics for number in range(topic.partitions)
    ]
    await answering("topic creation", lambda: create_topics(kafka, topics), timeout_s=30)
    await answering("a partition leader", lambda: log_bounds(kafka, partitions), timeout_s=30)
