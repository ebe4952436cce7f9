"""Orders that wait to be sent, and how suppliers are reached, in PostgreSQL."""

from datetime import timedelta

from replenisher.domain.sending import Channel, Sending
from restock_common.postgres import Connection, Database

# Claimed by moving its due time on: whoever dies meanwhile leaves it to be tried again.
_CLAIM = """
    UPDATE order_sendings SET attempts = attempts + 1, due_at = now() + $2::interval
    WHERE purchase_order IN (
        SELECT purchase_order FROM order_sendings
        WHERE sent_at IS NULL AND due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
    )
    RETURNING purchase_order, attempts
"""


async def queue_sendings(connection: Connection, purchase_orders: list[str]) -> None:
    """Have orders sent whose supplier has told how; in the transaction that places them."""
    if purchase_orders:
        await connection.execute(
            "INSERT INTO order_sendings (purchase_order)"
            " SELECT purchase_order FROM purchase_orders JOIN supplier_contacts USING (supplier)"
            " WHERE purchase_order = ANY($1) ON CONFLICT DO NOTHING",
            purchase_orders,
        )


class PostgresSendings:
    """The outbox of one database; many processes may send from it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, at_most: int, lease: timedelta) -> list[Sending]:
        """Return orders to be sent; nobody else gets them while the lease lasts."""
        async with self._database.transaction() as connection:
            claimed = await connection.fetch(_CLAIM, at_most, lease)
            attempts = {row["purchase_order"]: row["attempts"] for row in claimed}
            orders = await connection.fetch(
                "SELECT purchase_orders.*, channel, target, secret FROM purchase_orders"
                " JOIN supplier_contacts USING (supplier) WHERE purchase_order = ANY($1)",
                list(attempts),
            )
            lines = await connection.fetch(
                "SELECT * FROM order_lines WHERE purchase_order = ANY($1) ORDER BY sku",
                list(attempts),
            )
        return [
            Sending(
                order,
                [line for line in lines if line["purchase_order"] == order["purchase_order"]],
                Channel(order["channel"]),
                order["target"],
                order["secret"],
                attempts[order["purchase_order"]],
            )
            for order in orders
        ]

    async def sent(self, purchase_order: str) -> None:
        """Note that an order has arrived."""
        async with self._database.connection() as connection:
            await connection.execute(
                "UPDATE order_sendings SET sent_at = now(), failure = NULL"
                " WHERE purchase_order = $1",
                purchase_order,
            )

    async def failed(self, purchase_order: str, failure: str, delay: timedelta) -> None:
        """Note why an order could not be sent, and try it again later."""
        async with self._database.connection() as connection:
            await connection.execute(
                "UPDATE order_sendings SET failure = $2, due_at = now() + $3::interval"
                " WHERE purchase_order = $1",
                purchase_order,
                failure,
                delay,
            )

    async def put_contact(
        self, supplier: str, channel: Channel, target: str, secret: str | None
    ) -> None:
        """Say how a supplier gets its orders from now on."""
        async with self._database.connection() as connection:
            await connection.execute(
                "INSERT INTO supplier_contacts VALUES ($1, $2, $3, $4)"
                " ON CONFLICT (supplier) DO UPDATE SET channel = excluded.channel,"
                " target = excluded.target, secret = excluded.secret",
                supplier,
                channel.value,
                target,
                secret,
            )
