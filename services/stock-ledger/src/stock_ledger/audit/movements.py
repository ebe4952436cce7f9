"""`restock ledger rebuild --from journal`: the balances from the movements, by double entry."""

from collections.abc import Callable, Mapping
from typing import Any

from restock_common.contracts.topics import LEDGER
from restock_common.postgres import Connection, Database
from stock_ledger.audit.rebuilt import MOST_TOLD, Difference, Rebuilt
from stock_ledger.domain.model import (
    GOODS,
    HOLD,
    KEPT,
    PROMISES,
    TRANSFER,
    Account,
    PieceState,
)

_PROMISED_TO_PIECES = (Account.RESERVED, Account.HELD, Account.BACKORDERED)

_STORED = "\n    UNION ALL ".join(
    f"SELECT shard, sku, location, lot, '{account}' AS account, {column} AS units FROM stock"  # noqa: S608 - constants
    for account, column in KEPT.items()
)

_REBUILD = """
    CREATE TABLE {schema}.balances AS
    SELECT shard, sku, location, lot, account, sum(units)::bigint AS units FROM (
        SELECT shard, sku, location, lot, target AS account, units FROM movements
        UNION ALL
        SELECT shard, sku, location, lot, source AS account, -units FROM movements
    ) AS sides GROUP BY shard, sku, location, lot, account
"""

_COMPARE = f"""
    SELECT shard, sku, location, lot, account, coalesce(stored.units, 0) AS stored,
        coalesce(rebuilt.units, 0) AS rebuilt, count(*) OVER () AS differing
    FROM ({_STORED}) AS stored FULL JOIN {{rebuilt}} AS rebuilt
        USING (shard, sku, location, lot, account)
    WHERE coalesce(stored.units, 0) <> coalesce(rebuilt.units, 0) AND account = ANY($1)
    ORDER BY shard, sku, location, lot, account LIMIT {MOST_TOLD}
"""  # noqa: S608 - constants

# The promises of one sku can wait at a location for every order; goods are kept by lot.
_OF_PIECES = """(
    SELECT pieces.shard, sku, location, CASE WHEN account = 'backordered' THEN '' ELSE lot END
        AS lot, account, sum(quantity)::bigint AS units
    FROM pieces JOIN unnest($2::text[], $3::text[], $4::boolean[])
        AS standing (state, account, orders_only) USING (state)
    WHERE NOT (orders_only AND offer = ANY($5))
    GROUP BY 1, 2, 3, 4, 5
)"""

_SUMS = f"""
    SELECT shard, sum(units)::bigint AS units FROM (
        SELECT shard, units FROM ({_STORED}) AS stored
        UNION ALL
        SELECT shard, units FROM {{schema}}.balances WHERE account <> ALL($1)
    ) AS accounts GROUP BY shard ORDER BY shard
"""  # noqa: S608 - constants


async def rebuild_from_movements(
    database: Database,
    schema: str,
    *,
    keep: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Rebuilt:
    """Rebuild every balance from the movements, as of one moment, and compare.

    Compared are each account of each sku, location and lot with the movements; what is reserved,
    held and backordered with the open pieces of orders, holds and transfers; and, by shard, the
    sum over all accounts, which is zero.

    Args:
        database: The ledger's, whose service may be running.
        schema: A new one, for the rebuilt balances.
        keep: Leave them there.
        tell: Told how far it is.
    """
    async with database.snapshot(writable=True) as connection:
        result = Rebuilt("journal", await _next_offsets(connection), schema if keep else None)
        tell("adding up the movements")
        await connection.execute(f"CREATE SCHEMA {schema}")
        await connection.execute(_REBUILD.format(schema=schema))
        tell("comparing the balances")
        await _compare_balances(connection, schema, result)
        tell("comparing what is promised with the pieces of orders")
        await _compare_pieces(connection, result)
        await _compare_sums(connection, schema, result)
        if not keep:
            await connection.execute(f"DROP SCHEMA {schema} CASCADE")
    return result


async def _next_offsets(connection: Connection) -> dict[int, int]:
    rows = await connection.fetch(
        "SELECT partition, next_offset FROM cursors WHERE topic = $1 ORDER BY partition",
        LEDGER.name,
    )
    return {row["partition"]: row["next_offset"] for row in rows}


async def _compare_balances(connection: Connection, schema: str, result: Rebuilt) -> None:
    query = _COMPARE.format(rebuilt=f"{schema}.balances")
    rows = await connection.fetch(query, list(KEPT))
    result.compared["balances"] = await connection.fetchval("SELECT count(*) FROM stock")
    result.compared["movements"] = await connection.fetchval("SELECT count(*) FROM movements")
    result.differences += [_difference("balances", row) for row in rows]


async def _compare_pieces(connection: Connection, result: Rebuilt) -> None:
    standing = [
        (state, account, orders_only)
        for accounts, orders_only in ((GOODS, False), (PROMISES, True))
        for state, account in accounts.items()
        if account in _PROMISED_TO_PIECES and state is not PieceState.ASKED
    ]
    states, accounts, orders_only = (list(column) for column in zip(*standing, strict=True))
    query = _COMPARE.format(rebuilt=_OF_PIECES)
    promised = list(_PROMISED_TO_PIECES)
    rows = await connection.fetch(query, promised, states, accounts, orders_only, [HOLD, TRANSFER])
    result.compared["pieces"] = await connection.fetchval("SELECT count(*) FROM pieces")
    result.differences += [_difference("pieces", row) for row in rows]


async def _compare_sums(connection: Connection, schema: str, result: Rebuilt) -> None:
    rows = await connection.fetch(_SUMS.format(schema=schema), list(KEPT))
    result.compared["sums over all accounts"] = len(rows)
    result.differences += [
        Difference(
            "sums over all accounts", {"shard": row["shard"]}, {"units": row["units"]}, {"units": 0}
        )
        for row in rows
        if row["units"] != 0
    ]


def _difference(what: str, row: Mapping[str, Any]) -> Difference:
    where = {name: row[name] for name in ("shard", "sku", "location", "lot", "account")}
    return Difference(what, where, {"units": row["stored"]}, {"units": row["rebuilt"]})
