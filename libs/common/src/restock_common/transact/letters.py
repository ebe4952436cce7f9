"""What becomes of a record that can never be handled."""

import base64
from collections.abc import Iterator

from restock_common.contracts.dead_letters import MAX_KEPT_BYTES, DeadLetter
from restock_common.contracts.envelope import Headers, Message, Record, derive_id
from restock_common.errors import Permanent

_MAX_KEPT_HEADERS_BYTES = 65_536
_HEADER_BYTES = 6  # of JSON around a header, so that many empty ones are cut too
_MAX_KEPT_KEY_BYTES = 65_536
_MAX_TOLD_CHARACTERS = 1_000


def dead_letter(consumer: str, record: Record, error: Permanent) -> Message[DeadLetter]:
    """Return what is published of a record that `consumer` can never handle, with the reason.

    Whatever the record holds, the letter fits in a record itself: one byte can become six.
    """
    value = record.value or b""
    key = None if record.key is None else record.key[:_MAX_KEPT_KEY_BYTES]
    letter = DeadLetter(
        consumer=consumer,
        source_topic=record.topic,
        source_partition=record.partition,
        source_offset=record.offset,
        reason=error.reason[:_MAX_TOLD_CHARACTERS],
        field=None if error.field is None else error.field[:_MAX_TOLD_CHARACTERS],
        headers=tuple(_kept(record.headers)),
        record_key=None if key is None else base64.b64encode(key).decode(),
        body=base64.b64encode(value[:MAX_KEPT_BYTES]).decode(),
        body_bytes=len(value),
    )
    return Message(
        id=derive_id("dead-letter", consumer, record.topic, record.partition, record.offset),
        source=record.topic,
        time=record.written_at,
        event=letter,
    )


def _kept(headers: Headers) -> Iterator[tuple[str, str]]:
    """Yield the headers as text, cut where they are more than is kept."""
    left = _MAX_KEPT_HEADERS_BYTES
    for name, raw in headers:
        if left <= 0:
            return
        yield name[:left], raw[:left].decode(errors="backslashreplace")
        left -= len(name) + len(raw) + _HEADER_BYTES
