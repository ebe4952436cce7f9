"""What becomes of a record that can never be handled."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from restock_common.contracts.dead_letters import MAX_KEPT_BYTES, DeadLetter
from restock_common.contracts.envelope import Headers, Message, Record, derive_id
from restock_common.errors import Permanent, plain_field, without_values
from restock_common.sealing import Seal, Unsealable

_MAX_KEPT_HEADERS_BYTES = 65_536
_HEADER_BYTES = 6  # of JSON around a header, so that many empty ones are cut too
_MAX_KEPT_KEY_BYTES = 65_536
_MAX_TOLD_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What a dead letter holds that not everybody may read.

    Attributes:
        reason: What is wrong, naming the value.
        headers: Of the record, cut where they are more than is kept.
        key: The record's key.
        body: The record's value, cut where it is longer than is kept.
        whole: Whether nothing was cut: only then can it be sent again.
    """

    reason: str
    headers: tuple[tuple[str, bytes], ...]
    key: bytes | None
    body: bytes
    whole: bool


def dead_letter(
    consumer: str, record: Record, error: Permanent, seal: Seal | None
) -> Message[DeadLetter]:
    """Return what is published of a record that `consumer` can never handle, with the reason.

    Whatever the record holds, the letter fits in a record itself: one byte can become six.

    Args:
        consumer: Who could not handle it.
        record: As it was read.
        error: Why.
        seal: Encrypts what the record holds; without one it stays where it is.
    """
    field = None if error.field is None else plain_field(error.field)[:_MAX_TOLD_CHARACTERS]
    letter = DeadLetter(
        consumer=consumer,
        source_topic=record.topic,
        source_partition=record.partition,
        source_offset=record.offset,
        reason=without_values(error.reason)[:_MAX_TOLD_CHARACTERS],
        field=field,
        body_bytes=len(record.value or b""),
    )
    if seal is not None:
        sealed = seal.seal(_enclosed(record, error), bound_to=_place(letter))
        letter = letter.model_copy(update={"sealed": base64.b64encode(sealed).decode()})
    return Message(
        id=derive_id("dead-letter", consumer, record.topic, record.partition, record.offset),
        source=record.topic,
        time=record.written_at,
        event=letter,
    )


def open_letter(letter: DeadLetter, seal: Seal) -> Enclosed | None:
    """Return what a letter holds; None where it was written without a key. Raises Unsealable."""
    if letter.sealed is None:
        return None
    try:
        sealed = base64.b64decode(letter.sealed, validate=True)
    except binascii.Error:
        raise Unsealable("it is not base64") from None
    head, _, body = seal.open(sealed, bound_to=_place(letter)).partition(b"\n")
    told = orjson.loads(head)
    return Enclosed(
        reason=told["reason"],
        headers=tuple((name, base64.b64decode(value)) for name, value in told["headers"]),
        key=None if told["key"] is None else base64.b64decode(told["key"]),
        body=body,
        whole=told["whole"],
    )


def _enclosed(record: Record, error: Permanent) -> bytes:
    """Return a line of JSON, and behind it the body as it was."""
    value, key = record.value or b"", record.key
    headers = list(_kept(record.headers))
    kept = (headers, None if key is None else key[:_MAX_KEPT_KEY_BYTES], value[:MAX_KEPT_BYTES])
    head = {
        "reason": error.reason[:_MAX_TOLD_CHARACTERS],
        "headers": [(name, _text(raw)) for name, raw in headers],
        "key": None if key is None else _text(key[:_MAX_KEPT_KEY_BYTES]),
        "whole": kept == (list(record.headers), key, value),
    }
    return orjson.dumps(head) + b"\n" + value[:MAX_KEPT_BYTES]


def _place(letter: DeadLetter) -> str:
    """Return what a letter's content is bound to: it cannot be moved to another letter."""
    source = f"{letter.source_topic}/{letter.source_partition}/{letter.source_offset}"
    return f"dead-letter {letter.consumer} {source}"


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _kept(headers: Headers) -> Iterator[tuple[str, bytes]]:
    """Yield the headers, cut where they are more than is kept."""
    left = _MAX_KEPT_HEADERS_BYTES
    for name, raw in headers:
        if left <= 0:
            return
        yield name[:left], raw[:left]
        left -= len(name) + len(raw) + _HEADER_BYTES
