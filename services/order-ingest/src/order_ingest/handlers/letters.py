"""What never stood in a log and can never be handled: set aside, not lost."""

from collections.abc import Mapping
from datetime import datetime

from order_ingest.domain.privacy import Privacy
from order_ingest.handlers.desk import Desk
from restock_common.contracts.envelope import Record, derive_id
from restock_common.errors import Permanent
from restock_common.sealing import Seal
from restock_common.transact import Outgoing, dead_letter

CONSUMER = "order-ingest"


class Letters:
    """Writes dead letters of what came in by other ways than a topic.

    Args:
        desk: What publishes them.
        seal: Encrypts what they hold: what came in by no topic stands nowhere else.
        privacy: What keeps the ids of letters from telling what is in them.
    """

    def __init__(self, desk: Desk, seal: Seal, privacy: Privacy) -> None:
        self._desk = desk
        self._seal = seal
        self._privacy = privacy

    def of(self, record: Record, error: Permanent) -> Outgoing:
        """Return the letter of what would stand in a record, to be published."""
        letter = dead_letter(CONSUMER, record, error, self._seal)
        return self._desk.entry(letter.id, letter.event, time=letter.time, source=letter.source)

    async def keep(
        self,
        origin: str,
        headers: Mapping[str, str],
        body: bytes,
        error: Permanent,
        came_at: datetime,
    ) -> str:
        """Return the id of the letter once it is durable; the same content has the same id.

        Args:
            origin: Where it came in, in the place of a topic, such as `mqtt:<topic>`.
            headers: Those that are kept.
            body: What was sent.
            error: Why it cannot be handled.
            came_at: When it came.

        Raises:
            Transient: It may not have been kept: have it sent again.
        """
        told = tuple((name, value.encode(errors="replace")) for name, value in headers.items())
        digest = self._privacy.digest(repr((origin, told, body)).encode(), size=8)
        offset = int.from_bytes(digest, "big") >> 1  # there is no log: the content tells which
        timestamp_ms = int(came_at.timestamp() * 1000)
        await self._desk.publish(
            [self.of(Record(origin, 0, offset, timestamp_ms, None, body, told), error)]
        )
        return derive_id("dead-letter", CONSUMER, origin, 0, offset)
