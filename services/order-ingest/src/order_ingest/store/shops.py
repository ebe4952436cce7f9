"""Shops that send webhooks, in PostgreSQL: settings, secrets, variants, orders to be fetched."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from order_ingest.domain.channels import ShopSettings, counts_orders
from order_ingest.handlers import ToFetch
from order_ingest.store.master import Sealed
from restock_common.postgres import Connection
from restock_common.sealing import Seal

SECRETS = Sealed("shops", ("shop",), "secrets", lambda row: f"secrets of shop {row['shop']}")
"""They cannot be moved to another shop; where the key is lost, settings can be put again."""

_FORGET_NUMBERS = (
    "DELETE FROM missing_numbers WHERE shop = $1",
    "UPDATE sightings SET counted = false WHERE shop = $1 AND counted",
    "UPDATE feeds SET first_number = NULL, last_number = NULL, last_placed_at = NULL"
    " WHERE shop = $1",
)


class PostgresShopBook:
    """Writes to and reads from the tables of shops.

    Args:
        seal: Encrypts their secrets.
    """

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    async def put(self, connection: Connection, shop: str, settings: ShopSettings) -> None:
        """Write a shop's settings, in the place of those that were there; in a transaction.

        What was counted of its orders is forgotten where it counts no more, and where its API is
        read that is done at once: with other settings it may be readable now.
        """
        hidden: dict[str, Any] = {"secrets": [one.get_secret_value() for one in settings.secrets]}
        if settings.api is not None:
            key, secret = settings.api.key, settings.api.secret
            hidden["api"] = {"key": key.get_secret_value(), "secret": secret.get_secret_value()}
        await connection.execute(
            "INSERT INTO shops (shop, settings, secrets) VALUES ($1, $2, $3)"
            " ON CONFLICT (shop) DO UPDATE SET settings = excluded.settings,"
            " secrets = excluded.secrets, written_at = now()",
            shop,
            settings.model_dump_json(
                exclude={"secrets": True, "api": {"key", "secret"}}, exclude_defaults=True
            ),
            self._seal.seal(orjson.dumps(hidden), bound_to=SECRETS.place({"shop": shop})),
        )
        await connection.execute("UPDATE polls SET due_at = now() WHERE shop = $1", shop)
        if not counts_orders(settings):
            for statement in _FORGET_NUMBERS:
                await connection.execute(statement, shop)

    async def exist(self, connection: Connection) -> bool:
        """Return whether there is any shop."""
        return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM shops)"))

    async def sandboxes(self, connection: Connection) -> set[str]:
        """Return the shops whose orders never reach the ledger."""
        rows = await connection.fetch(
            "SELECT shop FROM shops WHERE (settings->>'sandbox')::boolean"
        )
        return {row["shop"] for row in rows}

    async def find(self, connection: Connection, shop: str) -> ShopSettings | None:
        """Return a shop's settings; None where it has none. Raises Transient: they are sealed."""
        row = await connection.fetchrow("SELECT * FROM shops WHERE shop = $1", shop)
        if row is None:
            return None
        opened = SECRETS.open(self._seal, row)
        return ShopSettings.model_validate(_whole(orjson.loads(row["settings"]), opened))

    async def put_skus(self, connection: Connection, shop: str, skus: Mapping[str, str]) -> None:
        """Write what variants are, in the place of what was known of them."""
        keys = sorted(skus)  # so that two writers cannot deadlock
        await connection.execute(
            "INSERT INTO shop_skus (shop, key, sku)"
            " SELECT $1, new.* FROM unnest($2::text[], $3::text[]) AS new"
            " ON CONFLICT (shop, key) DO UPDATE SET sku = excluded.sku",
            shop,
            keys,
            [skus[key] for key in keys],
        )

    async def skus(
        self, connection: Connection, shop: str, keys: Sequence[str]
    ) -> Mapping[str, str]:
        """Return what is known of variants; those that are not known are missing."""
        rows = await connection.fetch(
            "SELECT key, sku FROM shop_skus WHERE shop = $1 AND key = ANY($2)", shop, keys
        )
        return {row["key"]: row["sku"] for row in rows}

    async def ask(self, connection: Connection, shop: str, number: str, why: str) -> None:
        """Write down that an order is to be fetched; asked again, it is fetched again."""
        await connection.execute(
            "INSERT INTO orders_to_fetch (shop, number, why) VALUES ($1, $2, $3)"
            " ON CONFLICT (shop, number) DO UPDATE SET why = excluded.why, asked_at = now()",
            shop,
            number,
            why,
        )

    async def asked(self, connection: Connection, shop: str, limit: int) -> list[ToFetch]:
        """Return the orders of a shop that are to be fetched, the oldest first."""
        rows = await connection.fetch(
            "SELECT number, why, asked_at FROM orders_to_fetch WHERE shop = $1"
            " ORDER BY asked_at, number LIMIT $2",
            shop,
            limit,
        )
        return [ToFetch(row["number"], row["why"], row["asked_at"]) for row in rows]

    async def fetched(
        self, connection: Connection, shop: str, number: str, asked_at: datetime
    ) -> None:
        """Forget that an order was to be fetched, unless that has been asked again since."""
        await connection.execute(
            "DELETE FROM orders_to_fetch WHERE shop = $1 AND number = $2 AND asked_at <= $3",
            shop,
            number,
            asked_at,
        )


def _whole(settings: dict[str, Any], opened: bytes) -> dict[str, Any]:
    """Return settings with what is kept sealed; before there was more it was a list of secrets."""
    hidden = orjson.loads(opened)
    if isinstance(hidden, list):
        return {**settings, "secrets": hidden}
    if "api" in hidden:
        settings = {**settings, "api": {**settings["api"], **hidden["api"]}}
    return {**settings, "secrets": hidden["secrets"]}
