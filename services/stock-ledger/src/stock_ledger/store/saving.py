"""Saves what a batch changed: a few statements, whatever its size."""

from collections.abc import Collection
from datetime import datetime

from restock_common.postgres import Connection
from stock_ledger.domain.books import Books
from stock_ledger.domain.model import Allocation, Balance, Claim

_PIECE_COLUMNS = (
    "order_id",
    "offer",
    "shard",
    "number",
    "line",
    "sku",
    "quantity",
    "state",
    "location",
    "allocation",
    "last_offer",
    "rank",
    "since",
)
_MOVEMENT_COLUMNS = (
    "shard",
    "cause",
    "sku",
    "location",
    "source",
    "target",
    "units",
    "order_id",
    "offer",
    "line",
)
_UPSERT_PIECES = """
    INSERT INTO pieces AS old (order_id, offer, shard, number, line, sku, quantity, state, location,
        allocation, last_offer, rank, since)
    SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::integer[], $5::text[],
        $6::text[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[],
        $12::integer[], $13::timestamptz[])
    ON CONFLICT (order_id, offer, shard, number) DO UPDATE SET
        quantity = excluded.quantity, state = excluded.state, location = excluded.location,
        allocation = excluded.allocation, last_offer = excluded.last_offer, rank = excluded.rank,
        since = excluded.since
    WHERE (old.quantity, old.state, old.location, old.allocation, old.last_offer, old.rank,
            old.since)
        IS DISTINCT FROM (excluded.quantity, excluded.state, excluded.location,
            excluded.allocation, excluded.last_offer, excluded.rank, excluded.since)
"""
_PieceRow = tuple[
    str, str, int, int, str, str, int, str, str, str | None, str | None, int, datetime | None
]


async def save(connection: Connection, books: Books) -> None:
    """Write balances, claims, pieces, allocations, movements, receipts and counts that are new.

    Raises:
        asyncpg.CheckViolationError: A balance is impossible: a bug, which halts the shard.
    """
    await _save_balances(connection, books.shard, books.changed_balances.values())
    new = [claim for key, claim in books.changed_claims.items() if key not in books.stored]
    old = [claim for key, claim in books.changed_claims.items() if key in books.stored]
    await _insert_claims(connection, books.shard, new)
    await _update_claims(connection, books.shard, old)
    await _save_allocations(connection, books)
    if books.movements:
        await connection.copy_records_to_table(
            "movements",
            records=[
                (
                    books.shard,
                    cause,
                    one.sku,
                    one.location,
                    one.source,
                    one.target,
                    one.units,
                    one.order,
                    one.offer,
                    one.line,
                )
                for cause, one in books.movements
            ],
            columns=_MOVEMENT_COLUMNS,
        )
    await _note(connection, "receipts", "receipt", books.shard, books.new_receipts)
    await _note(connection, "counts", "count", books.shard, books.new_counts)


async def _save_balances(connection: Connection, shard: int, balances: Collection[Balance]) -> None:
    if not balances:
        return
    await connection.execute(
        "INSERT INTO stock (sku, location, shard, pool, on_hand, reserved, backordered)"
        " SELECT sku, location, $1, pool, on_hand, reserved, backordered"
        " FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[])"
        " AS changed (sku, location, pool, on_hand, reserved, backordered)"
        " ON CONFLICT (sku, location, shard) DO UPDATE SET on_hand = excluded.on_hand,"
        " reserved = excluded.reserved, backordered = excluded.backordered",
        shard,
        [balance.sku for balance in balances],
        [balance.location for balance in balances],
        [balance.pool for balance in balances],
        [balance.on_hand for balance in balances],
        [balance.reserved for balance in balances],
        [balance.backordered for balance in balances],
    )


async def _insert_claims(connection: Connection, shard: int, claims: Collection[Claim]) -> None:
    if not claims:
        return
    await connection.copy_records_to_table(
        "claims",
        records=[
            (
                claim.order,
                claim.offer,
                shard,
                claim.state,
                claim.since,
                _placed(claim),
                claim.traceparent,
                claim.return_expected,
            )
            for claim in claims
        ],
        columns=(
            "order_id",
            "offer",
            "shard",
            "state",
            "since",
            "placed",
            "traceparent",
            "return_expected",
        ),
    )
    await connection.copy_records_to_table(
        "pieces", records=_piece_rows(shard, claims), columns=_PIECE_COLUMNS
    )


async def _update_claims(connection: Connection, shard: int, claims: Collection[Claim]) -> None:
    if not claims:
        return
    await connection.execute(
        "UPDATE claims SET state = changed.state, placed = changed.placed,"
        " return_expected = changed.return_expected"
        " FROM unnest($2::text[], $3::text[], $4::text[], $5::json[], $6::boolean[])"
        " AS changed (order_id, offer, state, placed, return_expected)"
        " WHERE claims.order_id = changed.order_id AND claims.offer = changed.offer"
        " AND claims.shard = $1",
        shard,
        [claim.order for claim in claims],
        [claim.offer for claim in claims],
        [claim.state for claim in claims],
        [_placed(claim) for claim in claims],
        [claim.return_expected for claim in claims],
    )
    rows = _piece_rows(shard, claims)
    columns = list(zip(*rows, strict=True)) or [()] * len(_PIECE_COLUMNS)
    await connection.execute(_UPSERT_PIECES, *map(list, columns))


async def _save_allocations(connection: Connection, books: Books) -> None:
    changed = books.changed_allocations
    new = [one for key, one in changed.items() if key not in books.stored]
    old = [one for key, one in changed.items() if key in books.stored]
    if new:
        await connection.copy_records_to_table(
            "allocations",
            records=[(*_allocation_row(one), books.shard) for one in new],
            columns=("order_id", "allocation", "location", "state", "shard"),
        )
    if old:
        orders, allocations, _, states = zip(*map(_allocation_row, old), strict=True)
        await connection.execute(
            "UPDATE allocations SET state = changed.state"
            " FROM unnest($2::text[], $3::text[], $4::text[])"
            " AS changed (order_id, allocation, state)"
            " WHERE allocations.order_id = changed.order_id"
            " AND allocations.allocation = changed.allocation AND allocations.shard = $1",
            books.shard,
            list(orders),
            list(allocations),
            list(states),
        )


async def _note(
    connection: Connection, table: str, column: str, shard: int, ids: Collection[str]
) -> None:
    if ids:
        await connection.copy_records_to_table(
            table, records=[(one, shard) for one in ids], columns=(column, "shard")
        )


def _placed(claim: Claim) -> str | None:
    return None if claim.placed is None else claim.placed.model_dump_json(exclude_none=True)


def _allocation_row(allocation: Allocation) -> tuple[str, str, str, str]:
    return allocation.order, allocation.allocation, allocation.location, allocation.state


def _piece_rows(shard: int, claims: Collection[Claim]) -> list[_PieceRow]:
    return [
        (
            claim.order,
            claim.offer,
            shard,
            number,
            piece.line,
            piece.sku,
            piece.quantity,
            piece.state,
            piece.location,
            piece.allocation,
            piece.offer,
            piece.rank,
            piece.since,
        )
        for claim in claims
        for number, piece in enumerate(claim.pieces)
    ]
