"""Customers: who gets their orders is kept for drivers, and forgotten when they ask for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from order_ingest.domain.keys import Holder
from order_ingest.domain.orders import shops_id
from order_ingest.domain.privacy import Privacy
from order_ingest.domain.requests import ManifestRequest, Recipient
from order_ingest.handlers.gathered import Gathered
from restock_common.postgres import Connection, Database

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Delivery:
    """Who gets an order.

    Attributes:
        shop: Whose order it is.
        order: The order's id.
        token: Of its customer.
        recipient: None where nobody knows, or may know any more.
        revision: Of the order that told it; 0 where it was placed so.
    """

    shop: str
    order: str
    token: str
    recipient: Recipient | None
    revision: int = 0


class Recipients(Protocol):
    """Where people are remembered, encrypted; `store.PostgresRecipients`."""

    async def keep(self, connection: Connection, deliveries: Sequence[Delivery]) -> None:
        """Write who gets these orders, unless that or newer has been written; in a transaction."""

    async def of_orders(
        self, connection: Connection, shop: str, orders: Sequence[str]
    ) -> Mapping[str, Delivery]:
        """Return who gets a shop's orders, by order; unknown ones are missing."""

    async def of_customers(
        self, connection: Connection, shop: str, tokens: Sequence[str]
    ) -> Mapping[str, Delivery]:
        """Return who gets the newest order of each of a shop's customers, by token."""

    async def erase(self, connection: Connection, shop: str, token: str) -> bool:
        """Destroy a customer's key, and all that it opens; return whether there was one."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What drivers are told: of each order and customer that was asked for, in that order."""

    orders: tuple[tuple[str, Delivery | None], ...]
    customers: tuple[tuple[str, Delivery | None], ...]


class Customers:
    """Keeps, tells and forgets who gets orders.

    Args:
        database: Where they are remembered.
        recipients: How.
        privacy: How customers are called in events.

    Attributes:
        privacy: The same.
        recipients: The same, for whoever is in a transaction already.
    """

    def __init__(self, database: Database, recipients: Recipients, privacy: Privacy) -> None:
        self.privacy = privacy
        self.recipients = recipients
        self._database = database
        self._keep = Gathered(self._keep_all)

    async def keep(self, deliveries: Sequence[Delivery]) -> None:
        """Write who gets these orders, unless that or newer has been written. Raises Transient."""
        if deliveries:
            await self._keep(deliveries)

    async def manifest(self, request: ManifestRequest, by: Holder) -> Manifest:
        """Return who gets orders of the shop of whoever asks. Raises Transient."""
        orders = [shops_id(by.shop, number) for number in request.orders]
        async with self._database.connection() as connection:
            of_orders = await self.recipients.of_orders(connection, by.shop, orders)
            of_customers = await self.recipients.of_customers(
                connection, by.shop, request.customers
            )
        log.info("manifest_told", by=by.key_id, orders=len(of_orders), customers=len(of_customers))
        return Manifest(
            tuple((order, of_orders.get(order)) for order in orders),
            tuple((token, of_customers.get(token)) for token in request.customers),
        )

    async def erase(self, ref: str, by: Holder) -> None:
        """Forget a customer, by the shop's own number of them or by token. Raises Transient.

        What was never known is forgotten already.
        """
        token = self.privacy.token(by.shop, ref)
        async with self._database.transaction() as connection:
            known = await self.recipients.erase(connection, by.shop, token)
            # Before the commit: after a restore, all that was erased must stand in the log.
            log.info("customer_erased", customer=token, known=known, by=by.key_id)

    async def _keep_all(self, deliveries: list[Delivery]) -> list[None]:
        async with self._database.transaction() as connection:
            await self.recipients.keep(connection, deliveries)
        return [None] * len(deliveries)
