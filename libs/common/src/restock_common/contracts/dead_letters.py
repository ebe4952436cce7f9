"""restock.dead-letters.v1: what could not be handled, with the reason, so that nothing is lost."""

from typing import Annotated, ClassVar

from pydantic import Field

from restock_common.contracts.event import Event
from restock_common.contracts.topics import DEAD_LETTERS, Topic

MAX_KEPT_BYTES = 1_048_576
"""Of a larger record the first bytes are kept; the source's offset leads to the rest."""


class DeadLetter(Event):
    """A record that can never be handled, where it came from, and what was wrong with it.

    What can be read by anyone who reads the topic names no value of the record: storefronts write
    what they like, and some of it is about people.

    Attributes:
        reason: What is wrong, without the values.
        field: Where.
        sealed: The whole reason, the headers, the key and the body, encrypted, as base64; see
            `transact.letters`. Without a key in the settings, None: they are where they came from.
        body_bytes: The whole length of the record's value, also where it was cut.
    """

    topic: ClassVar[Topic] = DEAD_LETTERS
    version: ClassVar[int] = 2

    consumer: str
    source_topic: str
    source_partition: int
    source_offset: int
    reason: str
    field: str | None = None
    attempt: Annotated[int, Field(ge=1)] = 1
    sealed: str | None = None
    body_bytes: int

    @property
    def key(self) -> str:
        """Return the topic it came from."""
        return self.source_topic
