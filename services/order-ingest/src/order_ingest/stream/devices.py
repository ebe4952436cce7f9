"""Devices that speak MQTT 5: counts and scans, acknowledged once they are durable.

Topics are `restock/<location>/<device>/counts` and `.../scans`, quality of service 1. The session
is kept by the broker while this process is away, and the subscription is shared: each message goes
to one of the replicas. A message is acknowledged (PUBACK) after Kafka has acknowledged its event,
or its dead letter; until then the broker gives it again, and its derived id counts once.

Mosquitto shares messages with replicas that are away as well, and keeps them for their session: so
a replica needs a name that stays, and one that goes for good must have its session ended.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from urllib.parse import unquote, urlsplit

import aiomqtt
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from pydantic import SecretStr

from order_ingest.handlers import COUNTS, ROOT, SCANS, Accepted, DeviceMessage
from restock_common import telemetry
from restock_common.errors import Permanent, Transient, without_values
from restock_common.runtime import Background

log = structlog.get_logger()

GROUP = "restock-order-ingest"
MAX_UNACKNOWLEDGED = 200
"""The broker sends no more before some are acknowledged: what waits here is bounded."""

MAX_PACKET_BYTES = 1_000_000
"""As much as a body of the HTTP door: the broker does not send a larger message."""

_PORT, _TLS_PORT = 1883, 8883
_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0


_MAX_UNASKED = 1_000
"""So many messages of quality of service 0 wait here, which no broker holds back or gives again."""


class _Waiting(asyncio.Queue[aiomqtt.Message]):
    """What has come and is not taken yet; what would be too much is dropped and counted.

    Only of quality of service 0: of more than that the broker sends no more than may wait.
    """

    def put_nowait(self, item: aiomqtt.Message) -> None:
        """Keep a message, if there is room for its kind."""
        if item.qos == 0 and self.qsize() >= _MAX_UNASKED:
            telemetry.RECORDS.labels("mqtt", "dropped").inc()
            return
        super().put_nowait(item)


class MqttDevices(Background):
    """Takes what devices publish, until stopped; a broker that is away is waited for.

    What is not acknowledged at the end comes again.

    Args:
        take: Takes a message for good; raises Transient to be given it again.
        url: `mqtt://user:password@host:port`, or `mqtts://` with TLS.
        client_id: The name of the session that the broker keeps; another for each replica.
        session_expiry_s: How long the broker keeps the session of a replica that is away.
    """

    name = "MQTT door"

    def __init__(
        self,
        take: Callable[[DeviceMessage], Awaitable[Accepted | Permanent]],
        *,
        url: SecretStr,
        client_id: str,
        session_expiry_s: int,
    ) -> None:
        self._take_for_good = take
        self._url = url
        self._client_id = client_id
        self._session_expiry_s = session_expiry_s

    async def _run(self) -> None:
        pause_s = _PAUSE_S
        while True:
            try:
                async with self._client() as client:
                    log.info("mqtt_connected", client=self._client_id)
                    pause_s = _PAUSE_S
                    await self._follow(client)
            except aiomqtt.MqttError as error:
                log.warning("mqtt_retry", error=str(error), pause_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _client(self) -> aiomqtt.Client:
        url = urlsplit(self._url.get_secret_value())
        tls = url.scheme == "mqtts"
        asked = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        asked.SessionExpiryInterval = self._session_expiry_s
        asked.ReceiveMaximum = MAX_UNACKNOWLEDGED
        asked.MaximumPacketSize = MAX_PACKET_BYTES
        client = aiomqtt.Client(
            url.hostname or "",
            url.port or (_TLS_PORT if tls else _PORT),
            username=None if url.username is None else unquote(url.username),
            password=None if url.password is None else unquote(url.password),
            identifier=self._client_id,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=False,
            properties=asked,
            tls_context=ssl.create_default_context() if tls else None,
            queue_type=_Waiting,
        )
        # aiomqtt (2.5) has no acknowledgement of its own yet (its issue 345); paho below it has.
        client._client.manual_ack_set(on=True)
        return client

    async def _follow(self, client: aiomqtt.Client) -> None:
        for what in (COUNTS, SCANS):
            await client.subscribe(f"$share/{GROUP}/{ROOT}/+/+/{what}", qos=1)
        async for first in client.messages:
            messages = [first]
            while len(client.messages) and len(messages) < MAX_UNACKNOWLEDGED:
                messages.append(await anext(client.messages))
            await asyncio.gather(*map(self._take, messages))
            for message in messages:  # in the order they came in, as MQTT asks
                client._client.ack(message.mid, message.qos)

    async def _take(self, message: aiomqtt.Message) -> None:
        """Give a message to the door until it is taken for good."""
        payload = message.payload if isinstance(message.payload, bytes) else b""
        told = DeviceMessage(str(message.topic), payload)
        pause_s = _PAUSE_S
        while True:
            try:
                answer = await self._take_for_good(told)
            except Transient as error:
                log.warning("device_message_retry", topic=told.topic, error=str(error))
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            else:
                refused = isinstance(answer, Permanent)
                outcome = "dead_letter" if refused else "handled"
                telemetry.RECORDS.labels("mqtt", outcome).inc()
                if refused:
                    reason = without_values(str(answer))
                    log.warning("device_message_refused", topic=told.topic, reason=reason)
                return
