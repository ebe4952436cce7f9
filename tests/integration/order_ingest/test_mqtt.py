"""The MQTT door against Mosquitto: when it acknowledges, what it keeps, how replicas share.

What stands behind the door here is a list; `test_devices.py` has the whole service.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import aiomqtt
import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr
from tests.integration.order_ingest.mosquitto import mosquitto, needs_mosquitto
from tests.support import until

from order_ingest.handlers import Accepted, DeviceMessage
from order_ingest.stream import MqttDevices
from restock_common.errors import Transient

pytestmark = needs_mosquitto


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Return the port of a broker that knows no session yet: it shares with those away too."""
    with mosquitto(tmp_path) as found:
        yield found


class Taken:
    """What came through; away, it takes nothing."""

    def __init__(self) -> None:
        self.messages: list[DeviceMessage] = []
        self.asked = 0
        self.away = False

    async def __call__(self, message: DeviceMessage) -> Accepted:
        self.asked += 1
        if self.away:
            raise Transient("Kafka is away")
        self.messages.append(message)
        return Accepted("scan", "s", "e")

    def numbers(self) -> list[int]:
        return [json.loads(one.payload)["sequence"] for one in self.messages]


@asynccontextmanager
async def reading(port: int, taken: Taken, client: str) -> AsyncIterator[None]:
    devices = MqttDevices(
        taken,
        url=SecretStr(f"mqtt://127.0.0.1:{port}"),
        client_id=client,
        session_expiry_s=3600,
    )
    await devices.start()
    try:
        yield
        assert devices.dead() is None
    finally:
        await devices.stop()


async def publish(
    port: int, numbers: range, topic: str = "restock/n1/scanner-1/scans", qos: int = 1
) -> None:
    async with aiomqtt.Client("127.0.0.1", port) as device:
        for number in numbers:
            await device.publish(topic, json.dumps({"sequence": number}), qos=qos)


async def subscribed(port: int, taken: Taken) -> None:
    """Return once messages come through, and forget those that showed it."""

    async def probe() -> bool:
        await publish(port, range(1))
        return bool(taken.messages)

    await until(probe, what="the subscription", every_s=0.1)
    await asyncio.sleep(0.3)
    taken.messages.clear()


async def test_nothing_is_acknowledged_before_it_is_taken(port: int) -> None:
    first, second = Taken(), Taken()
    client = uuid4().hex
    async with reading(port, first, client):
        await subscribed(port, first)
        first.away = True
        await publish(port, range(1, 4))
        await until(lambda: _true(first.asked > 3), what="the messages that nobody takes")
    assert first.messages == []
    await publish(port, range(4, 6))  # while the replica is away
    async with reading(port, second, client):
        await until(lambda: _true(len(second.messages) == 5), what="what was not acknowledged")
    assert sorted(second.numbers()) == [1, 2, 3, 4, 5]


async def test_what_was_taken_does_not_come_again(port: int) -> None:
    first, second = Taken(), Taken()
    client = uuid4().hex
    async with reading(port, first, client):
        await subscribed(port, first)
        await publish(port, range(1, 4))
        await until(lambda: _true(len(first.messages) == 3), what="three messages")
        await asyncio.sleep(0.2)  # the last acknowledgement is on its way
    async with reading(port, second, client):
        await publish(port, range(9, 10))
        await until(lambda: _true(bool(second.messages)), what="the next message")
    assert second.numbers() == [9]


async def test_replicas_share_the_messages(port: int) -> None:
    one, other = Taken(), Taken()
    async with reading(port, one, uuid4().hex), reading(port, other, uuid4().hex):
        await subscribed(port, one)
        await subscribed(port, other)
        one.messages.clear()
        numbers = range(1, 41)
        await publish(port, numbers)
        total = len(numbers)
        await until(
            lambda: _true(len(one.messages) + len(other.messages) >= total), what="all messages"
        )
    assert sorted(one.numbers() + other.numbers()) == list(numbers)
    assert one.messages
    assert other.messages


async def test_what_nobody_holds_back_is_dropped_where_it_is_too_much(port: int) -> None:
    """Of quality of service 0; what is acknowledged comes through."""
    taken = Taken()
    async with reading(port, taken, uuid4().hex):
        await subscribed(port, taken)
        taken.away = True
        await publish(port, range(1, 1_501), qos=0)
        await publish(port, range(9_001, 9_002))
        await until(lambda: _true(dropped() >= 1_500 - 1_200), what="what is too much")
        taken.away = False
        await until(lambda: _true(9_001 in taken.numbers()), what="what has to come through")


def dropped() -> float:
    told = {"topic": "mqtt", "outcome": "dropped"}
    return REGISTRY.get_sample_value("restock_records_total", told) or 0.0


async def test_a_broker_that_comes_late_is_waited_for(tmp_path: Path) -> None:
    taken = Taken()
    with mosquitto(tmp_path) as found:
        pass
    async with reading(found, taken, "late"):
        with mosquitto(tmp_path, found):
            await subscribed(found, taken)


async def _true(value: bool) -> bool:
    return value
