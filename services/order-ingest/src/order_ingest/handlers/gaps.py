"""What is missing of each shop, to be shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from order_ingest.domain.gaps import Range
from restock_common.postgres import Connection, Database


@dataclass(frozen=True, slots=True)
class LastEvent:
    """What a shop said last of its own accord.

    Attributes:
        channel: By what it came.
        kind: What it was, in the channel's words.
        told_at: When it happened, as the shop says.
        received_at: When it came.
    """

    channel: str
    kind: str
    told_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class PollState:
    """How the reading of a shop's own API goes.

    Attributes:
        polled_at: When it was last read to the end; None before the first time.
        read_until: All that changed until then is here, by the shop's clock.
        due_at: When it is read next.
        failures: How often it could not be read, one after the other.
        failing_since: Since when.
        error: Why, the last time.
    """

    polled_at: datetime | None
    read_until: datetime | None
    due_at: datetime
    failures: int
    failing_since: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Gap:
    """What was heard of a shop, and what was not.

    Attributes:
        shop: Which one.
        channel: Its channel of webhooks; None where it has none.
        last: What it said last; None where it never has.
        silent_since: Since when that is unusually long ago; None where it is not.
        first_number: Where its orders are counted from; None where they are not.
        last_number: The highest number that was seen.
        missing: Numbers that no order was seen with.
        not_in_shop: Those of which the shop knows none, either.
        found: How many orders no webhook had told, and were found by reading the shop.
        to_fetch: How many orders are to be read of which a webhook told too little.
        poll: How reading goes; None where the shop is not read.
    """

    shop: str
    channel: str | None
    last: LastEvent | None
    silent_since: datetime | None
    first_number: int | None
    last_number: int | None
    missing: tuple[Range, ...]
    not_in_shop: tuple[Range, ...]
    found: int
    to_fetch: int
    poll: PollState | None


class GapBook(Protocol):
    """Tells what is missing; `store.PostgresGaps`."""

    async def of(self, connection: Connection, shop: str | None) -> list[Gap]:
        """Return what is missing of one shop, or of all by name; an unknown one is left out."""


class Gaps:
    """Tells what is missing of shops.

    Args:
        database: Where it is kept.
        book: What reads it.
    """

    def __init__(self, database: Database, book: GapBook) -> None:
        self._database = database
        self._book = book

    async def of(self, shop: str | None = None) -> Sequence[Gap]:
        """Return what is missing of one shop, or of all. Raises Transient."""
        async with self._database.snapshot() as connection:
            return await self._book.of(connection, shop)
