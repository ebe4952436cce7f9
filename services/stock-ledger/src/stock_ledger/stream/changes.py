"""The live feed: one reader of the ledger's levels in this process, shared by all its clients."""

import asyncio
from collections.abc import Iterable

import structlog

from restock_common import telemetry
from restock_common.contracts import TYPES
from restock_common.contracts.envelope import Position, Record, decode
from restock_common.contracts.stock import StockLevelChanged
from restock_common.contracts.topics import STOCK
from restock_common.errors import Permanent, Transient
from restock_common.kafka import Tail
from restock_common.runtime import Progress
from restock_common.settings import KafkaSettings
from stock_ledger.domain.feed import BEFORE_ALL, Backlog, Interest, KnownLevel, Page, known_level

log = structlog.get_logger()

CLIENTS_MAX = 1000
_LINGER_S = 30.0
_AT_ONCE = 100
_LEVEL = ("ce_type", StockLevelChanged.type_name().encode())


class Listener:
    """One client of the feed: its backlog, and word that something waits in it.

    Args:
        changes: The feed that it listens to.
        interest: What the client wants.
    """

    def __init__(self, changes: "Changes", interest: Interest) -> None:
        self._changes = changes
        self._backlog = Backlog(interest)
        self._woken = asyncio.Event()
        self.interest = interest
        self.ended = False

    def reading(self) -> None:
        """Note that the client's next page is read from now on."""
        self._backlog.reading()

    def shown(self, page: Page) -> None:
        """Note that the client is shown a page, before anything that waits."""
        self._backlog.shown(page)

    def take(self, limit: int) -> list[KnownLevel]:
        """Return what waits for the client, and forget it."""
        return self._backlog.take(limit)

    def add(self, known: KnownLevel) -> None:
        """Take a change, from the feed."""
        if self._backlog.add(known):
            telemetry.FEED_LEVELS.labels("coalesced").inc()
        if self._backlog:
            self._woken.set()

    async def wait(self, timeout_s: float) -> bool:
        """Return True once something waits or the feed has ended; False after a while."""
        self._woken.clear()
        if self._backlog or self.ended:
            return True
        try:
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True

    def end(self) -> None:
        """Tell the client that nothing more comes."""
        self.ended = True
        self._woken.set()

    def close(self) -> None:
        """Stop listening; safe to call again."""
        self._changes.leave(self)


class Changes:
    """Follows the levels on restock.stock.v1 from their end while anybody listens.

    Without a consumer group, since the clients of each process want all of them. It begins with
    the first client: to fetch what nobody listens to is what a busy ledger's feed would cost.

    Args:
        kafka: How to reach the broker.
        clients_max: More are turned away.
        linger_s: How long it goes on after the last client has left: clients come back.
    """

    def __init__(
        self, kafka: KafkaSettings, *, clients_max: int = CLIENTS_MAX, linger_s: float = _LINGER_S
    ) -> None:
        self._kafka = kafka
        self._clients_max = clients_max
        self._linger_s = linger_s
        self._listeners: dict[Listener, None] = {}
        self._by_sku: dict[str, dict[Listener, None]] = {}
        self._by_any_sku: dict[Listener, None] = {}
        self._seen: dict[tuple[int, int], Position] = {}
        self._gate = asyncio.Lock()
        self._tail: Tail | None = None
        self._following: asyncio.Task[None] | None = None
        self._idle: asyncio.Task[None] | None = None
        self._ended = False

    async def listen(self, interest: Interest) -> Listener:
        """Return a listener that is told every change from now on, until it is closed.

        Raises:
            Transient: The broker does not answer, there are too many clients, or this is the end.
        """
        async with self._gate:
            if self._ended:
                raise Transient("the feed is being stopped")
            if len(self._listeners) >= self._clients_max:
                raise Transient(f"the feed has {self._clients_max} clients, which are all it takes")
            if self._following is None or self._following.done():
                await self._unfollow()
                await self._follow()
            listener = Listener(self, interest)
            self._listeners[listener] = None
            for index in self._indexes(interest):
                index[listener] = None
            telemetry.FEED_CLIENTS.set(len(self._listeners))
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a listener; where none comes for a while after the last, the reading ends."""
        if self._listeners.pop(listener, self) is self:
            return
        for index in self._indexes(listener.interest):
            del index[listener]
        for sku in listener.interest.skus or ():
            if not self._by_sku[sku]:
                del self._by_sku[sku]
        telemetry.FEED_CLIENTS.set(len(self._listeners))
        idle = self._idle is not None and not self._idle.done()
        if not (self._listeners or self._ended or idle):
            self._idle = asyncio.create_task(self._when_idle(), name="feed idle")

    def end(self) -> None:
        """Tell every client that nothing more comes; take no new ones."""
        self._ended = True
        self._end_all()

    async def start(self) -> None:
        """Do nothing: the reading begins with the first client."""

    async def stop(self) -> None:
        """End the reading."""
        self.end()
        async with self._gate:
            await self._unfollow()
        if self._idle is not None:
            self._idle.cancel()
            await asyncio.gather(self._idle, return_exceptions=True)

    def not_ready(self) -> str | None:
        """Return None: it begins when it is asked to."""
        return None

    def dead(self) -> str | None:
        """Return None: where the reading fails, its clients come back and it begins again."""
        return None

    async def progress(self) -> Progress:
        """Return nothing: what it reads, it does not keep."""
        return Progress()

    async def _follow(self) -> None:
        tail = Tail(self._kafka, STOCK, from_end=True)
        try:
            await tail.start()
        except Transient:
            await tail.stop()
            raise
        self._seen.clear()
        self._tail = tail
        self._following = asyncio.create_task(self._run(tail), name="feed")

    async def _unfollow(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
            self._following = None
        if self._tail is not None:
            await self._tail.stop()
            self._tail = None

    async def _when_idle(self) -> None:
        await asyncio.sleep(self._linger_s)
        async with self._gate:
            if not self._listeners:
                await self._unfollow()

    async def _run(self, tail: Tail) -> None:
        try:
            told = 0
            async for record in tail.records():
                told += self._tell(record)
                if told >= _AT_ONCE:  # a batch of thousands must not hold up those who look up
                    told = 0
                    await asyncio.sleep(0)
        except Exception as error:
            log.error("feed_failed", exc_info=error)
            self._end_all()

    def _end_all(self) -> None:
        for listener in self._listeners:
            listener.end()

    def _tell(self, record: Record) -> int:
        """Tell those who are interested, and return how many there are.

        What interests nobody is not even decoded.
        """
        if _LEVEL not in record.headers or record.key is None:
            return 0
        listeners = [*self._by_any_sku, *self._by_sku.get(record.key.decode(errors="replace"), ())]
        if not listeners:
            return 0
        try:
            known = known_level(decode(record, TYPES))
        except Permanent as error:
            log.warning("level_refused", offset=record.offset, error=str(error))
            return 0
        # A shard's levels come in its own order on each partition; what comes out of it is a
        # repetition: published again after a restart, or late by a writer that was paused.
        sequence = (known.shard, record.partition)
        if known.position <= self._seen.get(sequence, BEFORE_ALL):
            return 0
        self._seen[sequence] = known.position
        for listener in listeners:
            listener.add(known)
        return len(listeners)

    def _indexes(self, interest: Interest) -> Iterable[dict[Listener, None]]:
        if interest.skus is None:
            return [self._by_any_sku]
        return [self._by_sku.setdefault(sku, {}) for sku in interest.skus]
