"""API keys in PostgreSQL: the table `api_keys`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from order_ingest.domain.keys import Action, ApiKey
from restock_common.postgres import Connection

_ACTIONS = {action.value for action in Action}


class PostgresKeys:
    """Reads and writes keys; nothing is ever deleted."""

    async def read(self, connection: Connection, ids: Sequence[str]) -> dict[str, ApiKey]:
        """Return the keys with these ids; unknown ones are missing."""
        rows = await connection.fetch("SELECT * FROM api_keys WHERE key_id = ANY($1)", ids)
        return {row["key_id"]: _key(row) for row in rows}

    async def all(self, connection: Connection, shop: str | None) -> list[ApiKey]:
        """Return a shop's keys, or all, the newest first."""
        rows = await connection.fetch(
            "SELECT * FROM api_keys WHERE $1::text IS NULL OR shop = $1"
            " ORDER BY created_at DESC, key_id",
            shop,
        )
        return [_key(row) for row in rows]

    async def shops(self, connection: Connection, action: Action) -> set[str]:
        """Return the shops that have a key for an action that has not ended."""
        rows = await connection.fetch(
            "SELECT DISTINCT shop FROM api_keys WHERE $1 = ANY(actions)"
            " AND (ends_at IS NULL OR ends_at > now())",
            action,
        )
        return {row["shop"] for row in rows}

    async def add(self, connection: Connection, key: ApiKey) -> None:
        """Write a new key."""
        await connection.execute(
            "INSERT INTO api_keys (key_id, shop, name, actions, digest, created_at, ends_at,"
            " replaces) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            key.id,
            key.shop,
            key.name,
            sorted(key.actions),
            key.digest,
            key.created_at,
            key.ends_at,
            key.replaces,
        )

    async def end(self, connection: Connection, key_id: str, at: datetime) -> None:
        """Let a key end at a time, unless it ends before."""
        await connection.execute(
            "UPDATE api_keys SET ends_at = least(ends_at, $2) WHERE key_id = $1", key_id, at
        )

    async def note_uses(self, connection: Connection, used: Mapping[str, datetime]) -> None:
        """Note when keys were used; in one order, so that no two replicas wait for each other."""
        ids = sorted(used)
        await connection.execute(
            "WITH used AS (SELECT key_id, at FROM api_keys"
            " JOIN unnest($1::text[], $2::timestamptz[]) AS new (key_id, at) USING (key_id)"
            " ORDER BY key_id FOR UPDATE OF api_keys)"
            " UPDATE api_keys SET last_used_at = greatest(last_used_at, at) FROM used"
            " WHERE api_keys.key_id = used.key_id",
            ids,
            [used[key_id] for key_id in ids],
        )


def _key(row: Mapping[str, Any]) -> ApiKey:
    """Return a key; what it is good for that is not known any more, it is not good for."""
    return ApiKey(
        id=row["key_id"],
        shop=row["shop"],
        name=row["name"],
        actions=frozenset(Action(one) for one in row["actions"] if one in _ACTIONS),
        digest=row["digest"],
        created_at=row["created_at"],
        ends_at=row["ends_at"],
        replaces=row["replaces"],
        last_used_at=row["last_used_at"],
    )
