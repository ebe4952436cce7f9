"""Loads the part of a shard's books that a batch of messages needs, in a few statements."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import CartHeld, LineOffered, OrderPlaced, TransferOrdered
from restock_common.postgres import Connection
from stock_ledger.domain.books import Books, Clock, Place
from stock_ledger.domain.model import (
    HOLD,
    HOME,
    SLOTS,
    TRANSFER,
    Account,
    Alert,
    Allocation,
    AllocationState,
    Asked,
    Balance,
    Booking,
    Claim,
    ClaimState,
    Expected,
    Inbound,
    KnownLocation,
    KnownSku,
    Piece,
    PieceState,
    Serial,
    Shelf,
)
from stock_ledger.domain.rules import Rules
from stock_ledger.domain.sources import components_of
from stock_ledger.domain.upkeep import due_slots
from stock_ledger.store import tables
from stock_ledger.store.needs import Needs

_WITHDRAWN = "SELECT order_id AS id FROM allocations WHERE shard = $1 AND state = 'withdrawn'"
_WAITING_FOR_TIME = (
    "SELECT order_id AS id FROM claims WHERE shard = $1 AND state = 'pending'"
    " UNION SELECT order_id FROM pieces WHERE shard = $1 AND state = 'refused'"
)
_OVERDUE = (
    "SELECT order_id AS id FROM claims WHERE shard = $1 AND state = 'held' AND expires_at <= $2"
)
_TO_LOOK_OVER = (
    "SELECT sku AS id FROM stock WHERE shard = $1 AND expires_on <= $2"
    " AND free + reserved + held + damaged + quality_hold > 0"
    " AND ((free > 0 AND expires_on < $3) OR NOT EXISTS (SELECT FROM alerts"
    " WHERE (alerts.sku, alerts.location, alerts.lot, alerts.kind, alerts.shard)"
    " = (stock.sku, stock.location, stock.lot, 'expiring', stock.shard)))"
    " UNION SELECT sku FROM stock WHERE shard = $1 AND issued_at < $4"
    " AND (slot >= $5 AND slot < $6 OR slot + $7 >= $5 AND slot + $7 < $6)"
    " AND free + reserved + held + damaged + quality_hold > 0"
    " AND NOT EXISTS (SELECT FROM alerts WHERE (alerts.sku, alerts.location, alerts.lot,"
    " alerts.kind, alerts.shard) = (stock.sku, stock.location, '', 'slow_moving', stock.shard))"
)
_KEPT_AT = (
    "SELECT DISTINCT order_id AS id FROM pieces"
    " JOIN unnest($2::text[], $3::text[]) AS counted (sku, location) USING (sku, location)"
    " WHERE shard = $1 AND state IN ('reserved', 'held')"
)
_BACKORDERED = (
    "SELECT DISTINCT order_id AS id FROM pieces"
    " WHERE shard = $1 AND sku = ANY($2) AND state = 'backordered'"
)
_MOVED_SINCE = (
    "SELECT counted.sku, counted.location, counted.moment, lot, source, target, sum(units)::bigint"
    " AS units FROM unnest($2::text[], $3::text[], $4::timestamptz[])"
    " AS counted (sku, location, moment) JOIN movements ON movements.sku = counted.sku"
    " AND movements.location = counted.location AND effective_at > moment"
    " WHERE shard = $1 AND moves_goods(source, target) GROUP BY 1, 2, 3, 4, 5, 6"
)
_ASKED: Mapping[str, type[Asked]] = {
    HOME: OrderPlaced,
    HOLD: CartHeld,
    TRANSFER: TransferOrdered,
}


async def load(
    connection: Connection,
    messages: Sequence[Message[Event]],
    rules: Rules,
    *,
    whole: bool = False,
) -> Books:
    """Return the books as these messages, all read from one partition, need them.

    Args:
        connection: In the batch's transaction.
        messages: The batch.
        rules: What the books are decided by.
        whole: Load who has to give way where units turn out to be missing, too; else the books
            raise Unread where that is asked.
    """
    shard = messages[0].partition
    assert shard is not None, "the ledger decides only what it read from its log"
    needs = Needs.of(messages)
    books = Books(shard, rules)
    await _load_world(connection, books)
    if needs.transfers:
        of = list(needs.transfers)
        inbound = await tables.read(connection, Inbound, "transfer = ANY($2)", shard, of)
        books.store(facts=inbound)
        needs.skus.update(one.sku for one in inbound if isinstance(one, Inbound))
    if needs.until is not None:
        await _add_what_time_brings(connection, needs, books, needs.until)
    ids = set(needs.claims | needs.freed_claims)
    if whole:
        ids |= await _ids(connection, _KEPT_AT, shard, *_columns(needs.taken_from))
    else:
        books.unread = needs.taken_from
    claims = await _claims(connection, shard, ids)
    freed = needs.freed_skus | {sku for sku, _ in needs.taken_from}
    freed.update(
        piece.sku for claim in claims if claim.order in needs.freed_claims for piece in claim.pieces
    )
    # Who gives way to a missing unit gives all of its piece: the rest is free for those who wait.
    freed.update(sku for claim in claims if whole for sku in _skus(claim))
    if freed:
        waiting = await _ids(connection, _BACKORDERED, shard, list(freed)) - ids
        claims += await _claims(connection, shard, waiting)
    skus = needs.skus | freed
    for claim in claims:
        skus.update(_skus(claim))
    orders = {claim.order for claim in claims if claim.is_order}
    books.store(
        balances=await _balances(connection, shard, skus),
        claims=claims,
        allocations=await _allocations(connection, shard, orders),
    )
    await _load_facts(connection, books, needs, list(skus))
    if needs.counted:
        await _load_later(connection, books, needs.counted)
    return books


async def _load_world(connection: Connection, books: Books) -> None:
    """Load the shard's time, and what it was told that there is."""
    row = await connection.fetchrow(
        "SELECT EXISTS (SELECT FROM skus WHERE shard = $1) AS skus_listed,"
        " EXISTS (SELECT FROM locations WHERE shard = $1) AS locations_listed,"
        " recorded_at, until FROM (SELECT) AS one LEFT JOIN clocks ON shard = $1",
        books.shard,
    )
    assert row is not None
    books.skus_listed, books.locations_listed = row["skus_listed"], row["locations_listed"]
    if row["until"] is not None:
        books.clock = Clock(row["recorded_at"], row["until"])
    if books.locations_listed:
        books.store(facts=await tables.read(connection, KnownLocation, "true", books.shard))


async def _add_what_time_brings(
    connection: Connection, needs: Needs, books: Books, until: datetime
) -> None:
    """Note what has waited for time to advance, or is looked over because it does."""
    shard, today = books.shard, until.date()
    needs.freed_claims |= await _ids(connection, _WITHDRAWN, shard)
    needs.freed_claims |= await _ids(connection, _OVERDUE, shard, until)
    needs.claims |= await _ids(connection, _WAITING_FOR_TIME, shard)
    needs.skus |= await _ids(
        connection,
        _TO_LOOK_OVER,
        shard,
        today + timedelta(days=books.rules.expiring_days),
        today,
        until - timedelta(days=books.rules.slow_moving_days),
        *due_slots(books.clock.until, until),
        SLOTS,
    )


async def _load_facts(connection: Connection, books: Books, needs: Needs, skus: list[str]) -> None:
    shard = books.shard
    by_sku = "sku = ANY($2)"
    books.store(facts=await tables.read(connection, Shelf, by_sku, shard, skus))
    books.store(facts=await tables.read(connection, Alert, by_sku, shard, skus))
    if books.skus_listed:
        books.store(facts=await tables.read(connection, KnownSku, by_sku, shard, skus))
    open_or_named = "(sku = ANY($2) AND received < quantity OR expected = ANY($3))"
    named = list(needs.expected)
    books.store(facts=await tables.read(connection, Expected, open_or_named, shard, skus, named))
    if needs.bookings:
        ids = [name for _, name in needs.bookings]
        books.store(facts=await tables.read(connection, Booking, "id = ANY($2)", shard, ids))
    if needs.serials:
        told_apart = "(sku, serial) IN (SELECT * FROM unnest($2::text[], $3::text[]))"
        columns = _columns(needs.serials)
        books.store(facts=await tables.read(connection, Serial, told_apart, shard, *columns))


async def _load_later(
    connection: Connection, books: Books, counted: Collection[tuple[Place, datetime]]
) -> None:
    """Load what has moved at counted places since they were counted."""
    places = [place for place, _ in counted]
    moments = [moment for _, moment in counted]
    rows = await connection.fetch(_MOVED_SINCE, books.shard, *_columns(places), moments)
    for row in rows:
        moved = books.later.setdefault(((row["sku"], row["location"]), row["moment"]), {})
        key = (row["lot"], Account(row["source"]), Account(row["target"]))
        moved[key] = row["units"]


def _columns(pairs: Iterable[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Return pairs as two arrays."""
    listed = list(pairs)
    return [first for first, _ in listed], [second for _, second in listed]


def _skus(claim: Claim) -> set[str]:
    """Return what a claim may move: a line that was amended out has left its pieces behind."""
    skus = {piece.sku for piece in claim.pieces}
    if claim.placed is not None and claim.is_order:
        skus.update(sku for line in claim.lines for sku, _ in components_of(line))
    return skus


async def _ids(connection: Connection, query: str, *args: Any) -> set[str]:
    return {row["id"] for row in await connection.fetch(query, *args)}


async def _claims(connection: Connection, shard: int, ids: set[str]) -> list[Claim]:
    if not ids:
        return []
    rows = await connection.fetch(
        "SELECT order_id, offer, state, since, placed, traceparent, return_expected, revision,"
        " cancelled_at FROM claims WHERE order_id = ANY($1) AND shard = $2"
        " ORDER BY order_id, offer",
        list(ids),
        shard,
    )
    claims = {(row["order_id"], row["offer"]): _claim(row) for row in rows}
    if claims:
        pieces = await connection.fetch(
            "SELECT * FROM pieces WHERE order_id = ANY($1) AND shard = $2"
            " ORDER BY order_id, offer, number",
            list({order for order, _ in claims}),
            shard,
        )
        for row in pieces:
            claims[row["order_id"], row["offer"]].pieces.append(_piece(row))
    return list(claims.values())


def _claim(row: Mapping[str, Any]) -> Claim:
    kind = _ASKED.get(row["offer"], LineOffered)
    placed = row["placed"]
    return Claim(
        order=row["order_id"],
        offer=row["offer"],
        state=ClaimState(row["state"]),
        since=row["since"],
        placed=None if placed is None else kind.model_validate_json(placed),
        traceparent=row["traceparent"],
        return_expected=row["return_expected"],
        revision=row["revision"],
        cancelled_at=row["cancelled_at"],
    )


def _piece(row: Mapping[str, Any]) -> Piece:
    return Piece(
        row["line"],
        row["sku"],
        row["quantity"],
        PieceState(row["state"]),
        row["location"],
        row["lot"],
        row["reservation"],
        row["allocation"],
        row["last_offer"],
        row["rank"],
        row["since"],
        row["expected"],
        row["cut"],
    )


async def _balances(connection: Connection, shard: int, skus: set[str]) -> list[Balance]:
    if not skus:
        return []
    rows = await connection.fetch(
        "SELECT sku, location, lot, pool, issued_at, expires_on, free, reserved, held, damaged,"
        " quality_hold, in_transit, backordered FROM stock WHERE sku = ANY($1) AND shard = $2",
        list(skus),
        shard,
    )
    return [Balance(*row.values()) for row in rows]


async def _allocations(connection: Connection, shard: int, orders: set[str]) -> list[Allocation]:
    if not orders:
        return []
    rows = await connection.fetch(
        "SELECT allocation, order_id, location, state, route FROM allocations"
        " WHERE order_id = ANY($1) AND shard = $2",
        list(orders),
        shard,
    )
    return [
        Allocation(
            row["allocation"],
            row["order_id"],
            row["location"],
            AllocationState(row["state"]),
            row["route"],
        )
        for row in rows
    ]
