"""What is known of shops: their settings, at most some seconds old on every replica."""

import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from order_ingest.domain.channels import CHANNELS, ShopApi, ShopSettings
from order_ingest.domain.channels.public_keys import rsa_keys
from order_ingest.domain.findings import Finding, Refused
from order_ingest.domain.keys import Action
from order_ingest.domain.sandbox import is_test, shop_of
from restock_common.addresses import check_url
from restock_common.errors import Permanent, Transient, shown
from restock_common.postgres import Connection, Database

STALE_S = 3.0
"""How long another replica goes by the settings that it has read."""

MAX_TO_FETCH = 1_000
_MOST_READ = 10_000

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class ToFetch:
    """An order that is to be read from its shop.

    Attributes:
        number: The shop's own id of it.
        why: What a delivery did not tell.
        asked_at: Since when.
    """

    number: str
    why: str
    asked_at: datetime


class ShopBook(Protocol):
    """Keeps what is known of shops; `store.PostgresShopBook`."""

    async def put(self, connection: Connection, shop: str, settings: ShopSettings) -> None:
        """Write a shop's settings, in the place of those that were there; in a transaction."""

    async def exist(self, connection: Connection) -> bool:
        """Return whether there is any shop."""

    async def sandboxes(self, connection: Connection) -> Collection[str]:
        """Return the shops whose orders never reach the ledger."""

    async def find(self, connection: Connection, shop: str) -> ShopSettings | None:
        """Return a shop's settings; None where it has none."""

    async def put_skus(self, connection: Connection, shop: str, skus: Mapping[str, str]) -> None:
        """Write what variants are, in the place of what was known of them."""

    async def skus(
        self, connection: Connection, shop: str, keys: Sequence[str]
    ) -> Mapping[str, str]:
        """Return what is known of variants; those that are not known are missing."""

    async def ask(self, connection: Connection, shop: str, number: str, why: str) -> None:
        """Write down that an order is to be fetched."""

    async def asked(self, connection: Connection, shop: str, limit: int) -> list[ToFetch]:
        """Return the orders of a shop that are to be fetched, the oldest first."""

    async def fetched(
        self, connection: Connection, shop: str, number: str, asked_at: datetime
    ) -> None:
        """Forget that an order was to be fetched, unless that has been asked again since."""


class ShopKeys(Protocol):
    """Knows the keys that shops have; `store.PostgresKeys`."""

    async def shops(self, connection: Connection, action: Action) -> Collection[str]:
        """Return the shops that have a key for an action that has not ended."""


class Shops:
    """Tells what is known of shops.

    Args:
        database: Where it is kept.
        book: What keeps it.
        keys: Tells which shops have keys.
        of_keys: The shops that have keys in the environment, which are good for everything.
        allow_private: Whether shops may be read that are in this network, and without TLS.

    Attributes:
        sandboxes: The shops whose orders never reach the ledger; None before they have been read.
    """

    def __init__(
        self,
        database: Database,
        book: ShopBook,
        keys: ShopKeys,
        of_keys: Collection[str] = (),
        *,
        allow_private: bool = False,
    ) -> None:
        self._allow_private = allow_private
        self._database = database
        self._book = book
        self._keys = keys
        self._of_keys = frozenset(of_keys)
        self._senders = self._of_keys
        self.sandboxes: frozenset[str] | None = None
        self._read: dict[str, tuple[float, ShopSettings | None]] = {}

    def may_send_orders(self, shop: str) -> bool:
        """Return whether a shop has a key that is good for orders, by what was read last.

        Who has one may send orders by HTTP, so they are taken from the raw topic as well.
        """
        return shop in self._senders

    async def settings(self, shop: str) -> ShopSettings | None:
        """Return a shop's settings; None where it has none. Raises Transient."""
        if not _NAME.fullmatch(shop):
            return None
        if len(self._read) >= _MOST_READ:  # anybody may ask for any name
            self._read.clear()
        read_at, settings = self._read.get(shop, (-STALE_S, None))
        if time.monotonic() - read_at < STALE_S:
            return settings
        asked_at = time.monotonic()
        async with self._database.connection() as connection:
            settings = await self._book.find(connection, shop)
        self._read[shop] = asked_at, settings
        if settings is not None and self.sandboxes is not None:
            others = self.sandboxes - {shop}
            self.sandboxes = others | {shop} if settings.sandbox else others
        return settings

    def is_sandboxed(self, subject: str) -> bool:
        """Return whether an order or cart never reaches the ledger, by its id."""
        if self.sandboxes is None:
            raise Transient("which shops are sandboxes has not been read yet")
        return is_test(subject) or shop_of(subject) in self.sandboxes

    async def refresh(self) -> None:
        """Read which shops may send orders, and which are sandboxes. Raises Transient."""
        async with self._database.connection() as connection:
            self.sandboxes = frozenset(await self._book.sandboxes(connection))
            found = await self._keys.shops(connection, Action.ORDERS)
        self._senders = self._of_keys.union(found)

    async def exist(self) -> bool:
        """Return whether any shop sends webhooks. Raises Transient."""
        async with self._database.connection() as connection:
            return await self._book.exist(connection)

    async def put(self, shop: str, settings: ShopSettings) -> None:
        """Write a shop's settings.

        Raises:
            Refused: There is no such channel, a public key is none, or the channel's shops cannot
                be read as they are to be.
            Transient: They may have been written.
        """
        if findings := list(_faults(settings)):
            raise Refused(findings)
        if settings.api is not None:
            self._check_api(settings.channel, settings.api)
        async with self._database.transaction() as connection:
            await self._book.put(connection, shop, settings)
        self._read.pop(shop, None)
        await self.refresh()

    def _check_api(self, channel: str, api: ShopApi) -> None:
        if CHANNELS[channel].orders_api is None:
            raise Refused([Finding("api", "orders of this channel cannot be read", channel)])
        try:
            check_url(api.url, allow_private=self._allow_private, field="api.url")
        except Permanent as error:
            raise Refused([Finding("api.url", error.reason, shown(api.url))]) from None
        if "?" in api.url:
            raise Refused([Finding("api.url", "has a query", shown(api.url))])

    async def put_skus(self, shop: str, skus: Mapping[str, str]) -> None:
        """Write what variants of a shop are. Raises Transient."""
        async with self._database.connection() as connection:
            await self._book.put_skus(connection, shop, skus)

    async def skus(self, shop: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Return what is known of a shop's variants. Raises Transient."""
        async with self._database.connection() as connection:
            return await self._book.skus(connection, shop, keys)

    async def ask(self, shop: str, number: str, why: str) -> None:
        """Write down that an order is to be fetched. Raises Transient."""
        async with self._database.connection() as connection:
            await self._book.ask(connection, shop, number, why)

    async def asked(self, shop: str) -> list[ToFetch]:
        """Return a shop's orders that are to be fetched, the oldest first. Raises Transient."""
        async with self._database.connection() as connection:
            return await self._book.asked(connection, shop, MAX_TO_FETCH)

    async def fetched(self, shop: str, number: str, asked_at: datetime) -> None:
        """Forget that an order was to be fetched, unless asked again since. Raises Transient."""
        async with self._database.connection() as connection:
            await self._book.fetched(connection, shop, number, asked_at)


def _faults(settings: ShopSettings) -> Iterator[Finding]:
    """Yield what is wrong with settings; nothing of a key is shown, which may be a private one."""
    if settings.channel not in CHANNELS:
        yield Finding("channel", f"is none of {', '.join(CHANNELS)}", shown(settings.channel))
    for number, text in enumerate(settings.public_keys):
        try:
            rsa_keys(text)
        except ValueError as error:
            yield Finding(f"public_keys.{number}", str(error))
