"""What was answered under each idempotency key, for some days."""

import asyncio
from datetime import timedelta

from order_ingest.handlers import Answer, Claim
from order_ingest.store.master import Sealed
from restock_common.errors import Transient
from restock_common.postgres import Database
from restock_common.sealing import Seal

_CLAIM_S = 60
"""Whoever has claimed a key and not answered for so long has died."""
_GIVE_BACK_S = 1.0
"""A sender that was promised nothing waits no longer for this; the claim ends by itself."""
_SOME = 10_000

BODIES = Sealed(
    "answers", ("shop", "key"), "body", lambda row: f"answer of {row['shop']} under {row['key']}"
)


class PostgresAnswers:
    """Writes to and reads from the table `answers`.

    Args:
        database: The service's own.
        master: Encrypts the answers: what is refused of a batch repeats what was sent.
    """

    def __init__(self, database: Database, master: Seal) -> None:
        self._database = database
        self._master = master

    async def claim(self, shop: str, key: str, digest: bytes) -> Claim:
        """Take a key to answer under it; the first takes it, on whichever replica."""
        async with self._database.connection() as connection:
            mine = await connection.fetchval(
                "INSERT INTO answers AS it (shop, key, digest) VALUES ($1, $2, $3)"
                " ON CONFLICT (shop, key) DO UPDATE SET claimed_at = now()"
                " WHERE it.status IS NULL AND it.digest = $3"
                " AND it.claimed_at < now() - make_interval(secs => $4) RETURNING true",
                shop,
                key,
                digest,
                _CLAIM_S,
            )
            if mine:
                return Claim(mine=True)
            row = await connection.fetchrow(
                "SELECT * FROM answers WHERE shop = $1 AND key = $2", shop, key
            )
        if row is None:  # given back meanwhile: whoever had it failed
            return Claim()
        if row["digest"] != digest:
            return Claim(other_body=True)
        if row["status"] is None:
            return Claim()
        body = BODIES.open(self._master, row)
        return Claim(answer=Answer(row["status"], row["media_type"], body))

    async def keep(self, shop: str, key: str, answer: Answer) -> None:
        """Write down what was answered under a claimed key."""
        sealed = self._master.seal(answer.body, bound_to=BODIES.place({"shop": shop, "key": key}))
        async with self._database.connection() as connection:
            await connection.execute(
                "UPDATE answers SET status = $3, media_type = $4, body = $5"
                " WHERE shop = $1 AND key = $2",
                shop,
                key,
                answer.status,
                answer.media_type,
                sealed,
            )

    async def give_back(self, shop: str, key: str) -> None:
        """Forget a claim: nothing was promised, so the same again is tried again.

        Where PostgreSQL does not do so soon, the claim ends as that of one who has died: the sender
        has waited for it before, and is to be told at last.

        Raises:
            Transient: It stays claimed for a while.
        """
        try:
            async with asyncio.timeout(_GIVE_BACK_S), self._database.connection() as connection:
                await connection.execute(
                    "DELETE FROM answers WHERE shop = $1 AND key = $2 AND status IS NULL", shop, key
                )
        except TimeoutError:
            raise Transient("PostgreSQL does not answer") from None

    async def forget(self, age: timedelta) -> int:
        """Delete some answers that are older; return how many."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "DELETE FROM answers WHERE (shop, key) IN (SELECT shop, key FROM answers"
                " WHERE claimed_at < now() - $1::interval ORDER BY claimed_at LIMIT $2)"
                " RETURNING true",
                age,
                _SOME,
            )
        return len(rows)
