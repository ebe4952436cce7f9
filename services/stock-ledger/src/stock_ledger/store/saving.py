"""Saves what a batch changed: a few statements, whatever its size."""

from collections.abc import Collection
from datetime import datetime

from restock_common.contracts.ledger import CartHeld
from restock_common.postgres import Connection
from stock_ledger.domain.books import Books
from stock_ledger.domain.model import Allocation, Balance, Claim, slot_of
from stock_ledger.store import tables

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
    "lot",
    "reservation",
    "allocation",
    "last_offer",
    "rank",
    "since",
    "expected",
    "cut",
)
_PIECE_TYPES = (
    *("text", "text", "integer", "integer", "text", "text", "bigint", "text", "text", "text"),
    *("text", "text", "text", "integer", "timestamptz", "text", "boolean"),
)
_CHANGING = _PIECE_COLUMNS[6:]
_UPSERT_PIECES = f"""
    INSERT INTO pieces AS old ({", ".join(_PIECE_COLUMNS)})
    SELECT * FROM unnest({", ".join(f"${n}::{kind}[]" for n, kind in enumerate(_PIECE_TYPES, 1))})
    ON CONFLICT (order_id, offer, shard, number) DO UPDATE SET
        {", ".join(f"{column} = excluded.{column}" for column in _CHANGING)}
    WHERE ({", ".join(f"old.{column}" for column in _CHANGING)})
        IS DISTINCT FROM ({", ".join(f"excluded.{column}" for column in _CHANGING)})
"""  # noqa: S608 - constants
_UNITS = (
    "free",
    "reserved",
    "held",
    "damaged",
    "quality_hold",
    "in_transit",
    "backordered",
)
_UPSERT_BALANCES = f"""
    INSERT INTO stock (shard, sku, location, lot, pool, slot, expires_on, issued_at,
        {", ".join(_UNITS)})
    SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::integer[],
        $7::date[], $8::timestamptz[], {", ".join(f"${n}::bigint[]" for n in range(9, 16))})
    ON CONFLICT (sku, location, lot, shard) DO UPDATE SET expires_on = excluded.expires_on,
        issued_at = excluded.issued_at,
        {", ".join(f"{column} = excluded.{column}" for column in _UNITS)}
"""  # noqa: S608 - constants
_MOVEMENT_COLUMNS = (
    "shard",
    "cause",
    "sku",
    "location",
    "lot",
    "source",
    "target",
    "units",
    "order_id",
    "offer",
    "line",
    "effective_at",
    "recorded_at",
)
_CLAIM_COLUMNS = (
    "order_id",
    "offer",
    "shard",
    "state",
    "since",
    "placed",
    "traceparent",
    "return_expected",
    "revision",
    "cancelled_at",
    "expires_at",
)


async def save(connection: Connection, books: Books) -> None:
    """Write what is new or changed: balances, claims, pieces, parcels, movements, facts, time.

    Raises:
        asyncpg.CheckViolationError: A balance is impossible: a bug, which halts the shard.
    """
    await _save_balances(connection, books.shard, books.changed_balances.values())
    new = [claim for key, claim in books.changed_claims.items() if key not in books.stored]
    old = [claim for key, claim in books.changed_claims.items() if key in books.stored]
    await _insert_claims(connection, books.shard, new)
    await _update_claims(connection, books.shard, old)
    await _save_allocations(connection, books)
    await _append_movements(connection, books)
    await tables.write(connection, books.shard, books.changed_facts)
    await connection.execute(
        "INSERT INTO clocks (shard, recorded_at, until) VALUES ($1, $2, $3) ON CONFLICT (shard)"
        " DO UPDATE SET recorded_at = excluded.recorded_at, until = excluded.until",
        books.shard,
        books.clock.recorded_at,
        books.clock.until,
    )


async def _append_movements(connection: Connection, books: Books) -> None:
    if not books.journal:
        return
    shard = books.shard
    await connection.copy_records_to_table(
        "movements",
        records=[
            (shard, cause, *movement[:9], movement.effective_at, recorded_at)
            for cause, recorded_at, movement in books.journal
        ],
        columns=_MOVEMENT_COLUMNS,
    )


async def _save_balances(connection: Connection, shard: int, balances: Collection[Balance]) -> None:
    if not balances:
        return
    await connection.execute(
        _UPSERT_BALANCES,
        shard,
        [one.sku for one in balances],
        [one.location for one in balances],
        [one.lot for one in balances],
        [one.pool for one in balances],
        [slot_of(one.sku) for one in balances],
        [one.expires_on for one in balances],
        [one.issued_at for one in balances],
        *([getattr(one, column) for one in balances] for column in _UNITS),
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
                claim.revision,
                claim.cancelled_at,
                _expires_at(claim),
            )
            for claim in claims
        ],
        columns=_CLAIM_COLUMNS,
    )
    await connection.copy_records_to_table(
        "pieces", records=_piece_rows(shard, claims), columns=_PIECE_COLUMNS
    )


async def _update_claims(connection: Connection, shard: int, claims: Collection[Claim]) -> None:
    if not claims:
        return
    await connection.execute(
        "UPDATE claims SET state = changed.state, placed = changed.placed,"
        " return_expected = changed.return_expected, revision = changed.revision,"
        " cancelled_at = changed.cancelled_at"
        " FROM unnest($2::text[], $3::text[], $4::text[], $5::json[], $6::boolean[], $7::bigint[],"
        " $8::timestamptz[])"
        " AS changed (order_id, offer, state, placed, return_expected, revision, cancelled_at)"
        " WHERE claims.order_id = changed.order_id AND claims.offer = changed.offer"
        " AND claims.shard = $1",
        shard,
        [claim.order for claim in claims],
        [claim.offer for claim in claims],
        [claim.state for claim in claims],
        [_placed(claim) for claim in claims],
        [claim.return_expected for claim in claims],
        [claim.revision for claim in claims],
        [claim.cancelled_at for claim in claims],
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
            columns=("order_id", "allocation", "location", "state", "route", "shard"),
        )
    if old:
        orders, allocations, _, states, routes = zip(*map(_allocation_row, old), strict=True)
        await connection.execute(
            "UPDATE allocations SET state = changed.state, route = changed.route"
            " FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])"
            " AS changed (order_id, allocation, state, route)"
            " WHERE allocations.order_id = changed.order_id"
            " AND allocations.allocation = changed.allocation AND allocations.shard = $1",
            books.shard,
            list(orders),
            list(allocations),
            list(states),
            list(routes),
        )


def _placed(claim: Claim) -> str | None:
    return None if claim.placed is None else claim.placed.model_dump_json(exclude_none=True)


def _expires_at(claim: Claim) -> datetime | None:
    return claim.placed.expires_at if isinstance(claim.placed, CartHeld) else None


def _allocation_row(allocation: Allocation) -> tuple[str, str, str, str, str | None]:
    return (
        allocation.order,
        allocation.allocation,
        allocation.location,
        allocation.state,
        allocation.route,
    )


def _piece_rows(shard: int, claims: Collection[Claim]) -> list[tuple[object, ...]]:
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
            piece.lot,
            piece.reservation,
            piece.allocation,
            piece.offer,
            piece.rank,
            piece.since,
            piece.expected,
            piece.cut,
        )
        for claim in claims
        for number, piece in enumerate(claim.pieces)
    ]
