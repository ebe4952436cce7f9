"""Devices that speak MQTT: each message taken for good, or set aside with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote

from order_ingest.domain.findings import Finding, Refused
from order_ingest.domain.requests import (
    CountRequest,
    ScanRequest,
    check_depth,
    parse_identifier,
    parse_with,
)
from order_ingest.handlers.goods import Goods
from order_ingest.handlers.letters import Letters
from order_ingest.handlers.ports import Accepted
from order_ingest.handlers.scans import Scans
from restock_common.errors import Permanent

ROOT = "restock"
COUNTS, SCANS = "counts", "scans"
_LEVELS = 4


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
        letters: Keeps what cannot be handled.
        goods: Takes counts.
        scans: Takes scans.
    """

    def __init__(self, letters: Letters, goods: Goods, scans: Scans) -> None:
        self._letters = letters
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
            origin, now = f"mqtt:{message.topic}", datetime.now(UTC)
            await self._letters.keep(origin, {}, message.payload, error, now)
            return error

    async def _take(self, message: DeviceMessage) -> Accepted:
        location, device, what = _address(message.topic)
        check_depth(message.payload)
        if what == COUNTS:
            told = parse_with(CountRequest, message.payload, {"location": location})
            name = parse_identifier("count", f"{device}:{told.count}")
            return await self._goods.count(told.model_copy(update={"count": name}))
        said = {"location": location, "device": device}
        [answer] = await self._scans.take([parse_with(ScanRequest, message.payload, said)])
        if isinstance(answer, Accepted):
            return answer
        raise answer


def _address(topic: str) -> Sequence[str]:
    """Return location, device and what is said. Raises Refused."""
    levels = topic.split("/")
    if len(levels) != _LEVELS or levels[0] != ROOT or levels[-1] not in {COUNTS, SCANS}:
        reason = f"is not {ROOT}/<location>/<device>/{COUNTS} or /{SCANS}"
        raise Refused([Finding("topic", reason, topic)])
    return [unquote(level) for level in levels[1:]]
