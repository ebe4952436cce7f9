"""Topics in: the application that `transact` runs, and the reviewer beside it."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Protocol

import structlog

from replenisher.domain.assessment import assess, revise_needs
from replenisher.domain.model import WorkingSet
from replenisher.domain.orders import OrderCommand, OrdersLate
from replenisher.domain.review import ReviewDue
from replenisher.domain.supplier_terms import SupplierTermsIndex
from replenisher.domain.terms import Policy, TermsBook
from replenisher.handlers import HANDLED, decide
from restock_common import telemetry
from restock_common.contracts.catalogue import Catalogue
from restock_common.contracts.envelope import Message, Record, derive_id
from restock_common.contracts.event import Event
from restock_common.contracts.replenishment import PurchaseOrderPlaced, PurchaseOrderProposed
from restock_common.contracts.topics import STOCK
from restock_common.errors import Fenced, Transient
from restock_common.postgres import Connection
from restock_common.runtime import Background, Progress, Stream
from restock_common.transact import Emission, Partition, read_event

log = structlog.get_logger()

REVIEWED_ON = Partition(STOCK.name, 0)
"""Whoever owns this partition makes the reviews."""

_LOOK_AGAIN_S = 1.0
_STOP_PATIENCE_S = 10.0


class Store(Protocol):
    """Where the working set is kept."""

    async def load(self, connection: Connection, messages: Sequence[Message[Event]]) -> WorkingSet:
        """Return what the messages need, locked until the transaction ends."""

    async def save(self, connection: Connection, state: WorkingSet) -> None:
        """Write what changed."""


class Agenda(Protocol):
    """Tells what is due."""

    async def due_review(self) -> ReviewDue | None:
        """Return a review that every source has made possible; None where all have been made."""

    async def due_commands(self) -> Sequence[OrderCommand]:
        """Return commands that have not been done, in the order in which they came."""

    async def late_orders(self) -> OrdersLate | None:
        """Return orders that are late and of which that has not been told."""


class Replenishment:
    """The application: load, decide, look at the needs of what was touched, save.

    Args:
        store: Where the working set is kept.
        catalogue: Master data, kept up to date by its reader.
        policy: The house's own choices.
    """

    def __init__(self, store: Store, catalogue: Catalogue, policy: Policy) -> None:
        self._store = store
        self._catalogue = catalogue
        self._policy = policy
        self._index = SupplierTermsIndex(catalogue)

    def read(self, record: Record) -> Message[Event] | None:
        """Return the message; None for the ledger's other events."""
        return read_event(record, HANDLED)

    async def load(self, connection: Connection, messages: Sequence[Message[Event]]) -> WorkingSet:
        """Return the working set of a batch."""
        return await self._store.load(connection, messages)

    def handle(self, state: WorkingSet, message: Message[Event]) -> Iterable[Emission]:
        """Decide one message."""
        return decide(state, self._book(state), message)

    async def save(self, connection: Connection, state: WorkingSet) -> None:
        """Revise the needs of all that the batch touched, at once, and write what changed."""
        if state.touched:
            positions = [state.positions[place] for place in state.touched]
            assessment = assess(positions, self._book(state))
            revise_needs(assessment, list(state.touched.values()), state.reopened)
        for key in state.unmatched:
            log.warning(
                "receipt_unmatched",
                receipt=key.receipt,
                order_line=key.order_line,
                purchase_order=key.purchase_order,
            )
        telemetry.UNMATCHED_RECEIPTS.inc(len(state.unmatched))
        await self._store.save(connection, state)

    def _book(self, state: WorkingSet) -> TermsBook:
        return TermsBook(self._catalogue, state.lead_times, self._policy, self._index)


class Reviewer(Background):
    """Does what is due: commands, late orders, and each supplier's review once all is heard.

    Args:
        stream: What is decided through.
        agenda: Tells what is due, from the database alone, so that nothing is ever missed.
        told: Set where a command has come to this process.
    """

    name = "reviewer"

    def __init__(
        self, stream: Stream[WorkingSet], agenda: Agenda, told: asyncio.Event | None = None
    ) -> None:
        self._stream = stream
        self._agenda = agenda
        self._told = told or asyncio.Event()
        self._reviewing = False
        self._stopping = False

    async def stop(self) -> None:
        """Finish a review that is being made, unless the database is away, and end."""
        self._stopping = True
        self._stream.advanced.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=_STOP_PATIENCE_S)
        await super().stop()

    async def progress(self) -> Progress:
        """Return pending = 1 from when a review is due until its orders have been published.

        Asked after the stream: offsets that were told before can only have moved the watermark
        that is read here, so a review cannot fall between the two. The journal is looked at last,
        since a review may end between the first look and this one.
        """
        due = (
            await self._agenda.due_review() is not None
            or bool(await self._agenda.due_commands())
            or await self._agenda.late_orders() is not None
        )
        reviewing = self._reviewing
        unpublished = (await self._stream.progress()).unpublished
        return Progress(pending=int(due or reviewing or unpublished > 0))

    async def _run(self) -> None:
        while not self._stopping:
            self._stream.advanced.clear()
            self._told.clear()
            again = False
            try:
                again = await self._do_what_is_due()
            except Fenced as error:
                log.info("review_left_to_another", reason=str(error))
            except Transient as error:
                log.warning("review_retry", error=str(error))
            if not again:
                await self._wait()

    async def _wait(self) -> None:
        """Wait for a batch, a command, or a while."""
        waits = [
            asyncio.ensure_future(self._stream.advanced.wait()),
            asyncio.ensure_future(self._told.wait()),
        ]
        try:
            await asyncio.wait(waits, timeout=_LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _do_what_is_due(self) -> bool:
        """Do one thing of each kind; return whether there may be more."""
        if REVIEWED_ON not in self._stream.owned:
            return False
        commands = await self._agenda.due_commands()
        for told in commands:
            await self._stream.act(REVIEWED_ON, [command_message(told)])
        late = await self._agenda.late_orders()
        if late is not None:
            await self._stream.act(REVIEWED_ON, [late_message(late)])
        return await self._review_if_due() or late is not None or bool(commands)

    async def _review_if_due(self) -> bool:
        due = await self._agenda.due_review()
        if due is None:
            return False
        started = time.monotonic()
        self._reviewing = True
        try:
            outcome = await self._stream.act(REVIEWED_ON, [review_message(due)])
        finally:
            self._reviewing = False
        ordered = (PurchaseOrderPlaced.type_name(), PurchaseOrderProposed.type_name())
        orders = sum(entry.type in ordered for entry in outcome.journal)
        telemetry.REVIEW_SECONDS.observe(time.monotonic() - started)
        telemetry.PURCHASE_ORDERS.inc(orders)
        log.info(
            "reviewed",
            review_date=str(due.review_date),
            suppliers=len(due.suppliers),
            purchase_orders=orders,
        )
        return True


def review_message(due: ReviewDue) -> Message[Event]:
    """Return the review as a message: its id makes its events' ids."""
    return Message(
        id=derive_id("review", due.review_date, *sorted(due.suppliers)),
        source="/restock/replenisher/reviewer",
        time=due.cut_at,
        event=due,
    )


def command_message(told: OrderCommand) -> Message[Event]:
    """Return a command as a message."""
    return Message(
        id=derive_id("order-command", told.command),
        source="/restock/replenisher/desk",
        time=told.at,
        event=told,
    )


def late_message(late: OrdersLate) -> Message[Event]:
    """Return the news that orders are late as a message."""
    return Message(
        id=derive_id("late", *late.purchase_orders, late.noticed_at.isoformat()),
        source="/restock/replenisher/reviewer",
        time=late.noticed_at,
        event=late,
    )
