"""How far shops' own APIs have been read, in PostgreSQL: leases, and where to go on."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from order_ingest.handlers import DueShop
from restock_common.postgres import Connection

_BEFORE = timedelta(hours=1)
_MINE = "shop = $1 AND lease = $2"
_FREE = "lease = NULL, leased_until = NULL, due_at = now() + $3::interval"


class PostgresPollBook:
    """Writes to and reads from the table `polls`."""

    async def claim(
        self, connection: Connection, at_most: int, lease: timedelta
    ) -> Sequence[DueShop]:
        """Return shops that are due; nobody else gets them while the lease lasts.

        In a transaction.
        """
        await connection.execute(
            "INSERT INTO polls (shop) SELECT shop FROM shops WHERE settings->'api' IS NOT NULL"
            " AND NOT EXISTS (SELECT FROM polls WHERE polls.shop = shops.shop)"
            " ON CONFLICT DO NOTHING"
        )
        mine = uuid4()
        rows = await connection.fetch(
            "UPDATE polls SET lease = $1, leased_until = now() + $2::interval WHERE shop IN ("
            "SELECT shop FROM polls JOIN shops USING (shop) WHERE settings->'api' IS NOT NULL"
            " AND due_at <= now() AND (leased_until IS NULL OR leased_until <= now())"
            " ORDER BY due_at LIMIT $3 FOR UPDATE OF polls SKIP LOCKED)"
            " RETURNING shop, covered_from, read_until, failures, now() AS now,"
            " coalesce((SELECT since FROM feeds WHERE feeds.shop = polls.shop),"
            " now() - $4::interval) AS since",
            mine,
            lease,
            at_most,
            _BEFORE,
        )
        return [DueShop(lease=mine, **row) for row in rows]

    async def renew(self, connection: Connection, claim: DueShop, lease: timedelta) -> bool:
        """Make a lease last; return whether it is still this process's."""
        renewed = await connection.execute(
            f"UPDATE polls SET leased_until = now() + $3::interval WHERE {_MINE}",  # noqa: S608 - constants
            claim.shop,
            claim.lease,
            lease,
        )
        return renewed == "UPDATE 1"

    async def done(
        self,
        connection: Connection,
        claim: DueShop,
        *,
        covered_from: datetime,
        read_until: datetime,
        pause: timedelta,
    ) -> None:
        """Note how far a shop has been read, and when it is due again."""
        await connection.execute(
            f"UPDATE polls SET {_FREE}, covered_from = $4, read_until = $5, polled_at = now(),"  # noqa: S608 - constants
            f" failures = 0, failing_since = NULL, error = NULL WHERE {_MINE}",
            claim.shop,
            claim.lease,
            pause,
            covered_from,
            read_until,
        )

    async def failed(
        self, connection: Connection, claim: DueShop, reason: str, pause: timedelta
    ) -> None:
        """Note why a shop could not be read, and when it is due again."""
        await connection.execute(
            f"UPDATE polls SET {_FREE}, failures = failures + 1, error = $4,"  # noqa: S608 - constants
            f" failing_since = coalesce(failing_since, now()) WHERE {_MINE}",
            claim.shop,
            claim.lease,
            pause,
            reason,
        )

    async def release(self, connection: Connection, claim: DueShop, pause: timedelta) -> None:
        """Give a shop back that was not read to the end."""
        await connection.execute(
            f"UPDATE polls SET {_FREE} WHERE {_MINE}",  # noqa: S608 - constants
            claim.shop,
            claim.lease,
            pause,
        )
