"""Publishing: acknowledged by all in-sync replicas, and in order whatever fails in between."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from restock_common import telemetry
from restock_common.errors import Transient
from restock_common.kafka.client import MAX_REQUEST_BYTES, client_options, stop_client
from restock_common.settings import KafkaSettings
from restock_common.transact import Outgoing

log = structlog.get_logger()

_BATCH_BYTES = 262_144


class Producer:
    """Publishes with acks=all; in order on each partition, whatever fails in between."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._client: Any = None
        self._renewing = asyncio.Lock()
        self._given_up: set[Any] = set()

    @property
    def unsettled(self) -> bool:
        """Whether something may still arrive that nobody waits for any more."""
        return bool(self._given_up)

    async def start(self) -> None:
        """Connect. Raises Transient where the broker does not answer."""
        self._client = await self._connect()

    async def stop(self) -> None:
        """Send what is buffered and disconnect."""
        if self._client is not None:
            await stop_client(self._client)

    async def send(self, entry: Outgoing) -> None:
        """Publish one record; returns once all in-sync replicas have it.

        Raises:
            Transient: It may or may not be there: send the same again.
        """
        client = self._running()
        try:
            await client.send_and_wait(
                entry.topic,
                entry.body,
                key=entry.key,
                partition=entry.partition,
                headers=entry.headers,
            )
        except KafkaError as error:
            raise Transient(f"{entry.topic}/{entry.partition}: {error!r}") from error

    async def publish(
        self, entries: Sequence[Outgoing], *, acknowledged: Callable[[], object] = lambda: None
    ) -> None:
        """Publish entries in their order on each partition; returns when all are acknowledged.

        One batch a partition is in flight, and is sent again until it is acknowledged: so a
        failure can repeat entries, but never reorder or skip one, which readers rely on when they
        pass over positions that they have seen. Where the caller is cancelled, the batch in flight
        may still arrive: `unsettled` tells so; what this producer publishes next comes after it.

        Args:
            entries: What is published.
            acknowledged: Called for each batch that has been: it goes on.
        """
        queues: dict[TopicPartition, list[Outgoing]] = {}
        for entry in entries:
            queues.setdefault(TopicPartition(entry.topic, entry.partition), []).append(entry)
        await asyncio.gather(
            *(self._publish_in_order(tp, queue, acknowledged) for tp, queue in queues.items())
        )

    async def _publish_in_order(
        self, tp: TopicPartition, queue: Sequence[Outgoing], acknowledged: Callable[[], object]
    ) -> None:
        start, pause_s = 0, 0.05
        while start < len(queue):
            client = self._running()
            try:
                batch = client.create_batch()
                end = start
                while end < len(queue) and _append(batch, queue[end]):
                    end += 1
                batch.close()
                sent = await client.send_batch(batch, tp.topic, partition=tp.partition)
                try:
                    await asyncio.shield(sent)
                except asyncio.CancelledError:
                    self._give_up(sent)
                    raise
            except KafkaError as error:
                telemetry.KAFKA_RETRIES.labels("publish").inc()
                log.warning(
                    "publish_retry", topic=tp.topic, partition=tp.partition, error=repr(error)
                )
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 2.0)
                if not error.retriable:
                    await self._renew(client)
            else:
                acknowledged()
                start = end

    def _give_up(self, sent: Any) -> None:
        """Remember what is on its way and cannot be called back, until its fate is known."""
        if sent.done():
            return

        def settled(future: Any) -> None:
            self._given_up.discard(future)
            if not future.cancelled():
                future.exception()  # looked at, so that it is not reported as lost

        self._given_up.add(sent)
        sent.add_done_callback(settled)

    def _running(self) -> Any:
        assert self._client is not None, "the producer has not been started"
        return self._client

    async def _renew(self, broken: Any) -> None:
        """Replace a client that cannot recover (aiokafka sticks on OutOfOrderSequence, #1017)."""
        async with self._renewing:
            if self._client is not broken:
                return
            try:
                self._client = await self._connect()
            except Transient:
                return
            asyncio.get_running_loop().create_task(broken.stop())

    async def _connect(self) -> AIOKafkaProducer:
        client = AIOKafkaProducer(
            **client_options(self._settings),
            acks="all",
            enable_idempotence=self._settings.kafka_idempotent,
            linger_ms=5,
            max_batch_size=_BATCH_BYTES,
            max_request_size=MAX_REQUEST_BYTES,
        )
        try:
            await client.start()
        except KafkaError as error:
            await stop_client(client)
            raise Transient(f"Kafka does not answer: {error!r}") from error
        return client


def _append(batch: Any, entry: Outgoing) -> bool:
    appended = batch.append(timestamp=None, key=entry.key, value=entry.body, headers=entry.headers)
    return appended is not None
