"""Small helpers that tests of several services share."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psutil

from restock_common.contracts import TYPES
from restock_common.contracts.dead_letters import DeadLetter
from restock_common.contracts.envelope import Message, Record, decode, derive_id, encode
from restock_common.contracts.event import Event
from restock_common.contracts.topics import DEAD_LETTERS, Topic
from restock_common.kafka import Producer, partition_of, read_to_end
from restock_common.settings import KafkaSettings
from restock_common.transact import Enclosed, Outgoing, open_letter
from restock_local.folders import state_folder

T = TypeVar("T")

EPOCH = datetime(2017, 1, 2, 9, tzinfo=UTC)
"""A fixed moment for events whose time does not matter."""


def message(
    event: Event, *, time: datetime = EPOCH, message_id: str | None = None, source: str = "/test"
) -> Message[Any]:
    """Wrap an event as a message from outside; the id is derived from the event unless given."""
    return Message(
        id=message_id or derive_id(event.type_name(), event.model_dump_json()),
        source=source,
        time=time,
        event=event,
    )


def outgoing(
    sent: Message[Any], *, partition: int | None = None, topic: Topic | None = None
) -> Outgoing:
    """Return the record of a message; its partition follows from the key unless given."""
    name = (topic or sent.event.topic).name
    key = sent.event.key.encode() if sent.event.key is not None else None
    if partition is None:
        assert key is not None, f"{sent.event.type_name()} has no key: give its partition"
        partition = partition_of(name, key)
    headers, body = encode(sent)
    return Outgoing(name, partition, key, headers, body)


async def publish(
    kafka: KafkaSettings,
    events: Sequence[Event | Message[Any]],
    *,
    partition: int | None = None,
    topic: Topic | None = None,
) -> None:
    """Publish events (wrapped by `message` where they are bare), in order on each partition."""
    messages = [one if isinstance(one, Message) else message(one) for one in events]
    await publish_raw(kafka, [outgoing(one, partition=partition, topic=topic) for one in messages])


async def publish_raw(kafka: KafkaSettings, records: Sequence[Outgoing]) -> None:
    """Publish records as they are: malformed ones too."""
    producer = Producer(kafka)
    await producer.start()
    try:
        await producer.publish(records)
    finally:
        await producer.stop()


async def read_records(kafka: KafkaSettings, topic: Topic) -> list[Record]:
    """Return everything on a topic, in order on each partition."""
    return [record async for record in read_to_end(kafka, topic)]


async def read_messages(kafka: KafkaSettings, topic: Topic) -> list[Message[Any]]:
    """Return every message on a topic, in order on each partition."""
    return [decode(record, TYPES) for record in await read_records(kafka, topic)]


async def read_letters(kafka: KafkaSettings) -> list[tuple[DeadLetter, Enclosed]]:
    """Return every dead letter, with what is sealed in it."""
    seal = kafka.dead_letter_seal()
    assert seal is not None, "tests/conftest.py gives a key"
    found = []
    for one in await read_messages(kafka, DEAD_LETTERS):
        enclosed = open_letter(one.event, seal)
        assert enclosed is not None, "the service had a key"
        found.append((one.event, enclosed))
    return found


async def until(
    probe: Callable[[], Awaitable[T]], *, what: str, timeout_s: float = 30.0, every_s: float = 0.05
) -> T:
    """Return the probe's first true answer; fail, naming `what`, where none comes in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = await probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s:g} s; the last answer: {answer!r}")
        await asyncio.sleep(every_s)


def run_folder_of(process: psutil.Process) -> Path:
    """Return the folder that a run keeps its state in: others may be there beside it."""
    (folder,) = {
        Path(file.path).parent
        for file in process.open_files()
        if Path(file.path).parent.parent == state_folder()
    }
    return folder
