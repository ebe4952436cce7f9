"""The dead letters as they stand on their topic: read, opened, and sent back."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson

from restock_common.contracts import TYPES
from restock_common.contracts.dead_letters import DeadLetter
from restock_common.contracts.envelope import Record, decode
from restock_common.contracts.topics import DEAD_LETTERS
from restock_common.errors import Permanent, RestockError
from restock_common.kafka import Producer, read_partitions_to_end, read_to_end
from restock_common.sealing import Unsealable
from restock_common.settings import KafkaSettings
from restock_common.transact import Enclosed, Outgoing, Partition, open_letter

REPLAY_HEADER = "restock-replay-of"
_OF_A_PLACE = frozenset({"ce_incarnation", "ce_sequence", "ce_chainhead", REPLAY_HEADER})
"""Headers of a record's place in its writer's sequence: readers are past it, and would pass on."""

_TOPIC = re.compile(r"[A-Za-z0-9._-]+")
"""What else stands in the place of a topic came by another way: no log has it."""

_WEBHOOKS = "webhooks/"
_WAITING = "order-ingest/waiting"
_COMMANDS = {
    "amend": ("POST", "/v1/orders/{subject}/amendments"),
    "cancel": ("POST", "/v1/orders/{subject}/cancel"),
    "return": ("POST", "/v1/returns"),
    "release": ("DELETE", "/v1/holds/{subject}"),
}
"""Where order-ingest is told again what has waited there: ids are derived from what is said."""


class NotOne(Exception):
    """No letter, or more than one, has this id."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are asked for; what is None is not asked.

    Attributes:
        topic: That it came from.
        service: That could not handle it.
        since: When the letter was written, at the earliest.
        field: That was found fault with.
    """

    topic: str | None = None
    service: str | None = None
    since: datetime | None = None
    field: str | None = None

    def takes(self, letter: "Letter") -> bool:
        """Return whether a letter is asked for."""
        event = letter.event
        return (
            self.topic in {None, event.source_topic}
            and self.service in {None, event.consumer}
            and (self.since is None or letter.written_at >= self.since)
            and self.field in {None, event.field}
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter.

    Attributes:
        id: The same whenever it was made.
        written_at: When it was published.
        event: What everybody can read of it.
        held: What was sealed in it; None where that cannot be read.
    """

    id: str
    written_at: datetime
    event: DeadLetter
    held: Enclosed | None = None

    @property
    def reason(self) -> str:
        """Return what is wrong, with the value where that can be read."""
        return self.event.reason if self.held is None else self.held.reason

    @property
    def came_by_http(self) -> bool:
        """Whether it was said to order-ingest, and is said there again."""
        topic = self.event.source_topic
        return topic == _WAITING or topic.startswith(_WEBHOOKS)

    @property
    def request(self) -> "HttpRequest":
        """What order-ingest is asked again. Raises RestockError where not all of it is known."""
        assert self.came_by_http, "what stood in a log is written there again"
        if self.held is None or not self.held.whole:
            raise RestockError("not all of it is known any more: send it from the shop")
        headers = {name: value.decode(errors="replace") for name, value in self.held.headers}
        topic = self.event.source_topic
        if topic != _WAITING:
            shop = topic.removeprefix(_WEBHOOKS)
            return HttpRequest(shop, "POST", f"/v1/shops/{shop}/deliveries", headers)
        method, path = _COMMANDS[headers["command"]]
        subject = quote((self.held.key or b"").decode(), safe=":")
        kind = {"Content-Type": "application/json"}
        return HttpRequest(headers["shop"], method, path.format(subject=subject), kind)

    @property
    def body(self) -> bytes:
        """Return the record's value. Raises RestockError where it cannot be read any more."""
        if self.held is None:
            event = self.event
            place = f"{event.source_topic}/{event.source_partition} offset {event.source_offset}"
            raise RestockError(f"no key was set when it was written, and {place} is gone")
        return self.held.body

    def described(self, *, whole: bool) -> dict[str, Any]:
        """Return the letter for programs; bytes that are not UTF-8 are shown as escapes."""
        event = self.event.model_dump(exclude={"sealed"}, exclude_none=True)
        told = {"id": self.id, "written_at": self.written_at, **event, "reason": self.reason}
        if whole and self.held is not None:
            key = self.held.key
            told["headers"] = [(name, _text(value)) for name, value in self.held.headers]
            told["key"] = None if key is None else _text(key)
            told["body"] = _text(self.held.body)
            told["body_base64"] = base64.b64encode(self.held.body).decode()
        return told

    def lines(self) -> Iterator[str]:
        """Yield the letter as people read it."""
        event = self.event
        yield f"id        {self.id}"
        yield f"written   {self.written_at.isoformat()}"
        yield f"service   {event.consumer}"
        place = f"{event.source_topic}/{event.source_partition}, offset {event.source_offset}"
        yield f"came from {place}"
        yield f"field     {event.field or '-'}"
        yield f"reason    {self.reason}"
        if self.held is None:
            yield f"body      {event.body_bytes} bytes, which cannot be read here"
            return
        for name, value in self.held.headers:
            yield f"header    {name}: {_text(value)}"
        if self.held.key is not None:
            yield f"key       {_text(self.held.key)}"
        yield f"body      {event.body_bytes} bytes"
        yield ""
        yield _pretty(self.held.body)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What order-ingest is asked again, with a key of the shop."""

    shop: str
    method: str
    path: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Replayed:
    """Where a letter's record stands that was sent again; `new` where that was done just now."""

    letter: str
    topic: str
    partition: int
    offset: int
    new: bool

    def __str__(self) -> str:
        """Return it as people read it."""
        said = "sent to" if self.new else "was sent before: it is at"
        return f"{self.letter}: {said} {self.topic}/{self.partition}, offset {self.offset}"


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of what was said again, as order-ingest has answered."""

    letter: str
    shop: str
    status: int
    answer: str

    def __str__(self) -> str:
        """Return it as people read it."""
        return f"{self.letter}: shop {self.shop} was answered {self.status}: {self.answer}"


class Letterbox:
    """Reads the dead letters of one broker, and sends records back.

    Args:
        settings: How to reach the broker, and what opens letters.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._seal = settings.dead_letter_seal()

    async def letters(self, wanted: Filter) -> list[Letter]:
        """Return each letter once, the oldest first; what cannot be opened tells what it can."""
        found: dict[str, Letter] = {}
        async for record in read_to_end(self._settings, DEAD_LETTERS):
            letter = self._letter(record)
            if letter is not None and wanted.takes(letter):
                found.setdefault(letter.id, letter)
        return sorted(found.values(), key=lambda letter: letter.written_at)

    async def whole(self, letter_id: str) -> Letter:
        """Return one letter with all that can be found of its record.

        What the letter does not hold, because it was too long or because there was no key, may
        still be where it came from.

        Raises:
            NotOne: No letter, or several, begin with this id.
            Unsealable: The letter was sealed with a key that is not given.
        """
        letters = [one for one in await self.letters(Filter()) if one.id.startswith(letter_id)]
        if len(letters) != 1:
            raise NotOne(f"{len(letters)} dead letters have an id that begins with {letter_id!r}")
        [letter] = letters
        if letter.held is None and letter.event.sealed is not None:
            if self._seal is None:
                raise Unsealable("it is sealed: set RESTOCK_DEAD_LETTER_KEYS to what sealed it")
            open_letter(letter.event, self._seal)  # which says what is wrong
        if letter.held is not None and letter.held.whole:
            return letter
        original = await self._original(letter.event)
        if original is None:
            return letter
        held = Enclosed(
            letter.reason, tuple(original.headers), original.key, original.value or b"", whole=True
        )
        return Letter(letter.id, letter.written_at, letter.event, held)

    async def replay(self, letter: Letter, body: bytes) -> Replayed:
        """Write a letter's record where it came from, with this body, unless that has been done.

        Raises:
            RestockError: Not all of the record is known any more.
            Transient: It may or may not be there: try again.
        """
        place = Partition(letter.event.source_topic, letter.event.source_partition)
        if not _TOPIC.fullmatch(place.topic):
            raise RestockError(f"{place.topic!r} is no topic: it is sent again by who sent it")
        if letter.held is None or not letter.held.whole:
            raise RestockError("not all of the record is known any more: send it from its source")
        sent = await self._replayed(letter.id, place, after=letter.event.source_offset)
        if sent is not None:
            return Replayed(letter.id, place.topic, place.number, sent, new=False)
        headers = [pair for pair in letter.held.headers if pair[0] not in _OF_A_PLACE]
        headers.append((REPLAY_HEADER, letter.id.encode()))
        producer = Producer(self._settings)
        await producer.start()
        try:
            await producer.send(Outgoing(place.topic, place.number, letter.held.key, headers, body))
        finally:
            await producer.stop()
        sent = await self._replayed(letter.id, place, after=letter.event.source_offset)
        assert sent is not None, "the broker has acknowledged it"
        return Replayed(letter.id, place.topic, place.number, sent, new=True)

    async def deliver(self, letter: Letter, body: bytes, url: str, key: str) -> Delivered:
        """Say a webhook or a command to order-ingest again, with this body; it counts once.

        Raises:
            RestockError: Not all of it is known any more, or nobody answers.
        """
        asked = letter.request
        address = f"{url}{asked.path}"
        headers = {**asked.headers, "X-API-Key": key}
        try:
            async with (
                aiohttp.ClientSession(headers=headers) as http,
                http.request(asked.method, address, data=body) as answer,
            ):
                return Delivered(letter.id, asked.shop, answer.status, await answer.text())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RestockError(f"{address}: {error!r}") from None

    async def _replayed(self, letter_id: str, place: Partition, *, after: int) -> int | None:
        """Return the offset of a letter's replay; None where there is none."""
        mark = (REPLAY_HEADER, letter_id.encode())
        start = {place.number: after + 1}
        async for record in read_partitions_to_end(self._settings, [place], start):
            if mark in [tuple(header) for header in record.headers]:
                return record.offset
        return None

    async def _original(self, event: DeadLetter) -> Record | None:
        place = Partition(event.source_topic, event.source_partition)
        if not _TOPIC.fullmatch(place.topic):
            return None
        start = {place.number: event.source_offset}
        async for record in read_partitions_to_end(self._settings, [place], start):
            return record if record.offset == event.source_offset else None
        return None

    def _letter(self, record: Record) -> Letter | None:
        """Return the letter of a record; None where it is of a version that is not known here."""
        try:
            message = decode(record, TYPES)
        except Permanent:
            return None
        event = message.event
        if not isinstance(event, DeadLetter):
            return None
        held = None
        if self._seal is not None:
            try:
                held = open_letter(event, self._seal)
            except Unsealable:
                held = None
        return Letter(message.id, record.written_at, event, held)


def _text(raw: bytes) -> str:
    return raw.decode(errors="backslashreplace")


def _pretty(body: bytes) -> str:
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return _text(body)
