"""People in PostgreSQL: each customer's recipients under a key of their own.

A data key (AES-256) for each customer encrypts who gets their orders; a master key, which is not in
the database, encrypts the data keys. Whoever has the tables alone can read nothing.
"""

from collections.abc import Mapping, Sequence
from secrets import token_bytes
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from order_ingest.domain.requests import Recipient
from order_ingest.handlers import Delivery
from order_ingest.store.master import Sealed
from restock_common.postgres import Connection
from restock_common.sealing import KEY_BYTES, Seal

KEYS = Sealed(
    "customers", ("shop", "token"), "wrapped", lambda row: f"customer key {row['key_id']}"
)

_OF_ORDERS = (
    "SELECT r.*, c.wrapped FROM recipients r LEFT JOIN customers c"
    " ON c.shop = r.shop AND c.token = r.token AND c.key_id = r.key_id"
    " WHERE r.shop = $1 AND r.order_id = ANY($2)"
)
_OF_CUSTOMERS = (
    "SELECT DISTINCT ON (r.token) r.*, c.wrapped FROM recipients r LEFT JOIN customers c"
    " ON c.shop = r.shop AND c.token = r.token AND c.key_id = r.key_id"
    " WHERE r.shop = $1 AND r.token = ANY($2)"
    " ORDER BY r.token, r.recorded_at DESC, r.order_id DESC"
)


class _DataKey(NamedTuple):
    id: UUID
    seal: Seal


class PostgresRecipients:
    """Reads and writes the tables `customers` and `recipients`.

    Args:
        master: Encrypts the customers' keys.
    """

    def __init__(self, master: Seal) -> None:
        self._master = master

    async def keep(self, connection: Connection, deliveries: Sequence[Delivery]) -> None:
        """Write who gets these orders, unless the same revision or a newer one has been written.

        In a transaction. An order whose customer was erased stays so: what comes late, repeat or
        correction, must not bring back a person.
        """
        newest: dict[str, Delivery] = {}
        for one in deliveries:
            if one.order not in newest or newest[one.order].revision < one.revision:
                newest[one.order] = one
        keys = await self._keys(connection, sorted({(one.shop, one.token) for one in deliveries}))
        rows = []
        for order, one in sorted(newest.items()):  # so that two batches cannot deadlock
            assert one.recipient is not None, "there is something to keep"
            key = keys[one.shop, one.token]
            said = one.recipient.model_dump_json(exclude_none=True).encode()
            sealed = key.seal.seal(said, bound_to=_of_order(order, key.id))
            rows.append((order, one.shop, one.token, key.id, sealed, one.revision))
        await connection.executemany(
            "INSERT INTO recipients AS it (order_id, shop, token, key_id, sealed, revision)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (order_id) DO UPDATE"
            " SET key_id = excluded.key_id, sealed = excluded.sealed, revision = excluded.revision"
            " WHERE it.sealed IS NOT NULL AND it.revision < excluded.revision",
            rows,
        )

    async def of_orders(
        self, connection: Connection, shop: str, orders: Sequence[str]
    ) -> dict[str, Delivery]:
        """Return who gets a shop's orders, by order; unknown ones are missing."""
        rows = await connection.fetch(_OF_ORDERS, shop, orders)
        return {row["order_id"]: self._delivery(row) for row in rows}

    async def of_customers(
        self, connection: Connection, shop: str, tokens: Sequence[str]
    ) -> dict[str, Delivery]:
        """Return who gets the newest order of each of a shop's customers, by token."""
        rows = await connection.fetch(_OF_CUSTOMERS, shop, tokens)
        return {row["token"]: self._delivery(row) for row in rows}

    async def erase(self, connection: Connection, shop: str, token: str) -> bool:
        """Destroy a customer's key, and all that it opens; return whether there was one.

        In a transaction. Whoever keeps something for the customer at the moment is waited for.
        """
        done = await connection.execute(
            "DELETE FROM customers WHERE shop = $1 AND token = $2", shop, token
        )
        await connection.execute(
            "UPDATE recipients SET sealed = NULL WHERE shop = $1 AND token = $2", shop, token
        )
        return done != "DELETE 0"

    async def _keys(
        self, connection: Connection, customers: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], _DataKey]:
        """Return the customers' keys, made where there were none; held until the commit."""
        held = await self._held(connection, customers)
        while missing := [one for one in customers if one not in held]:
            new = []
            for shop, token in missing:
                key_id = uuid4()
                place = KEYS.place({"key_id": key_id})
                wrapped = self._master.seal(token_bytes(KEY_BYTES), bound_to=place)
                new.append((shop, token, key_id, wrapped))
            await connection.executemany(
                "INSERT INTO customers (shop, token, key_id, wrapped)"
                " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                new,
            )
            held |= await self._held(connection, missing)
        return held

    async def _held(
        self, connection: Connection, customers: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], _DataKey]:
        """Return the keys that are there, which nobody can destroy until the commit."""
        rows = await connection.fetch(
            "SELECT c.shop, c.token, c.key_id, c.wrapped FROM customers c"
            " JOIN unnest($1::text[], $2::text[]) AS asked (shop, token)"
            " ON c.shop = asked.shop AND c.token = asked.token"
            " ORDER BY c.shop, c.token FOR SHARE OF c",
            [shop for shop, _ in customers],
            [token for _, token in customers],
        )
        return {
            (row["shop"], row["token"]): _DataKey(row["key_id"], self._data_seal(row))
            for row in rows
        }

    def _data_seal(self, row: Mapping[str, Any]) -> Seal:
        return Seal({"customer": KEYS.open(self._master, row)})

    def _delivery(self, row: Mapping[str, Any]) -> Delivery:
        """Return who gets an order; nobody where the customer has been erased."""
        recipient = None
        if row["sealed"] is not None and row["wrapped"] is not None:
            bound_to = _of_order(row["order_id"], row["key_id"])
            said = self._data_seal(row).open(row["sealed"], bound_to=bound_to)
            recipient = Recipient.model_validate_json(said)
        return Delivery(row["shop"], row["order_id"], row["token"], recipient, row["revision"])


def _of_order(order: str, key_id: UUID) -> str:
    return f"recipient of {order} by {key_id}"
