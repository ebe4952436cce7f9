"""Reads shops' own orders again and again: what webhooks missed is found there."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

import structlog

from order_ingest.domain.channels import CHANNELS, Channel, ShopApi, Unreadable
from order_ingest.handlers import Catcher, DueShop, Feeds, Polls, Shops
from order_ingest.stream.reading import Reading
from order_ingest.stream.shop_client import ShopClient, http_client
from restock_common import telemetry
from restock_common.errors import Permanent, Transient
from restock_common.runtime import Background

log = structlog.get_logger()

AT_ONCE = 4
"""Shops that one process reads side by side: a slow one does not hold up the others."""

LEASE = timedelta(minutes=3)
"""Longer than one question and the longest wait, between which it is renewed."""

_LOOK_EVERY_S = 1.0
_AGAIN = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(hours=1)


class LeaseLost(Exception):
    """Another process reads this shop now."""


class Poller(Background):
    """Reads shops until stopped; of several replicas one at a time reads a shop.

    Args:
        polls: Tells which shops are due.
        shops: What is known of them.
        catcher: What takes their orders.
        feeds: What is told which numbers the shops have not, either.
        overlap: What changed so shortly before the last reading is read again: a shop may show an
            order later than it says that it was changed, and clocks differ.
        allow_private: Whether shops may be in this network, and be asked without TLS.
    """

    name = "poller"

    def __init__(
        self,
        polls: Polls,
        shops: Shops,
        catcher: Catcher,
        feeds: Feeds,
        *,
        overlap: timedelta,
        allow_private: bool,
    ) -> None:
        self._polls = polls
        self._shops = shops
        self._catcher = catcher
        self._feeds = feeds
        self._overlap = overlap
        self._http = http_client(allow_private=allow_private)
        self._reading: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """End, wherever it is: what was taken is taken again, and counts once."""
        await super().stop()
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)
        await self._http.aclose()

    async def _run(self) -> None:
        while True:
            free = AT_ONCE - len(self._reading)
            try:
                claims = await self._polls.claim(free) if free else ()
            except Transient as error:
                log.info("polling_retry", error=str(error))
                claims = ()
            for claim in claims:
                task = asyncio.create_task(self._read(claim), name=f"reading of {claim.shop}")
                self._reading.add(task)
                task.add_done_callback(self._reading.discard)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _read(self, claim: DueShop) -> None:
        """Read a shop, and note what came of it; no shop's troubles are another's."""
        try:
            await self._read_whole(claim)
        except LeaseLost:
            log.warning("shop_read_by_another", shop=claim.shop)
        except Transient as error:
            log.info("reading_retry", shop=claim.shop, error=str(error))
            await _settled(self._polls.release(claim, _AGAIN))
        except asyncio.CancelledError:
            await _settled(self._polls.release(claim, timedelta()))
            raise
        except (Unreadable, Permanent) as error:
            await _settled(self._failed(claim, error))
        except Exception as error:
            log.error("reading_broke", shop=claim.shop, exc_info=error)
            fault = Unreadable(f"a fault of Restock's ({type(error).__name__})")
            await _settled(self._failed(claim, fault))

    async def _read_whole(self, claim: DueShop) -> None:
        settings = await self._shops.settings(claim.shop)
        api = None if settings is None else settings.api
        channel = None if settings is None else CHANNELS[settings.channel]
        if api is None or channel is None or channel.orders_api is None:
            await self._polls.release(claim, _AGAIN)  # the settings are being changed
            return
        covered_from = claim.covered_from or api.since or claim.since
        since = covered_from if claim.read_until is None else claim.read_until - self._overlap
        reading = self._reading_of(claim, channel, api)
        read_until = await reading.changed(since)
        await reading.asked_for()
        await self._feeds.account(claim.shop, covered_from, claim.now - self._overlap)
        await self._polls.done(
            claim,
            covered_from=covered_from,
            read_until=read_until,
            pause=timedelta(seconds=api.every_s),
        )
        telemetry.READINGS.labels(channel.name, "done").inc()

    def _reading_of(self, claim: DueShop, channel: Channel, api: ShopApi) -> Reading:
        assert channel.orders_api is not None, "only such channels are read"

        async def keep() -> None:
            if not await self._polls.renew(claim):
                raise LeaseLost

        how = channel.orders_api(api)
        client = ShopClient(self._http, api.url, how.credentials(), keep)
        return Reading(claim.shop, channel, how, client, self._catcher, self._shops)

    async def _failed(self, claim: DueShop, error: Unreadable | Permanent) -> None:
        """Note that a shop could not be read: it is tried again ever more rarely, once an hour."""
        log.warning("shop_not_read", shop=claim.shop, reason=error.reason)
        settings = await self._shops.settings(claim.shop)
        pause = _AGAIN
        if settings is not None and settings.api is not None:
            telemetry.READINGS.labels(settings.channel, "failed").inc()
            usual = timedelta(seconds=settings.api.every_s)
            pause = max(usual, min(usual * 2 ** min(claim.failures, 10), _LONGEST_PAUSE))
        if isinstance(error, Unreadable):
            pause = max(pause, timedelta(seconds=error.retry_after_s))
        await self._polls.failed(claim, error.reason, pause)


async def _settled(settling: Awaitable[None]) -> None:
    """Note what came of a reading, if that can be done: else the lease ends by itself."""
    try:
        await settling
    except Transient as error:
        log.info("reading_not_settled", error=str(error))
