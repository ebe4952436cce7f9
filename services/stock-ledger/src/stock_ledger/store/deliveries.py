"""What waits for webhooks in PostgreSQL: queued with the cursor, claimed, settled."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from restock_common.contracts.envelope import Position
from restock_common.postgres import Connection, Database
from stock_ledger.domain.feed import Interest
from stock_ledger.domain.webhooks import (
    Delivery,
    Failure,
    Gone,
    Health,
    Notices,
    Schedule,
    Subscription,
    after_failure,
)
from stock_ledger.store.webhooks import secrets_of

_TELL_EVERY_S = 1.0
"""How often a webhook's last success is written down; each time would be a hot row."""

# A row whose message is on its way keeps its lease: what takes its place goes after it.
_QUEUE = """
    INSERT INTO webhook_messages AS old (webhook, sku, location, message, body)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[])
    ON CONFLICT (webhook, sku, location) DO UPDATE SET message = excluded.message,
        body = excluded.body, failures = 0, failing_since = NULL, due_at = now()
"""

# One that fails is tried with a single message at a time, which others may take too.
_CLAIM = """
    WITH due AS (
        SELECT webhook, sku, location, url, secrets, webhooks.failures > 0 AS failing
        FROM webhooks
        LEFT JOIN unnest($1::text[], $2::integer[]) AS busy (webhook, number) USING (webhook)
        CROSS JOIN LATERAL (
            SELECT sku, location FROM webhook_messages AS waiting
            WHERE waiting.webhook = webhooks.webhook AND due_at <= now()
                AND (leased_until IS NULL OR leased_until <= now())
            ORDER BY due_at
            LIMIT greatest(0, CASE WHEN webhooks.failures > 0 THEN 1 ELSE $3::integer END
                - coalesce(busy.number, 0))
            FOR UPDATE SKIP LOCKED
        ) AS messages
        WHERE state = 'active' AND (paused_until IS NULL OR paused_until <= now())
    )
    UPDATE webhook_messages SET lease = $4::uuid, leased_until = now() + $5::interval
    FROM due
    WHERE webhook_messages.webhook = due.webhook AND webhook_messages.sku = due.sku
        AND webhook_messages.location = due.location
    RETURNING due.webhook, due.sku, due.location, message, body, url, secrets, failing,
        now() AS now
"""

_MINE = "webhook = $1 AND sku = $2 AND location = $3 AND lease = $4"
_DELIVERED = f"DELETE FROM webhook_messages WHERE {_MINE} AND message = $5"  # noqa: S608 - constants
_RELEASE = f"UPDATE webhook_messages SET lease = NULL, leased_until = NULL WHERE {_MINE}"  # noqa: S608 - constants

# What began to fail while the webhook as a whole did is tried again at once; what has failed for
# longer, because it alone is refused, keeps its own time.
_FORGIVE = """
    UPDATE webhook_messages SET due_at = now() WHERE webhook = $1 AND failing_since >= $2
"""


async def load_notices(connection: Connection) -> Notices:
    """Return an empty batch of messages for all webhooks that are active.

    None of them can be deleted before the transaction ends.
    """
    rows = await connection.fetch(
        "SELECT webhook, skus, locations, pools, since FROM webhooks WHERE state = 'active'"
        " ORDER BY webhook FOR KEY SHARE"
    )
    return Notices([_subscription(row) for row in rows])


async def save_notices(connection: Connection, notices: Notices) -> None:
    """Queue messages: each takes the place of one that waits for the same webhook and place."""
    rows = [(one.webhook, *one.place, one.message, one.body) for one in notices]
    if rows:
        await connection.execute(_QUEUE, *map(list, zip(*rows, strict=True)))


class PostgresDeliveries:
    """The queue as those who deliver from it see it; many processes may.

    Args:
        database: The ledger's.
        schedule: When a message is tried again.
    """

    def __init__(self, database: Database, schedule: Schedule) -> None:
        self._database = database
        self._schedule = schedule
        self._told: dict[str, float] = {}

    async def claim(
        self, busy: Mapping[str, int], *, at_most: int, lease_s: float
    ) -> list[Delivery]:
        """Return messages that are due; nobody else gets them while the lease lasts.

        Args:
            busy: How many messages of each webhook this process is sending.
            at_most: How many of one webhook it may send at a time.
            lease_s: For how long; longer than an attempt takes.
        """
        lease = uuid4()
        async with self._forgettable() as connection:
            rows = await connection.fetch(
                _CLAIM, list(busy), list(busy.values()), at_most, lease, timedelta(seconds=lease_s)
            )
        return [
            Delivery(
                row["webhook"],
                (row["sku"], row["location"]),
                row["message"],
                row["body"],
                row["url"],
                secrets_of(row["secrets"]),
                lease,
                row["now"],
                failing=row["failing"],
            )
            for row in rows
        ]

    async def delivered(self, one: Delivery) -> None:
        """Forget a message that has arrived, unless a later one has taken its place."""
        told = self._told.get(one.webhook, -_TELL_EVERY_S)
        if not one.failing and time.monotonic() - told < _TELL_EVERY_S:
            async with self._forgettable() as connection:
                await _forget(connection, one)
            return
        async with self._database.transaction() as connection:
            since = await connection.fetchval(
                "SELECT failing_since FROM webhooks WHERE webhook = $1 FOR NO KEY UPDATE",
                one.webhook,
            )
            await connection.execute(
                "UPDATE webhooks SET failures = 0, failing_since = NULL, paused_until = NULL,"
                " last_success_at = now() WHERE webhook = $1",
                one.webhook,
            )
            await _forget(connection, one)
            await connection.execute(_FORGIVE, one.webhook, since)
        self._told[one.webhook] = time.monotonic()

    async def release(self, one: Delivery) -> None:
        """Give a message back that was not tried."""
        async with self._forgettable() as connection:
            await connection.execute(_RELEASE, *one.mine)

    async def failed(self, one: Delivery, failure: Failure, chance: float) -> Gone | bool:
        """Note that an attempt failed.

        Args:
            one: What was tried.
            failure: Why it did not arrive.
            chance: In [0, 1), for the jitter.

        Returns:
            Why the webhook is disabled by this; else whether the message is given up.
        """
        async with self._database.transaction() as connection:
            webhook = await connection.fetchrow(
                "SELECT failures, failing_since, paused_until, now() AS now FROM webhooks"
                " WHERE webhook = $1 AND state = 'active' FOR NO KEY UPDATE",
                one.webhook,
            )
            if webhook is None:
                return False
            now = webhook["now"]
            health, gone = after_failure(
                Health(webhook["failures"], webhook["failing_since"], webhook["paused_until"]),
                failure,
                self._schedule,
                now,
                chance,
            )
            await connection.execute(
                "UPDATE webhooks SET failures = $2, failing_since = $3, paused_until = $4,"
                " state = $5, last_failure_at = $6, last_error = $7 WHERE webhook = $1",
                one.webhook,
                health.failures,
                health.failing_since,
                health.paused_until,
                gone or "active",
                now,
                failure.reason,
            )
            if gone is not None:
                await connection.execute(
                    "DELETE FROM webhook_messages WHERE webhook = $1", one.webhook
                )
                return gone
            return not await self._later(connection, one, now, chance)

    @asynccontextmanager
    async def _forgettable(self) -> AsyncIterator[Connection]:
        """Lend a transaction that does not wait for the disk.

        Where PostgreSQL crashes and forgets it, a message is sent again, which it may be anyway.
        """
        async with self._database.transaction() as connection:
            await connection.execute("SET LOCAL synchronous_commit = off")
            yield connection

    async def _later(
        self, connection: Connection, one: Delivery, now: datetime, chance: float
    ) -> bool:
        """Return False where this was the last attempt; else note when the next is due."""
        failures = await connection.fetchval(
            f"UPDATE webhook_messages SET failures = failures + 1,"  # noqa: S608 - constants
            f" failing_since = coalesce(failing_since, $6) WHERE {_MINE} AND message = $5"
            " RETURNING failures",
            *one.mine,
            one.message,
            now,
        )
        if failures is not None:
            delay = self._schedule.delay(failures, chance)
            if delay is None:
                await _forget(connection, one)
                return False
            await connection.execute(
                f"UPDATE webhook_messages SET due_at = $5 WHERE {_MINE}",  # noqa: S608 - constants
                *one.mine,
                now + delay,
            )
        await connection.execute(_RELEASE, *one.mine)
        return True


async def _forget(connection: Connection, one: Delivery) -> None:
    """Delete a message; where a later one took its place, that one may go now.

    Two statements: one alone would see neither, where the later one is being queued meanwhile.
    """
    if await connection.execute(_DELIVERED, *one.mine, one.message) != "DELETE 1":
        await connection.execute(_RELEASE, *one.mine)


def _subscription(row: Mapping[str, Any]) -> Subscription:
    since = {int(shard): Position(*position) for shard, position in row["since"].items()}
    return Subscription(
        row["webhook"], Interest.of(row["skus"], row["locations"], row["pools"]), since
    )
