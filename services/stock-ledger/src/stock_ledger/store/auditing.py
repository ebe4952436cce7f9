"""Checks the books against themselves, as far as they have moved since the last time.

Each round takes one snapshot of one shard. New movements are added to sums of the auditor's own,
so that a round costs what has moved, not what there is; then every place that moved, or did not
agree the last time, is compared.
"""

from dataclasses import dataclass
from typing import Any

from restock_common.postgres import Connection, Database
from stock_ledger.domain.model import KEPT

_ACCOUNTS = tuple(KEPT.values())

_NEW = "SELECT * FROM movements WHERE shard = $1 AND id > $2 AND id <= $3"

_ADD_SIDES = f"""
    WITH new AS ({_NEW}), sides AS (
        SELECT sku, location, lot, target AS account, units FROM new
        UNION ALL SELECT sku, location, lot, source, -units FROM new
    ), added AS (
        INSERT INTO audited_accounts AS old (shard, account, units)
        SELECT $1, account, sum(units) FROM sides GROUP BY account
        ON CONFLICT (shard, account) DO UPDATE SET units = old.units + excluded.units
    )
    INSERT INTO audited AS old (sku, location, lot, shard, account, units)
    SELECT sku, location, lot, $1, account, sum(units) FROM sides WHERE account = ANY($4)
    GROUP BY sku, location, lot, account
    ON CONFLICT (sku, location, lot, account, shard)
        DO UPDATE SET units = old.units + excluded.units
    RETURNING sku, location, lot
"""  # noqa: S608 - constants

_COMPARE_BALANCES = f"""
    WITH places AS (SELECT * FROM unnest($2::text[], $3::text[], $4::text[])
            AS one (sku, location, lot)),
        accounts AS (SELECT unnest($5::text[]) AS account),
        booked AS (
            SELECT sku, location, lot, account, units FROM audited JOIN places
                USING (sku, location, lot) WHERE shard = $1
        ),
        kept AS (
            SELECT sku, location, lot, account, units FROM stock JOIN places
                USING (sku, location, lot)
            CROSS JOIN LATERAL (VALUES {", ".join(f"('{one}', {one})" for one in _ACCOUNTS)})
                AS each (account, units)
            WHERE shard = $1
        )
    SELECT sku, location, lot, 'balance of ' || account AS invariant,
        coalesce(booked.units, 0) AS expected, coalesce(kept.units, 0) AS found
    FROM places CROSS JOIN accounts
    LEFT JOIN booked USING (sku, location, lot, account)
    LEFT JOIN kept USING (sku, location, lot, account)
    WHERE coalesce(booked.units, 0) <> coalesce(kept.units, 0) OR kept.units < 0
"""  # noqa: S608 - constants
"""$1 shard, $2 skus, $3 locations, $4 lots, $5 accounts."""

_COMPARE_PROMISES = """
    WITH places AS (SELECT * FROM unnest($2::text[], $3::text[], $4::text[])
            AS one (sku, location, lot)),
        promised AS (
            SELECT sku, location, lot, state, sum(quantity) AS units FROM pieces
                JOIN places USING (sku, location, lot)
            WHERE shard = $1 AND state IN ('reserved', 'held') GROUP BY 1, 2, 3, 4
        ),
        kept AS (
            SELECT sku, location, lot, state, units FROM stock JOIN places
                USING (sku, location, lot)
            CROSS JOIN LATERAL (VALUES ('reserved', reserved), ('held', held))
                AS each (state, units)
            WHERE shard = $1
        )
    SELECT sku, location, lot, 'open promises ' || state AS invariant,
        coalesce(promised.units, 0)::bigint AS expected, coalesce(kept.units, 0) AS found
    FROM kept FULL JOIN promised USING (sku, location, lot, state)
    WHERE coalesce(promised.units, 0) <> coalesce(kept.units, 0)
"""


@dataclass(frozen=True, slots=True)
class Audit:
    """What a round found on a shard.

    Attributes:
        shard: Which.
        movements: How many were read.
        accounts: Units by account, the world outside included; they add up to none.
        drifts: Where the books do not agree: sku, location, lot, invariant, expected, found.
        negative: Balances below none.
    """

    shard: int
    movements: int
    accounts: dict[str, int]
    drifts: list[dict[str, Any]]
    negative: int


class Auditor:
    """Audits shards, one round at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def audit(self, shard: int, *, at_most: int = 200_000) -> Audit | None:
        """Read what has moved on a shard since the last round, and compare it.

        Args:
            shard: Which.
            at_most: Movements; what is more is read in the next round, which then compares.

        Returns:
            What was found; None while another process audits the shard, or more is to be read.
        """
        async with self._database.transaction() as connection:
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1, $2)", 7, shard):
                return None
            return await _audit(connection, shard, at_most)


async def _audit(connection: Connection, shard: int, at_most: int) -> Audit | None:
    last = await connection.fetchval("SELECT movement_id FROM audits WHERE shard = $1", shard) or 0
    newest = await connection.fetchrow(
        "SELECT max(id) AS id, count(*) AS number FROM (SELECT id FROM movements"
        " WHERE shard = $1 AND id > $2 ORDER BY id LIMIT $3) AS new",
        shard,
        last,
        at_most,
    )
    assert newest is not None
    moved: list[tuple[str, str, str]] = []
    if newest["id"] is not None:
        rows = await connection.fetch(_ADD_SIDES, shard, last, newest["id"], list(_ACCOUNTS))
        moved = [(row["sku"], row["location"], row["lot"]) for row in rows]
    drifting = await connection.fetch(
        "DELETE FROM drifts WHERE shard = $1 RETURNING sku, location, lot", shard
    )
    await connection.execute(
        "INSERT INTO audits (shard, movement_id, audited_at) VALUES ($1, $2, now())"
        " ON CONFLICT (shard) DO UPDATE SET movement_id = excluded.movement_id,"
        " audited_at = excluded.audited_at",
        shard,
        newest["id"] or last,
    )
    places = {*moved, *((row["sku"], row["location"], row["lot"]) for row in drifting)}
    drifts = await _compare(connection, shard, places) if places else []
    await _note(connection, shard, drifts)
    if newest["number"] == at_most:
        return None  # the balances are ahead: what does not agree yet is looked at again
    accounts = await connection.fetch(
        "SELECT account, units FROM audited_accounts WHERE shard = $1", shard
    )
    return Audit(
        shard,
        newest["number"],
        {row["account"]: row["units"] for row in accounts},
        drifts,
        sum(1 for one in drifts if one["found"] < 0),
    )


async def _compare(
    connection: Connection, shard: int, places: set[tuple[str, str, str]]
) -> list[dict[str, Any]]:
    columns = [list(column) for column in zip(*sorted(places), strict=True)]
    balances = await connection.fetch(_COMPARE_BALANCES, shard, *columns, list(_ACCOUNTS))
    promises = await connection.fetch(_COMPARE_PROMISES, shard, *columns)
    return [dict(row) for row in [*balances, *promises]]


async def _note(connection: Connection, shard: int, drifts: list[dict[str, Any]]) -> None:
    for one in drifts:
        await connection.execute(
            "INSERT INTO drifts (sku, location, lot, shard, invariant, expected, found, found_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, now())",
            *(one["sku"], one["location"], one["lot"], shard),
            *(one["invariant"], one["expected"], one["found"]),
        )
