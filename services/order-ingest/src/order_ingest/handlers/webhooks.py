"""Webhooks: verified, read by the shop's channel, and taken by the same doors as orders by HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import structlog

from order_ingest.domain import kits
from order_ingest.domain.channels import (
    CHANNELS,
    Amend,
    Cancel,
    Channel,
    Command,
    FetchOrder,
    Headers,
    Ignored,
    InvalidPayload,
    Place,
    Return,
    Shop,
    ShopSettings,
    Unmapped,
    counts_orders,
)
from order_ingest.domain.findings import Conflict, Unknown
from order_ingest.handlers.atlas import Atlas
from order_ingest.handlers.door import Door
from order_ingest.handlers.feeds import Feeds
from order_ingest.handlers.ports import Accepted
from order_ingest.handlers.shops import Shops
from restock_common import telemetry
from restock_common.errors import Permanent, plain_field

log = structlog.get_logger()

_MAX_TOPIC_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Skipped:
    """A part of a delivery that asked for nothing."""

    ignored: str


@dataclass(frozen=True, slots=True)
class Asked:
    """An order that will be read from the shop."""

    fetch: str
    why: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """What could not be taken as it is, kept as a dead letter."""

    dead_letter: str
    reason: str


class Way(StrEnum):
    """How a delivery came.

    A page of a shop's orders shows each as a webhook does; an order that was fetched by itself
    tells more of it than a webhook can, and is compared with none.
    """

    WEBHOOK = "webhook"
    PAGE = "page"
    FETCHED = "fetched"


Outcome = Accepted | Skipped | Asked | SetAside


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a shop has sent, and what is known of it before it is read.

    Attributes:
        shop: Whose address it came to.
        settings: The shop's.
        channel: Reads it.
        headers: By name, in lower case.
        raw: The body, as it was signed.
        now: When it came, by the system's time.
        way: How it came.
    """

    shop: str
    settings: ShopSettings
    channel: Channel
    headers: Headers
    raw: bytes
    now: datetime
    way: Way


class Webhooks:
    """Takes what shops send of their own accord.

    Args:
        door: The doors of orders.
        shops: What is known of shops.
        atlas: Where addresses are found.
        feeds: What is written down of which orders were shown.
    """

    def __init__(self, door: Door, shops: Shops, atlas: Atlas, feeds: Feeds) -> None:
        self._feeds = feeds
        self._door = door
        self._shops = shops
        self._atlas = atlas

    async def prepare(self) -> None:
        """Read the map, unless that is done, so that no shop has to wait for it (Shopify: 5 s)."""
        await self._atlas.gazetteer()

    async def deliver(
        self,
        shop: str,
        headers: Headers,
        raw: bytes,
        now: datetime,
        *,
        vouched: bool = False,
        way: Way = Way.WEBHOOK,
    ) -> list[Outcome]:
        """Take a delivery; what became of each thing that it asked for.

        A shop that is answered with errors sends again for a while and then forgets where to: so
        what is signed is taken, and what cannot be taken for good becomes a dead letter.

        Args:
            shop: Whose address it came to.
            headers: By name, in lower case.
            raw: The body, as it was signed.
            now: The time of signatures: the system's, also in a replay.
            vouched: Somebody else, by the key of the shop, says that it is from there.
            way: How it came.

        Raises:
            Unknown: There is no such shop.
            BadSignature: It is not from the shop, or was sent too long ago.
            InvalidPayload: It can never be read; it was kept as a dead letter all the same.
            Transient: Nothing is promised: send it again.
        """
        settings = await self._shops.settings(shop)
        if settings is None:
            raise Unknown(f"shop {shop!r} is not known here", field="shop")
        channel = CHANNELS[settings.channel]
        one = Delivery(shop, settings, channel, headers, raw, now, way)
        try:
            if not vouched:
                channel.verify(headers, raw, settings, now)
        except Permanent:
            telemetry.DELIVERIES.labels(channel.name, "not_signed").inc()
            raise
        outcomes = await self._outcomes(one)
        await self._note(one, outcomes)
        return outcomes

    async def _outcomes(self, one: Delivery) -> list[Outcome]:
        try:
            commands = await self._read(one)
            outcomes: list[Outcome] = []
            for command in commands:
                outcomes += await self._carry_out(one, command)
                if isinstance(outcomes[-1], SetAside):
                    break  # what follows builds on it, and is in the same letter
        except InvalidPayload as error:
            await self._set_aside(one, error)
            if one.way is Way.WEBHOOK:
                telemetry.DELIVERIES.labels(one.channel.name, "not_readable").inc()
            raise
        except Unmapped as error:
            outcomes = [await self._set_aside(one, error)]
        return outcomes

    async def _note(self, one: Delivery, outcomes: list[Outcome]) -> None:
        """Write down which order was shown, and that the shop was heard. Raises Transient."""
        shop, channel = one.shop, one.channel
        new = sum(isinstance(outcome, Accepted) and outcome.new for outcome in outcomes)
        shown = None
        if channel.shows is not None and one.way is not Way.FETCHED:
            shown = channel.shows(one.headers, one.raw)
        if shown is not None:
            await self._feeds.sight(shop, shown, counted=counts_orders(one.settings))
        match one.way:
            case Way.WEBHOOK:
                became = _worst(outcomes)
                telemetry.DELIVERIES.labels(channel.name, became).inc()
                kind = _topic(channel, one.headers) or became
                told_at = one.now if shown is None else shown.changed_at
                self._door.arrivals.note(shop, channel.name, kind, told_at=told_at, orders=new)
            case Way.PAGE:
                self._door.arrivals.count(shop, found=new)
            case Way.FETCHED:
                self._door.arrivals.count(shop, orders=new)

    async def _read(self, one: Delivery) -> tuple[Command, ...]:
        """Return the commands of a delivery, once its variants have been looked up, if need be."""
        gazetteer = await self._atlas.gazetteer()
        told = Shop(one.shop, one.settings, gazetteer, self._door.customers.privacy)
        asked: set[str] = set()
        while True:
            try:
                return one.channel.adapt(one.headers, one.raw, told)
            except Unmapped as error:
                # What came back is told before what is wanted: each may name variants of its own.
                keys = [key for key in error.keys if key not in asked]
                if not keys and error.otherwise:
                    return error.otherwise
                if not keys:
                    raise
            asked.update(keys)
            found = await self._shops.skus(one.shop, keys)
            told = replace(told, skus={**told.skus, **found})

    async def _carry_out(self, one: Delivery, command: Command) -> list[Outcome]:
        try:
            outcome = await self._take(one.shop, command)
            if isinstance(command, Amend | Cancel) and command.began is not None:
                return await self._begin(one.shop, command.began, outcome)
        except Permanent as error:
            return [await self._set_aside(one, error)]
        return [outcome]

    async def _begin(self, shop: str, began: Place, end: Outcome) -> list[Outcome]:
        """Place an order whose end waits because nobody has heard of it; the end follows it.

        The end is kept first, so that whatever becomes of the beginning, it is not forgotten.
        """
        if not isinstance(end, Accepted) or not end.waiting:
            return [end]
        outcome = await self._place(shop, began)
        if isinstance(outcome, Accepted) and outcome.new:
            end = replace(end, pool=outcome.pool, waiting=False)
        return [outcome, end]

    async def _take(self, shop: str, command: Command) -> Outcome:
        match command:
            case Place():
                return await self._place(shop, command)
            case Amend():
                return await self._door.orders.amend(shop, command.order, command.request)
            case Cancel():
                return await self._door.orders.cancel(shop, command.order, command.request)
            case Return():
                catalogue = self._door.known().catalogue
                request = kits.returned(command.request, catalogue)
                return await self._door.orders.give_back(shop, request)
            case FetchOrder():
                await self._shops.ask(shop, command.order, command.why)
                return Asked(command.order, command.why)
            case Ignored():
                return Skipped(command.reason)

    async def _place(self, shop: str, command: Place) -> Outcome:
        [answer] = await self._door.orders.place(shop, [command.request])
        match answer:
            case Conflict() if command.snapshot:
                return Skipped("was taken before with other content: amendments tell what changed")
            case Permanent():
                raise answer
        telemetry.LOCATED.labels(command.precision).inc()
        return answer

    async def _set_aside(self, one: Delivery, error: Permanent) -> SetAside:
        shop, headers = one.shop, one.headers
        kept: Mapping[str, str] = {
            name: headers[name] for name in one.channel.kept_headers if name in headers
        }
        letter = await self._door.letters.keep(f"webhooks/{shop}", kept, one.raw, error, one.now)
        field = plain_field(error.field or "")
        log.warning("delivery_set_aside", shop=shop, field=field, dead_letter=letter)
        return SetAside(letter, str(error))


def _topic(channel: Channel, headers: Headers) -> str:
    """Return what the shop calls a delivery; "" where no header tells."""
    told = next((headers[name] for name in channel.kept_headers if name in headers), "")
    return "".join(one for one in told if one.isprintable())[:_MAX_TOPIC_CHARACTERS]


def _worst(outcomes: list[Outcome]) -> str:
    """Return what a delivery is counted as."""
    kinds = {type(one) for one in outcomes}
    for kind, name in ((SetAside, "set_aside"), (Accepted, "taken"), (Asked, "to_be_fetched")):
        if kind in kinds:
            return name
    return "ignored"
