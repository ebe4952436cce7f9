"""Publishes one partition's journal in order, behind the commits and beside the next batch."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence

import structlog

from restock_common import telemetry, tracing
from restock_common.errors import Transient
from restock_common.kafka import Producer
from restock_common.postgres import PostgresInbox
from restock_common.transact import Cursor, JournalEntry

log = structlog.get_logger()

_RELOAD_ENTRIES = 5_000
_MAX_WAITING = 50_000
_IDLE_S = 0.5
_PRUNE_EVERY_S = 5.0


class Relay:
    """The journal of one partition on its way out.

    Args:
        inbox: Where the journal is kept.
        producer: What it is published with.
        source: Who says it, by CloudEvents.
        cursor: Where it stood when this process took the partition over; what the last writer
            had not published is published first.
    """

    def __init__(
        self, inbox: PostgresInbox, producer: Producer, source: str, cursor: Cursor
    ) -> None:
        self._inbox = inbox
        self._producer = producer
        self._source = source
        self._partition = cursor.partition
        self._epoch = cursor.epoch
        self._published = cursor.published_sequence
        self._marked = cursor.published_sequence
        self._pruned_at = 0.0
        self._reload_until = cursor.next_sequence - 1
        self._committed = cursor.next_sequence - 1
        self._waiting: deque[JournalEntry] = deque()
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._task = asyncio.create_task(self._run(), name=f"relay {cursor.partition}")
        self._task.add_done_callback(lambda _: self._room.set())

    @property
    def published(self) -> int:
        """The last entry that the broker has acknowledged, with all before it."""
        return self._published

    @property
    def unpublished(self) -> int:
        """How many entries the broker has not acknowledged."""
        reloading = max(0, self._reload_until - self._published)
        return max(
            reloading, (self._waiting[-1].sequence - self._published) if self._waiting else 0
        )

    def dead(self) -> str | None:
        """Return what ended the relay, if it has ended by itself."""
        if self._task.done() and not self._task.cancelled():
            return f"the relay of {self._partition} ended: {self._task.exception()!r}"
        return None

    async def put(self, entries: Sequence[JournalEntry], cursor: Cursor) -> None:
        """Hand over what a commit appended, and the cursor after it; waits while much is waiting.

        A commit whose answer was lost can come to light only now, by the numbers that it took:
        its entries are read from the journal.
        """
        before = cursor.next_sequence - 1 - len(entries)
        if before > self._committed:
            self._reload_until = max(self._reload_until, before)
            self._wake.set()
        self._committed = max(self._committed, cursor.next_sequence - 1)
        if not entries:
            return
        self._waiting.extend(entries)
        self._wake.set()
        if len(self._waiting) > _MAX_WAITING:
            self._room.clear()
            if not self._task.done():
                await self._room.wait()

    def reload(self, cursor: Cursor) -> None:
        """Read the journal again: a commit's answer was lost, so entries may be missing here."""
        self._committed = max(self._committed, cursor.next_sequence - 1)
        self._reload_until = max(self._reload_until, self._committed)
        self._wake.set()

    async def stop(self, *, patience_s: float) -> None:
        """Publish what is waiting, as long as patience lasts, and end."""
        deadline = time.monotonic() + patience_s
        while self.unpublished and time.monotonic() < deadline and not self._task.done():  # noqa: ASYNC110 - two conditions, no event for both
            await asyncio.sleep(0.02)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        try:
            await self._mark()
        except Transient as error:
            log.warning("published_not_marked", error=str(error))

    async def _run(self) -> None:
        while True:
            try:
                if await self._publish_some():
                    if time.monotonic() - self._pruned_at >= _PRUNE_EVERY_S:
                        await self._prune()
                elif not await self._woken():
                    await self._mark()
            except Transient as error:
                log.warning("relay_retry", partition=str(self._partition), error=str(error))
                await asyncio.sleep(0.2)

    async def _woken(self) -> bool:
        """Return True once there is something to do, False after a while without anything."""
        self._wake.clear()
        if self._waiting:
            return True
        try:
            # Not wait_for, which on Python 3.11 loses a cancellation that comes with the wake-up.
            async with asyncio.timeout(_IDLE_S):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True

    async def _publish_some(self) -> bool:
        if self._reload_until > self._published:
            entries = await self._inbox.unpublished(
                self._partition, self._published, _RELOAD_ENTRIES
            )
            if not entries:
                self._reload_until = self._published
        else:
            entries = list(self._waiting)
        entries = [entry for entry in entries if entry.sequence > self._published]
        if entries:
            started = time.monotonic()
            await self._producer.publish([entry.record(self._source) for entry in entries])
            self._published = entries[-1].sequence
            telemetry.PUBLISH_SECONDS.observe(time.monotonic() - started)
            tracing.sent(started, ((entry.topic, entry.traceparent) for entry in entries))
            telemetry.PUBLISHED.inc(len(entries))
        while self._waiting and self._waiting[0].sequence <= self._published:
            self._waiting.popleft()
        if len(self._waiting) <= _MAX_WAITING:
            self._room.set()
        return bool(entries)

    async def _mark(self) -> None:
        """Write down what has been published since the last batch, which wrote the rest down."""
        if self._published != self._marked:
            marked = self._published
            await self._inbox.mark_published(self._partition, self._epoch, marked)
            self._marked = marked
            await self._prune()

    async def _prune(self) -> None:
        await self._inbox.prune(self._partition, self._published)
        self._pruned_at = time.monotonic()
