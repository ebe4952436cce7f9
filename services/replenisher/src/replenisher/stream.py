"""Topics in: the application that `transact` runs, and the reviewer beside it."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Protocol

import structlog

from replenisher.domain.assessment import assess, revise_needs
from replenisher.domain.model import WorkingSet
from replenisher.domain.review import ReviewDue
from replenisher.domain.terms import Policy, TermsBook
from replenisher.handlers import HANDLED, decide
from restock_common import telemetry
from restock_common.contracts.catalogue import Catalogue
from restock_common.contracts.envelope import Message, Record, derive_id
from restock_common.contracts.event import Event
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
    """Tells which review is due."""

    async def due_review(self) -> ReviewDue | None:
        """Return the review that every source has made possible; None where it has been made."""


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
            revise_needs(assess(positions, self._book(state)), list(state.touched.values()))
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
        return TermsBook(self._catalogue, state.lead_times, self._policy)


class Reviewer(Background):
    """Makes the review of each day, once everything before it has been heard.

    Args:
        stream: What the review is decided through.
        agenda: Tells which review is due, from the database alone, so that none is ever missed.
    """

    name = "reviewer"

    def __init__(self, stream: Stream[WorkingSet], agenda: Agenda) -> None:
        self._stream = stream
        self._agenda = agenda
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
        due = await self._agenda.due_review() is not None
        reviewing = self._reviewing
        unpublished = (await self._stream.progress()).unpublished
        return Progress(pending=int(due or reviewing or unpublished > 0))

    async def _run(self) -> None:
        while not self._stopping:
            self._stream.advanced.clear()
            try:
                await self._review_if_due()
            except Fenced as error:
                log.info("review_left_to_another", reason=str(error))
            except Transient as error:
                log.warning("review_retry", error=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN_S):
                    await self._stream.advanced.wait()

    async def _review_if_due(self) -> None:
        if REVIEWED_ON not in self._stream.owned:
            return
        due = await self._agenda.due_review()
        if due is None:
            return
        started = time.monotonic()
        self._reviewing = True
        try:
            outcome = await self._stream.act(REVIEWED_ON, [review_message(due)])
        finally:
            self._reviewing = False
        telemetry.REVIEW_SECONDS.observe(time.monotonic() - started)
        telemetry.PURCHASE_ORDERS.inc(len(outcome.journal))
        log.info("reviewed", review_date=str(due.review_date), purchase_orders=len(outcome.journal))


def review_message(due: ReviewDue) -> Message[Event]:
    """Return the review as a message: its id makes its orders' ids."""
    return Message(
        id=derive_id("review", due.review_date),
        source="/restock/replenisher/reviewer",
        time=due.cut_at,
        event=due,
    )
