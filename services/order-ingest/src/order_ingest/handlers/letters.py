"""What came by HTTP and can never be handled, though its sender is known: set aside, not lost."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b

from order_ingest.handlers.desk import Desk
from restock_common.contracts.envelope import Record
from restock_common.errors import Permanent
from restock_common.transact import dead_letter

CONSUMER = "order-ingest"


class Letters:
    """Writes dead letters.

    Args:
        desk: What publishes them.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def keep(
        self,
        origin: str,
        headers: Mapping[str, str],
        body: bytes,
        error: Permanent,
        came_at: datetime,
    ) -> str:
        """Return the id of the letter once it is durable; the same delivery has the same id.

        Args:
            origin: Where it came in, in the place of a topic: `webhooks/<shop>`.
            headers: Those that are kept.
            body: What was sent.
            error: Why it cannot be handled.
            came_at: When it came.

        Raises:
            Transient: It may not have been kept: have it sent again.
        """
        told = tuple((name, value.encode(errors="replace")) for name, value in headers.items())
        digest = blake2b(repr((origin, told, body)).encode(), digest_size=8).digest()
        offset = int.from_bytes(digest, "big") >> 1  # there is no log: the content tells which
        timestamp_ms = int(came_at.timestamp() * 1000)
        record = Record(origin, 0, offset, timestamp_ms, None, body, told)
        letter = dead_letter(CONSUMER, record, error)
        entry = self._desk.entry(letter.id, letter.event, time=letter.time, source=letter.source)
        await self._desk.publish([entry])
        return letter.id
