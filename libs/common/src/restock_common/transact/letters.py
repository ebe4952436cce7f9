"""What becomes of a record that can never be handled."""

import base64
from datetime import UTC, datetime

from restock_common.contracts.dead_letters import MAX_KEPT_BYTES, DeadLetter
from restock_common.contracts.envelope import Message, Record, derive_id
from restock_common.errors import Permanent


def dead_letter(consumer: str, record: Record, error: Permanent) -> Message[DeadLetter]:
    """Return what is published of a record that `consumer` can never handle, with the reason."""
    value = record.value or b""
    letter = DeadLetter(
        consumer=consumer,
        source_topic=record.topic,
        source_partition=record.partition,
        source_offset=record.offset,
        reason=error.reason,
        field=error.field,
        headers=tuple(
            (name, raw.decode(errors="backslashreplace")) for name, raw in record.headers
        ),
        record_key=base64.b64encode(record.key).decode() if record.key is not None else None,
        body=base64.b64encode(value[:MAX_KEPT_BYTES]).decode(),
        body_bytes=len(value),
    )
    return Message(
        id=derive_id("dead-letter", consumer, record.topic, record.partition, record.offset),
        source=record.topic,
        time=_written_at(record),
        event=letter,
    )


def _written_at(record: Record) -> datetime:
    """Return the record's own time; its producer chose it, so it can be one that no clock shows."""
    try:
        return datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
