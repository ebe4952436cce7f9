"""CloudEvents 1.0 in Kafka's binary mode: attributes in `ce_*` headers, the event as JSON body.

An id is derived from what caused the event, so that a replay repeats it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Generic, NamedTuple, TypeVar

from pydantic import ValidationError

from restock_common.contracts.event import Event
from restock_common.contracts.upcasts import UPCASTERS, Upcaster, upcast
from restock_common.errors import Permanent, shown
from restock_common.units import as_utc

Headers = Sequence[tuple[str, bytes]]
EventT_co = TypeVar("EventT_co", bound=Event, covariant=True)

SPEC_VERSION = "1.0"
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_COUNTER_DIGITS = 19
_MAX_ATTRIBUTE_BYTES = 1_024  # an id stands on every event that it leads to
CONTENT_TYPE = "application/json"


class Position(NamedTuple):
    """Where an event stands in its writer's own sequence; compared as a pair.

    Attributes:
        incarnation: Raised when the writer's database is restored.
        sequence: Counts the writer's events, from 1.
    """

    incarnation: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record as it was read."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def written_at(self) -> datetime:
        """Return the record's own time; its producer chose it: 1970 where no clock shows it."""
        try:
            return datetime.fromtimestamp(self.timestamp_ms / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            return datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Message(Generic[EventT_co]):
    """An event with its CloudEvents attributes.

    Attributes:
        id: The same for every delivery of the same event.
        source: The writer, such as `/restock/stock-ledger/restock.ledger.v1/2`.
        time: When it happened (event time), in UTC.
        event: The event itself.
        position: Its place in the writer's sequence, if the writer keeps one.
        cause: The id of the event that caused it.
        traceparent: The W3C trace context it travels in.
        chain_head: The writer's hash chain after the batch that this event ends.
        partition: Where it was read from; None for what comes from within. Not part of what the
            message says, so not compared.
    """

    id: str
    source: str
    time: datetime
    event: EventT_co
    position: Position | None = None
    cause: str | None = None
    traceparent: str | None = None
    chain_head: str | None = None
    partition: int | None = field(default=None, compare=False)


def derive_id(*parts: object) -> str:
    """Return 32 hex digits derived from the parts, in order; equal parts give equal ids."""
    return blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).hexdigest()


def encode(
    message: Message[Event], body: bytes | None = None
) -> tuple[list[tuple[str, bytes]], bytes]:
    """Return the record's headers and body; the body is written unless it has been before."""
    headers = headers_of(
        message.id,
        message.event.type_name(),
        message.source,
        message.time.isoformat(),
        message.cause,
        message.traceparent,
        message.position,
    )
    return headers, encode_body(message.event) if body is None else body


def headers_of(
    identity: str,
    event_type: str,
    source: str,
    time: str,
    cause: str | None = None,
    traceparent: str | None = None,
    position: Position | None = None,
) -> list[tuple[str, bytes]]:
    """Return the headers of an event's record: the attributes of a `Message`, time by RFC 3339."""
    headers = [
        ("ce_id", identity.encode()),
        ("ce_type", event_type.encode()),
        ("ce_specversion", b"1.0"),
        ("content-type", b"application/json"),
        ("ce_source", source.encode()),
        ("ce_time", time.encode()),
    ]
    if cause is not None:
        headers.append(("ce_causationid", cause.encode()))
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    if position is not None:
        headers.append(("ce_incarnation", b"%d" % position.incarnation))
        headers.append(("ce_sequence", b"%d" % position.sequence))
    return headers


def encode_body(event: Event) -> bytes:
    """Return an event as JSON: what `model_dump_json` calls, without its way to text and back."""
    return type(event).__pydantic_serializer__.to_json(event, exclude_none=True)


def chain_header(head: bytes) -> tuple[str, bytes]:
    """Return the header that publishes a writer's hash chain with the last event of a batch."""
    return ("ce_chainhead", head.hex().encode())


def decode(
    record: Record,
    types: Mapping[str, type[Event]],
    upcasters: Mapping[str, Upcaster] = UPCASTERS,
) -> Message[Event]:
    """Return the message that a record carries.

    Args:
        record: As it was read.
        types: The event types that can be read, by CloudEvents type.
        upcasters: How older versions become one of them.

    Raises:
        Permanent: A header is missing or wrong, the type or its version is unknown, or the body
            does not validate; the error names the field and the value.
    """
    attributes: dict[str, str] = {}
    for name, raw in record.headers:
        if not name.startswith("ce_") and name != "traceparent":
            continue  # other people's headers are not ours to judge
        if name != "traceparent" and len(raw) > _MAX_ATTRIBUTE_BYTES:
            reason = f"has {len(raw)} bytes, {_MAX_ATTRIBUTE_BYTES} at most: {raw[:64]!r}"
            raise Permanent(reason, field=f"header {name[:64]}")
        try:
            attributes[name] = raw.decode()
        except UnicodeDecodeError:
            raise Permanent(f"is not UTF-8: {raw[:64]!r}", field=f"header {name}") from None
        if not attributes[name].isprintable():
            raise Permanent(f"has control characters: {raw[:64]!r}", field=f"header {name}")
    spec_version = _required(attributes, "ce_specversion")
    if spec_version != SPEC_VERSION:
        raise Permanent(f"is {spec_version!r}, not '1.0'", field="header ce_specversion")
    identity = _required(attributes, "ce_id")
    source = _required(attributes, "ce_source")
    time = _time(_required(attributes, "ce_time"))
    type_name, value = _required(attributes, "ce_type"), record.value
    if value is not None and type_name not in types:
        type_name, value = upcast(type_name, value, types, upcasters)
    event_type = _event_type(type_name, types)
    if value is None:
        raise Permanent("is empty", field="body")
    try:
        event = event_type.model_validate_json(value)
    except ValidationError as error:
        raise as_permanent(error) from None
    return Message(
        id=identity,
        source=source,
        time=time,
        event=event,
        position=_position(attributes),
        cause=attributes.get("ce_causationid"),
        traceparent=trace_context(attributes.get("traceparent")),
        chain_head=attributes.get("ce_chainhead"),
        partition=record.partition,
    )


def as_permanent(error: ValidationError) -> Permanent:
    """Return the first finding of a validation as an error that names the field and the value."""
    first = error.errors(include_url=False, include_context=False)[0]
    field = ".".join(map(str, first["loc"])) or "body"
    value = shown(repr(first["input"]))
    more = error.error_count() - 1
    return Permanent(f"{first['msg']}: {value}" + (f" (+{more} more)" if more else ""), field=field)


def trace_context(header: str | None) -> str | None:
    """Return a trace context; a malformed one is dropped, as W3C Trace Context asks."""
    return header if header and _TRACEPARENT.fullmatch(header) else None


def _required(attributes: Mapping[str, str], name: str) -> str:
    value = attributes.get(name)
    if not value:
        raise Permanent("is missing", field=f"header {name}")
    return value


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise Permanent(f"has no zone: {text!r}", field="header ce_time")
        return as_utc(moment)
    except ValueError:
        raise Permanent(f"is not an RFC 3339 time: {text!r}", field="header ce_time") from None


def _event_type(name: str, types: Mapping[str, type[Event]]) -> type[Event]:
    found = types.get(name)
    if found is not None:
        return found
    base = name.rpartition(".v")[0]
    known = [other for other in types if base and other.rpartition(".v")[0] == base]
    if known:
        raise Permanent(
            f"{name!r} is a version not known here; known: {known[0]!r}", field="header ce_type"
        )
    raise Permanent(f"{name!r} is not an event type known here", field="header ce_type")


def _position(attributes: Mapping[str, str]) -> Position | None:
    sequence = attributes.get("ce_sequence")
    if sequence is None:
        return None
    return Position(
        _counter("ce_incarnation", attributes.get("ce_incarnation", "0")),
        _counter("ce_sequence", sequence),
    )


def _counter(name: str, text: str) -> int:
    if not (
        text.isascii() and text.isdigit() and len(text) <= _COUNTER_DIGITS and int(text) < 2**63
    ):
        raise Permanent(f"is not a whole number below 2^63: {text[:40]!r}", field=f"header {name}")
    return int(text)
