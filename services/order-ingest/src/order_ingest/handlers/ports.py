"""What the door works with: its answers, its memory, its master data and its clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from order_ingest.domain.checks import EARLIEST
from order_ingest.domain.orders import Placement
from order_ingest.domain.register import Entry, RegisteredT
from restock_common.contracts.catalogue import Catalogue
from restock_common.contracts.ledger import OrderLine
from restock_common.postgres import Connection


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a door answers once the event is durable.

    Attributes:
        kind: What was accepted: order, receipt, count, ...
        id: Its id; an order's is `<shop>:<number>`.
        event: The event's id, the same for every repeat.
        pool: Whose stock it concerns; None for master data.
        more: What else is told, by name, as pairs.
        waiting: Whether it waits for an order or cart that has not been seen.
        new: Whether it was taken for the first time; a repeat is answered like the first all the
            same.
    """

    kind: str
    id: str
    event: str
    pool: str | None = None
    more: tuple[tuple[str, str], ...] = ()
    waiting: bool = False
    new: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the order book holds of some orders.

    Attributes:
        placements: Each order as it was first taken, by id.
        new: Those that were written just now.
    """

    placements: dict[str, Placement]
    new: frozenset[str]


class OrderBook(Protocol):
    """Remembers each order as it was first taken, for ever; `store.PostgresOrderBook`."""

    async def remember(
        self, connection: Connection, asked: Sequence[Placement], others: Sequence[str] = ()
    ) -> Memory:
        """Write the orders that are not there; return all of them, and `others`, as they are."""

    async def find(self, connection: Connection, order: str) -> Placement | None:
        """Return an order as it was first taken; None where it was not."""

    async def add_lines(
        self, connection: Connection, order: str, lines: Sequence[OrderLine]
    ) -> Mapping[str, OrderLine]:
        """Write lines that an order gains, unless they are there; return them as first told."""


class Register(Protocol):
    """Remembers what was first taken under an id, for ever; `store.PostgresRegister`."""

    async def enter(
        self, connection: Connection, asked: Sequence[Entry[RegisteredT]]
    ) -> list[Entry[RegisteredT]]:
        """Write what is not there; return all, in their order, as they are."""

    async def find(
        self, connection: Connection, kind: type[RegisteredT], ids: Sequence[str]
    ) -> Mapping[str, RegisteredT]:
        """Return what is known of one kind, by id; unknown ids are missing."""


class Sandboxes(Protocol):
    """Tells which orders and carts never reach the ledger, by their ids; `Shops.is_sandboxed`."""

    def __call__(self, subject: str, /) -> bool:
        """Return whether what is said of it goes to `restock.sandbox.v1`."""


class MasterData(Protocol):
    """The catalogue as it stands; `runtime.CatalogueReader`."""

    catalogue: Catalogue

    def not_ready(self) -> str | None:
        """Return why lookups may miss something."""

    async def read_to_now(self) -> None:
        """Return once all that has been published until now is there. Raises Transient."""


class Clock:
    """The time that counts: the system's, or in a replay the time that was last said.

    Args:
        replay: Whether time is said through the API.
    """

    def __init__(self, *, replay: bool) -> None:
        self.replay = replay
        self.said: datetime | None = None

    def now(self) -> datetime:
        """Return the time; a replay that has not said one yet plays what is past."""
        if self.replay and self.said is not None:
            return self.said
        return datetime.now(UTC)

    def come(self) -> datetime:
        """Return the time that has come in the log: a replay's has not begun before it is said."""
        if self.replay:
            return self.said or EARLIEST
        return datetime.now(UTC)
