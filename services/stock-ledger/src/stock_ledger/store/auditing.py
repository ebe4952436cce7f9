"""Checks the books against themselves, a little at a time.

Each round takes one snapshot of one shard. New movements are added to sums of the auditor's own,
so that a round costs what has moved, not what there is. Then some places are compared: those that
did not agree the last time, those that have moved, in the order in which they did, and where there
are few of these the next ones of all that there are, round and round.
"""

from dataclasses import dataclass, field
from itertools import accumulate, islice
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
    SELECT sku, location, lot, 'open promises ' || account AS invariant,
        coalesce(promised.units, 0)::bigint AS expected, coalesce(kept.units, 0) AS found
    FROM unnest($2::text[], $3::text[], $4::text[]) AS place (sku, location, lot)
    CROSS JOIN (VALUES ('reserved'), ('held')) AS of (account)
    LEFT JOIN LATERAL (
        SELECT CASE account WHEN 'reserved' THEN reserved ELSE held END AS units FROM stock
        WHERE (stock.sku, stock.location, stock.lot) = (place.sku, place.location, place.lot)
            AND shard = $1
    ) AS kept ON true
    CROSS JOIN LATERAL (
        SELECT sum(quantity) AS units FROM pieces
        WHERE (pieces.sku, pieces.location, pieces.lot) = (place.sku, place.location, place.lot)
            AND shard = $1 AND state IN ('reserved', 'held') AND state = account
    ) AS promised
    WHERE coalesce(promised.units, 0) <> coalesce(kept.units, 0)
"""
_PROMISED = """
    SELECT sku, location, lot, coalesce(reserved + held, 0) AS units
    FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY
        AS place (sku, location, lot, number)
    LEFT JOIN stock USING (sku, location, lot) WHERE coalesce(shard, $1) = $1 ORDER BY number
"""

_NEXT = """
    (SELECT sku, location, lot FROM stock
        WHERE shard = $1 AND (sku, location, lot) > ($2, $3, $4)
        ORDER BY sku, location, lot LIMIT $5)
    UNION (SELECT sku, location, lot FROM audited
        WHERE shard = $1 AND (sku, location, lot) > ($2, $3, $4)
        ORDER BY sku, location, lot LIMIT $5)
    ORDER BY sku, location, lot LIMIT $5
"""
"""The places after one: also those whose balance is gone, or was never booked."""

_Place = tuple[str, str, str]
"""A sku, a location and a lot."""

_BEFORE_ALL: _Place = ("", "", "")


@dataclass(frozen=True, slots=True)
class Audit:
    """What a round found on a shard.

    Attributes:
        shard: Which.
        movements: How many were read.
        places: How many were compared.
        accounts: Units by account, the world outside included; they add up to none.
        drifts: Where the books do not agree: sku, location, lot, invariant, expected, found.
        negative: Balances below none.
    """

    shard: int
    movements: int
    places: int
    accounts: dict[str, int]
    drifts: list[dict[str, Any]]
    negative: int


@dataclass(slots=True)
class _Round:
    """Where an auditor stands on a shard; begun again by each process, it comes round to all.

    Attributes:
        moved: The places that have moved and were not compared since.
        swept: The last place that was compared because it was its turn.
    """

    moved: dict[_Place, None] = field(default_factory=dict)
    swept: _Place = _BEFORE_ALL


class Auditor:
    """Audits shards, one round at a time.

    Args:
        database: The ledger's.
        movements: How many are read in a round; where there are more, it compares nothing yet.
        places: How many are compared in a round, beside those that did not agree the last time.
        promised: And how many promised units of them, which may be as many open promises; one
            place is always compared.
    """

    def __init__(
        self,
        database: Database,
        *,
        movements: int = 20_000,
        places: int = 200,
        promised: int = 5_000,
    ) -> None:
        self._database = database
        self._movements = movements
        self._places = places
        self._promised = promised
        self._rounds: dict[int, _Round] = {}

    async def audit(self, shard: int) -> Audit | None:
        """Read what has moved on a shard since the last round, and compare some of it.

        Returns:
            What was found; None while another process audits the shard, or more is to be read.
        """
        stands = self._rounds.setdefault(shard, _Round())
        async with self._database.transaction() as connection:
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1, $2)", 7, shard):
                return None
            number, moved = await _add_movements(connection, shard, self._movements)
            stands.moved.update(dict.fromkeys(moved))
            if number == self._movements:
                return None  # the balances are ahead of what was added
            chosen = list(islice(stands.moved, self._places))
            turns = await _next(connection, shard, stands.swept, self._places - len(chosen))
            few = await _with_few_promises(connection, shard, [*chosen, *turns], self._promised)
            found = await _compare_some(connection, shard, number, set(few))
        for place in few[: len(chosen)]:
            del stands.moved[place]
        if len(few) > len(chosen):
            stands.swept = few[-1]
        elif not turns and len(chosen) < self._places:
            stands.swept = _BEFORE_ALL
        return found


async def _with_few_promises(
    connection: Connection, shard: int, places: list[_Place], at_most: int
) -> list[_Place]:
    """Return the first places, as many as have no more promised units together; at least one."""
    if not places:
        return []
    columns = [list(column) for column in zip(*places, strict=True)]
    rows = await connection.fetch(_PROMISED, shard, *columns)
    units = accumulate(row["units"] for row in rows)
    return places[: max(1, sum(1 for sum_of_units in units if sum_of_units <= at_most))]


async def _next(connection: Connection, shard: int, after: _Place, number: int) -> list[_Place]:
    if number <= 0:
        return []
    rows = await connection.fetch(_NEXT, shard, *after, number)
    return [(row["sku"], row["location"], row["lot"]) for row in rows]


async def _add_movements(
    connection: Connection, shard: int, at_most: int
) -> tuple[int, list[_Place]]:
    """Add the next movements to the sums; return how many they were, and what moved."""
    last = await connection.fetchval("SELECT movement_id FROM audits WHERE shard = $1", shard) or 0
    newest = await connection.fetchrow(
        "SELECT max(id) AS id, count(*) AS number FROM (SELECT id FROM movements"
        " WHERE shard = $1 AND id > $2 ORDER BY id LIMIT $3) AS new",
        shard,
        last,
        at_most,
    )
    assert newest is not None
    moved: list[_Place] = []
    if newest["id"] is not None:
        rows = await connection.fetch(_ADD_SIDES, shard, last, newest["id"], list(_ACCOUNTS))
        moved = [(row["sku"], row["location"], row["lot"]) for row in rows]
    await connection.execute(
        "INSERT INTO audits (shard, movement_id, audited_at) VALUES ($1, $2, now())"
        " ON CONFLICT (shard) DO UPDATE SET movement_id = excluded.movement_id,"
        " audited_at = excluded.audited_at",
        shard,
        newest["id"] or last,
    )
    return newest["number"], moved


async def _compare_some(
    connection: Connection, shard: int, movements: int, places: set[_Place]
) -> Audit:
    """Compare places, and those that did not agree the last time; note what does not agree."""
    drifting = await connection.fetch(
        "DELETE FROM drifts WHERE shard = $1 RETURNING sku, location, lot", shard
    )
    places.update((row["sku"], row["location"], row["lot"]) for row in drifting)
    drifts = await _compare(connection, shard, places) if places else []
    await _note(connection, shard, drifts)
    accounts = await connection.fetch(
        "SELECT account, units FROM audited_accounts WHERE shard = $1", shard
    )
    return Audit(
        shard,
        movements,
        len(places),
        {row["account"]: row["units"] for row in accounts},
        drifts,
        sum(1 for one in drifts if one["found"] < 0),
    )


async def _compare(connection: Connection, shard: int, places: set[_Place]) -> list[dict[str, Any]]:
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
