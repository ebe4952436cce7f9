"""Devices that speak MQTT: each message taken for good, or set aside with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import unquote

from order_ingest.domain.findings import Finding, Refused
from order_ingest.domain.requests import (
    CountRequest,
    ScanRequest,
    parse_identifier,
    parse_with,
)
from order_ingest.handlers.desk import Desk
from order_ingest.handlers.goods import Goods
from order_ingest.handlers.ports import Accepted
from order_ingest.handlers.scans import Scans
from restock_common.contracts.envelope import Record, derive_id
from restock_common.errors import Permanent
from restock_common.transact import Outgoing, dead_letter

ROOT = "restock"
COUNTS, SCANS = "counts", "scans"
_LEVELS = 4
_CONSUMER = "order-ingest"


@dataclass(frozen=True, slots=True)
class DeviceMessage:
    """What a device published.

    Attributes:
        topic: `restock/<location>/<device>/counts` or `.../scans`; names percent-encoded where
            they hold `/`, `+` or `#`.
        payload: JSON: what `POST /v1/counts` or `POST /v1/scans` takes, without what the topic
            tells.
    """

    topic: str
    payload: bytes


class Devices:
    """Takes what devices say, over the doors of counts and scans.

    Args:
        desk: What dead letters are published with.
        goods: Takes counts.
        scans: Takes scans.
    """

    def __init__(self, desk: Desk, goods: Goods, scans: Scans) -> None:
        self._desk = desk
        self._goods = goods
        self._scans = scans

    async def take(self, message: DeviceMessage) -> Accepted | Permanent:
        """Return what was accepted, or why the message is a dead letter now; both are durable.

        Raises:
            Transient: Nothing is promised: give it again.
        """
        try:
            return await self._take(message)
        except Permanent as error:
            await self._desk.publish([self._letter(message, error)])
            return error

    async def _take(self, message: DeviceMessage) -> Accepted:
        location, device, what = _address(message.topic)
        if what == COUNTS:
            told = parse_with(CountRequest, message.payload, {"location": location})
            name = parse_identifier("count", f"{device}:{told.count}")
            return await self._goods.count(told.model_copy(update={"count": name}))
        said = {"location": location, "device": device}
        [answer] = await self._scans.take([parse_with(ScanRequest, message.payload, said)])
        if isinstance(answer, Accepted):
            return answer
        raise answer

    def _letter(self, message: DeviceMessage, error: Permanent) -> Outgoing:
        """Return the dead letter; its id follows from the message, which has no offset."""
        now = datetime.now(UTC)
        source = f"mqtt:{message.topic}"
        record = Record(source, 0, 0, int(now.timestamp() * 1000), None, message.payload, ())
        letter = dead_letter(_CONSUMER, record, error)
        letter_id = derive_id("dead-letter", _CONSUMER, source, message.payload.hex())
        return self._desk.letter(replace(letter, id=letter_id))


def _address(topic: str) -> Sequence[str]:
    """Return location, device and what is said. Raises Refused."""
    levels = topic.split("/")
    if len(levels) != _LEVELS or levels[0] != ROOT or levels[-1] not in {COUNTS, SCANS}:
        reason = f"is not {ROOT}/<location>/<device>/{COUNTS} or /{SCANS}"
        raise Refused([Finding("topic", reason, topic)])
    return [unquote(level) for level in levels[1:]]
