"""Levels on their way to webhooks: read once, queued in the transaction that moves the cursor."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from restock_common.contracts.envelope import Message, Record
from restock_common.contracts.event import Event
from restock_common.contracts.stock import StockLevelChanged
from restock_common.contracts.topics import STOCK
from restock_common.kafka import Producer
from restock_common.postgres import Connection, PostgresInbox
from restock_common.runtime import Stream
from restock_common.settings import KafkaSettings
from restock_common.transact import Emission, read_event
from stock_ledger.domain.feed import known_level
from stock_ledger.domain.webhooks import Notices

FEED_SERVICE = "stock-ledger-feed"
"""Its own consumer group: processes that deliver share the partitions."""

_HANDLED: frozenset[type[Event]] = frozenset({StockLevelChanged})


class Queue(Protocol):
    """Where messages wait for webhooks."""

    async def load_notices(self, connection: Connection) -> Notices:
        """Return an empty batch of messages for all webhooks that are active."""

    async def save_notices(self, connection: Connection, notices: Notices) -> None:
        """Queue messages."""


class WebhookApplication:
    """Reads levels and queues them, for `transact`; it publishes nothing."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def read(self, record: Record) -> Message[Event] | None:
        """Return the level that a record tells. Raises Permanent where it is not the ledger's."""
        message = read_event(record, _HANDLED)
        if message is not None:
            known_level(message)
        return message

    async def load(self, connection: Connection, messages: Sequence[Message[Event]]) -> Notices:  # noqa: ARG002 - whatever the messages are
        """Return an empty batch for the webhooks that there are."""
        return await self._queue.load_notices(connection)

    def handle(self, state: Notices, message: Message[Event]) -> Iterable[Emission]:
        """Take a level into the batch."""
        state.add(known_level(message), message.id, message.time)
        return ()

    async def save(self, connection: Connection, state: Notices) -> None:
        """Queue the batch."""
        await self._queue.save_notices(connection, state)


def webhook_stream(
    kafka: KafkaSettings, inbox: PostgresInbox, producer: Producer, queue: Queue
) -> Stream[Notices]:
    """Return the stream that queues levels for webhooks."""
    return Stream(
        service=FEED_SERVICE,
        kafka=kafka,
        inbox=inbox,
        producer=producer,
        application=WebhookApplication(queue),
        topics=[STOCK],
    )
