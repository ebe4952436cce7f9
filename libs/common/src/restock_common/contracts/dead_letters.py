"""restock.dead-letters.v1: what could not be handled, with the reason, so that nothing is lost."""

from typing import Annotated, ClassVar

from pydantic import Field

from restock_common.contracts.event import Event
from restock_common.contracts.topics import DEAD_LETTERS, Topic

MAX_KEPT_BYTES = 1_048_576
"""Of a larger record the first bytes are kept; the source's offset leads to the rest."""


class DeadLetter(Event):
    """A record that can never be handled, where it came from, and what was wrong with it."""

    topic: ClassVar[Topic] = DEAD_LETTERS

    consumer: str
    source_topic: str
    source_partition: int
    source_offset: int
    reason: str
    field: str | None = None
    attempt: Annotated[int, Field(ge=1)] = 1
    headers: tuple[tuple[str, str], ...] = ()
    """Header names and values; bytes that are not UTF-8 are shown as escapes."""
    record_key: str | None = None
    """The record's key, as base64."""
    body: str
    """The record's value, as base64."""
    body_bytes: int
    """The whole length, also where `body` was cut."""

    @property
    def key(self) -> str:
        """Return the topic it came from."""
        return self.source_topic
