"""The live feed over HTTP: server-sent events, the present levels first and then each change."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Protocol

import structlog
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from restock_common import telemetry
from restock_common.errors import Transient
from restock_common.units import LocationId, PoolId, Sku
from stock_ledger.domain.feed import Interest, KnownLevel, Page

log = structlog.get_logger()

PAGE_SKUS = 1000
MAX_NAMES = 1000
_AT_ONCE = 200
_RETRY_MS = 2000
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Levels(Protocol):
    """Present levels."""

    async def page(self, interest: Interest, after: str | None, *, skus: int) -> Page:
        """Return the present levels of the next skus that are wanted."""


class Listener(Protocol):
    """One client's place in the feed; see `stream.changes`."""

    ended: bool

    def reading(self) -> None:
        """Note that the next page is read from now on."""

    def shown(self, page: Page) -> None:
        """Note that the client is shown a page."""

    def take(self, limit: int) -> list[KnownLevel]:
        """Return what waits, and forget it."""

    async def wait(self, timeout_s: float) -> bool:
        """Return True once something waits or the feed has ended; False after a while."""

    def close(self) -> None:
        """Stop listening."""


class Changes(Protocol):
    """What tells of changes."""

    async def listen(self, interest: Interest) -> Listener:
        """Return a listener that is told every change from now on. Raises Transient."""


def router(changes: Changes, levels: Levels, *, heartbeat_s: float) -> APIRouter:
    """Return the feed's route.

    Args:
        changes: What tells of changes.
        levels: What the books hold now.
        heartbeat_s: After how long without a change a comment is sent.
    """
    routes = APIRouter(prefix="/v1", tags=["feed"])

    @routes.get(
        "/availability/stream",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def stream(
        sku: Annotated[tuple[Sku, ...], Query(max_length=MAX_NAMES)] = (),
        location: Annotated[tuple[LocationId, ...], Query(max_length=MAX_NAMES)] = (),
        pool: Annotated[tuple[PoolId, ...], Query(max_length=MAX_NAMES)] = (),
    ) -> "Feed":
        """Tell the present levels, then each change, as server-sent events; nothing named: all."""
        interest = Interest.of(sku, location, pool)
        listener = await changes.listen(interest)
        try:
            listener.reading()
            first = await levels.page(interest, None, skus=PAGE_SKUS)
        except BaseException:
            listener.close()
            raise
        listener.shown(first)
        return Feed(listener, _events(listener, levels, interest, first, heartbeat_s))

    return routes


class Feed(StreamingResponse):
    """The events, and the end of listening however they end."""

    media_type = "text/event-stream"

    def __init__(self, listener: Listener, events: AsyncIterator[bytes]) -> None:
        super().__init__(events, headers=_HEADERS)
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events until the client leaves or the feed ends."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._listener.close()


async def _events(
    listener: Listener, levels: Levels, interest: Interest, page: Page, heartbeat_s: float
) -> AsyncIterator[bytes]:
    """Yield the snapshot page by page, what changes meanwhile, and then what changes.

    To subscribe before the first page is read is what leaves no gap; see `domain.feed.Backlog`.
    """
    yield b"retry: %d\n\n" % _RETRY_MS
    try:
        while not listener.ended:
            for first in range(0, len(page.levels), _AT_ONCE):
                yield _frames(page.levels[first : first + _AT_ONCE])
            while waiting := listener.take(_AT_ONCE):
                yield _frames(waiting)
            if page.until is None:
                yield b": the snapshot is complete\n\n"
                break
            listener.reading()
            page = await levels.page(interest, page.until, skus=PAGE_SKUS)
            listener.shown(page)
    except Transient as error:
        log.warning("feed_cut", error=str(error))  # the client comes back, and begins again
        return
    while not listener.ended:
        if not await listener.wait(heartbeat_s):
            yield b": heartbeat\n\n"
        while waiting := listener.take(_AT_ONCE):
            yield _frames(waiting)


def _frames(known: Sequence[KnownLevel]) -> bytes:
    frames = [
        b"event: level\nid: %d-%d-%d\ndata: %s\n\n" % (one.shard, *one.position, one.json)
        for one in known
    ]
    telemetry.FEED_LEVELS.labels("sent").inc(len(frames))
    return b"".join(frames)
