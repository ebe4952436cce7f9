"""Shops that send webhooks, in PostgreSQL: settings, secrets, variants, orders to be fetched."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b

import orjson
from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr

from order_ingest.domain.channels import ShopSettings
from order_ingest.handlers import ToFetch
from restock_common.errors import Transient
from restock_common.postgres import Connection

_SECRET_BYTES = 32


class PostgresShopBook:
    """Writes to and reads from the tables of shops.

    Args:
        secret: The installation's, from which the keys of customers' tokens and of sealed secrets
            are made; without one, it is drawn once and kept in the database.
    """

    def __init__(self, secret: SecretStr | None) -> None:
        self._secret = None if secret is None else secret.get_secret_value().encode()

    async def put(self, connection: Connection, shop: str, settings: ShopSettings) -> None:
        """Write a shop's settings, in the place of those that were there."""
        sealed = [one.get_secret_value() for one in settings.secrets]
        await connection.execute(
            "INSERT INTO shops (shop, settings, secrets) VALUES ($1, $2, $3)"
            " ON CONFLICT (shop) DO UPDATE SET settings = excluded.settings,"
            " secrets = excluded.secrets, written_at = now()",
            shop,
            settings.model_dump_json(exclude={"secrets"}, exclude_defaults=True),
            (await self._seal(connection)).encrypt(orjson.dumps(sealed)),
        )

    async def exist(self, connection: Connection) -> bool:
        """Return whether there is any shop."""
        return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM shops)"))

    async def sandboxes(self, connection: Connection) -> frozenset[str]:
        """Return the shops whose orders never reach the ledger."""
        rows = await connection.fetch(
            "SELECT shop FROM shops WHERE (settings->>'sandbox')::boolean"
        )
        return frozenset(row["shop"] for row in rows)

    async def find(self, connection: Connection, shop: str) -> ShopSettings | None:
        """Return a shop's settings; None where it has none. Raises Transient: they are sealed."""
        row = await connection.fetchrow("SELECT settings, secrets FROM shops WHERE shop = $1", shop)
        if row is None:
            return None
        try:
            sealed = (await self._seal(connection)).decrypt(row["secrets"])
        except InvalidToken:
            raise Transient(
                f"the secrets of shop {shop!r} were sealed under another RESTOCK_INSTALLATION_"
                "SECRET: put its settings again"
            ) from None
        return ShopSettings.model_validate(
            {**orjson.loads(row["settings"]), "secrets": orjson.loads(sealed)}
        )

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

    async def customer_key(self, connection: Connection) -> bytes:
        """Return the key that customers' tokens are made with."""
        return blake2b(await self._known(connection), person=b"customers").digest()

    async def _seal(self, connection: Connection) -> Fernet:
        secret = await self._known(connection)
        key = blake2b(secret, digest_size=32, person=b"shop-secrets").digest()
        return Fernet(base64.urlsafe_b64encode(key))

    async def _known(self, connection: Connection) -> bytes:
        """Return the installation's secret, drawn by whoever asks first."""
        if self._secret is None:
            await connection.execute(
                "INSERT INTO installation (secret) VALUES ($1) ON CONFLICT DO NOTHING",
                secrets.token_bytes(_SECRET_BYTES),
            )
            self._secret = await connection.fetchval("SELECT secret FROM installation")
        assert self._secret is not None, "one has been drawn"
        return self._secret
