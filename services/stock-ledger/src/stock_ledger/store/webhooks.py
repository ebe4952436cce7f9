"""Webhooks in PostgreSQL: made, changed, listed and ended."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from restock_common.contracts.envelope import Position
from restock_common.contracts.topics import LEDGER
from restock_common.postgres import Connection, Database
from stock_ledger.domain.feed import Interest
from stock_ledger.domain.webhooks import Secret, rotate

_SHOWN = """
    SELECT webhook, url, skus, locations, pools, state, created_at, failures,
        last_success_at, last_failure_at, last_error, waiting,
        CASE WHEN waiting > 0 THEN greatest(due_at, paused_until) END AS next_attempt_at
    FROM webhooks
    CROSS JOIN LATERAL (
        SELECT count(*) AS waiting, min(due_at) AS due_at FROM webhook_messages
        WHERE webhook_messages.webhook = webhooks.webhook
    ) AS messages
"""
_MAKE = """
    INSERT INTO webhooks (webhook, url, skus, locations, pools, secrets, since)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_CHANGE = """
    UPDATE webhooks SET url = $2, skus = $3, locations = $4, pools = $5, secrets = $6,
        since = CASE WHEN state = 'active' THEN since ELSE $7 END, state = 'active',
        failures = 0, failing_since = NULL, paused_until = NULL
    WHERE webhook = $1
"""
# What was queued while it was being disabled is older than what it will be told from now on.
_FORGET = """
    DELETE FROM webhook_messages USING webhooks
    WHERE webhooks.webhook = $1 AND webhook_messages.webhook = $1 AND state <> 'active'
"""


class PostgresWebhooks:
    """What the API asks and changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(
        self, webhook: str, url: str, interest: Interest, *, secret: str | None, fresh: str
    ) -> str | None:
        """Make a webhook, or change the one of that name: what waits for it is tried at once.

        Args:
            webhook: Its name.
            url: Where its messages go.
            interest: What it is told.
            secret: Signs from now on; None keeps what there is.
            fresh: The secret of a new webhook for which none is given.

        Returns:
            The secret of a new webhook; None where there was one of that name.
        """
        async with self._database.transaction() as connection:
            known = await _secrets(connection, webhook)
            now = datetime.now(UTC)
            first = secret or fresh
            await connection.execute(_FORGET, webhook)
            secrets = rotate(known, secret or known[0].text, now) if known else (Secret(first),)
            await connection.execute(
                _CHANGE if known else _MAKE,
                webhook,
                url,
                *(
                    None if names is None else sorted(names)
                    for names in (interest.skus, interest.locations, interest.pools)
                ),
                [_row(one) for one in secrets],
                await _ledger_positions(connection),
            )
            await connection.execute(
                "UPDATE webhook_messages SET due_at = now(), failures = 0, failing_since = NULL"
                " WHERE webhook = $1",
                webhook,
            )
        return None if known else first

    async def rotate(self, webhook: str, secret: str) -> bool:
        """Sign with another secret from now on; return False where there is no such webhook."""
        async with self._database.transaction() as connection:
            known = await _secrets(connection, webhook)
            if not known:
                return False
            await connection.execute(
                "UPDATE webhooks SET secrets = $2 WHERE webhook = $1",
                webhook,
                [_row(one) for one in rotate(known, secret, datetime.now(UTC))],
            )
        return True

    async def get(self, webhook: str) -> dict[str, Any] | None:
        """Return a webhook as people are shown it: without its secrets."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(f"{_SHOWN} WHERE webhook = $1", webhook)
        return None if row is None else dict(row)

    async def all(self) -> list[dict[str, Any]]:
        """Return every webhook as people are shown it, by name."""
        async with self._database.connection() as connection:
            return [dict(row) for row in await connection.fetch(f"{_SHOWN} ORDER BY webhook")]

    async def delete(self, webhook: str) -> bool:
        """End a webhook with all that waits for it; return whether there was one."""
        async with self._database.connection() as connection:
            done = await connection.execute("DELETE FROM webhooks WHERE webhook = $1", webhook)
        return done == "DELETE 1"


async def _secrets(connection: Connection, webhook: str) -> Sequence[Secret]:
    """Return a webhook's secrets, the newest first, and keep others from changing it meanwhile."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", webhook)
    kept = await connection.fetchval(
        "SELECT secrets FROM webhooks WHERE webhook = $1 FOR NO KEY UPDATE", webhook
    )
    return secrets_of(kept or [])


def secrets_of(kept: Sequence[Mapping[str, Any]]) -> tuple[Secret, ...]:
    """Return secrets as they are kept, the newest first."""
    return tuple(
        Secret(one["text"], one["until"] and datetime.fromisoformat(one["until"])) for one in kept
    )


def _row(secret: Secret) -> dict[str, Any]:
    return {"text": secret.text, "until": secret.until and secret.until.isoformat()}


async def _ledger_positions(connection: Connection) -> dict[str, list[int]]:
    """Return how far each shard's books have come, as it is kept."""
    positions = await ledger_positions(connection)
    return {str(shard): list(position) for shard, position in positions.items()}


async def ledger_positions(connection: Connection) -> dict[int, Position]:
    """Return how far each shard's books have come at this moment."""
    rows = await connection.fetch(
        "SELECT partition, incarnation, next_sequence FROM cursors WHERE topic = $1", LEDGER.name
    )
    return {
        row["partition"]: Position(row["incarnation"], row["next_sequence"] - 1) for row in rows
    }
