"""Loads the part of a shard's books that a batch of messages needs, in a few statements.

What is loaded may be more than needed, never less: a decision must not depend on which other
messages happen to be in its batch, so that reading the log again gives the same books.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import (
    AllocationWithdrawn,
    GoodsReceived,
    LineAccepted,
    LineOffered,
    LineRefused,
    LineWithdrawn,
    OrderCancelled,
    OrderPlaced,
    ShipmentDispatched,
    StockCounted,
    TimeAdvanced,
)
from restock_common.postgres import Connection
from stock_ledger.domain.books import Books
from stock_ledger.domain.model import (
    HOME,
    Allocation,
    AllocationState,
    Balance,
    Claim,
    ClaimState,
    Piece,
    PieceState,
)

_Rows = Sequence[Mapping[str, Any]]

_WITHDRAWN = "SELECT order_id FROM allocations WHERE shard = $1 AND state = 'withdrawn'"
_WAITING_FOR_TIME = (
    "SELECT order_id FROM claims WHERE shard = $1 AND state = 'pending'"
    " UNION SELECT order_id FROM pieces WHERE shard = $1 AND state = 'refused'"
)
_RESERVED_AT = (
    "SELECT DISTINCT order_id FROM pieces"
    " JOIN unnest($2::text[], $3::text[]) AS counted (sku, location) USING (sku, location)"
    " WHERE shard = $1 AND state = 'reserved'"
)
_BACKORDERED = (
    "SELECT DISTINCT order_id FROM pieces"
    " WHERE shard = $1 AND sku = ANY($2) AND state = 'backordered'"
)


@dataclass(slots=True)
class _Needs:
    """What the messages of a batch name.

    Attributes:
        orders: Orders whose claims are needed.
        skus: Skus whose balances are needed.
        freed_skus: Skus of which units may become free, so that backorders are served.
        freed_orders: Orders of which a parcel may be released, so that their skus do.
        counted: (sku, location) whose reserved pieces may be recalled.
        receipts: Receipts that may have been booked.
        counts: Counts that may have been booked.
        time_advances: What waits for it is decided.
    """

    orders: set[str] = field(default_factory=set)
    skus: set[str] = field(default_factory=set)
    freed_skus: set[str] = field(default_factory=set)
    freed_orders: set[str] = field(default_factory=set)
    counted: set[tuple[str, str]] = field(default_factory=set)
    receipts: set[str] = field(default_factory=set)
    counts: set[str] = field(default_factory=set)
    time_advances: bool = False

    @classmethod
    def of(cls, messages: Sequence[Message[Event]]) -> "_Needs":
        needs = cls()
        for message in messages:
            needs._add(message.event)
        for message in messages:
            match message.event:
                case OrderPlaced() as event if event.order in needs.freed_orders:
                    needs.freed_skus.update(line.sku for line in event.lines)
                case LineOffered() as event if event.order in needs.freed_orders:
                    needs.freed_skus.add(event.line.sku)
        return needs

    def _add(self, event: Event) -> None:
        match event:
            case OrderPlaced():
                self.orders.add(event.order)
                self.skus.update(line.sku for line in event.lines)
            case LineOffered():
                self.orders.add(event.order)
                self.skus.add(event.line.sku)
            case AllocationWithdrawn():
                self.orders.add(event.order)
                self.freed_orders.add(event.order)
            case OrderCancelled() | LineAccepted() | LineRefused() | LineWithdrawn():
                self.orders.add(event.order)
            case ShipmentDispatched():
                self.orders.add(event.order)
            case GoodsReceived():
                self.receipts.add(event.receipt)
                self.freed_skus.update(line.sku for line in event.lines)
            case StockCounted():
                self.counts.add(event.count)
                self.freed_skus.update(line.sku for line in event.lines)
                self.counted.update((line.sku, event.location) for line in event.lines)
            case TimeAdvanced():
                self.time_advances = True


async def load(connection: Connection, messages: Sequence[Message[Event]]) -> Books:
    """Return the books as these messages, all read from one partition, need them."""
    shard = messages[0].partition
    assert shard is not None, "the ledger decides only what it read from its log"
    needs = _Needs.of(messages)
    orders = set(needs.orders)
    if needs.time_advances:
        needs.freed_orders |= await _orders(connection, _WITHDRAWN, shard)
        orders |= needs.freed_orders | await _orders(connection, _WAITING_FOR_TIME, shard)
    if needs.counted:
        orders |= await _orders(
            connection,
            _RESERVED_AT,
            shard,
            [sku for sku, _ in needs.counted],
            [location for _, location in needs.counted],
        )
    claims = await _claims(connection, shard, orders)
    freed = needs.freed_skus | {
        piece.sku for claim in claims if claim.order in needs.freed_orders for piece in claim.pieces
    }
    if freed:
        waiting = await _orders(connection, _BACKORDERED, shard, list(freed)) - orders
        claims += await _claims(connection, shard, waiting)
        orders |= waiting
    skus = needs.skus | freed | {sku for claim in claims for sku in _skus(claim)}
    known_orders = {claim.order for claim in claims}
    books = Books.of(
        shard,
        await _balances(connection, shard, skus),
        claims,
        await _allocations(connection, shard, known_orders),
    )
    books.receipts = await _booked(connection, "receipts", "receipt", shard, needs.receipts)
    books.counts = await _booked(connection, "counts", "count", shard, needs.counts)
    return books


def _skus(claim: Claim) -> Iterable[str]:
    match claim.placed:
        case OrderPlaced() as order:
            return [line.sku for line in order.lines]
        case LineOffered() as offer:
            return [offer.line.sku]
        case None:
            return []


async def _orders(connection: Connection, query: str, *args: Any) -> set[str]:
    return {row["order_id"] for row in await connection.fetch(query, *args)}


async def _claims(connection: Connection, shard: int, orders: set[str]) -> list[Claim]:
    if not orders:
        return []
    rows = await connection.fetch(
        "SELECT order_id, offer, state, since, placed, traceparent, return_expected FROM claims"
        " WHERE order_id = ANY($1) AND shard = $2 ORDER BY order_id, offer",
        list(orders),
        shard,
    )
    claims = {(row["order_id"], row["offer"]): _claim(row) for row in rows}
    for row in await _pieces(connection, shard, {order for order, _ in claims}):
        claims[row["order_id"], row["offer"]].pieces.append(
            Piece(
                row["line"],
                row["sku"],
                row["quantity"],
                PieceState(row["state"]),
                row["location"],
                row["allocation"],
                row["last_offer"],
                row["rank"],
                row["since"],
            )
        )
    return list(claims.values())


def _claim(row: Mapping[str, Any]) -> Claim:
    kind = OrderPlaced if row["offer"] == HOME else LineOffered
    placed = row["placed"]
    return Claim(
        order=row["order_id"],
        offer=row["offer"],
        state=ClaimState(row["state"]),
        since=row["since"],
        placed=None if placed is None else kind.model_validate_json(placed),
        traceparent=row["traceparent"],
        return_expected=row["return_expected"],
    )


async def _pieces(connection: Connection, shard: int, orders: set[str]) -> _Rows:
    if not orders:
        return []
    return await connection.fetch(
        "SELECT * FROM pieces WHERE order_id = ANY($1) AND shard = $2"
        " ORDER BY order_id, offer, number",
        list(orders),
        shard,
    )


async def _balances(connection: Connection, shard: int, skus: set[str]) -> list[Balance]:
    if not skus:
        return []
    rows = await connection.fetch(
        "SELECT sku, location, pool, on_hand, reserved, backordered FROM stock"
        " WHERE sku = ANY($1) AND shard = $2",
        list(skus),
        shard,
    )
    return [
        Balance(
            row["sku"],
            row["location"],
            row["pool"],
            row["on_hand"] - row["reserved"],
            row["reserved"],
            row["backordered"],
        )
        for row in rows
    ]


async def _allocations(connection: Connection, shard: int, orders: set[str]) -> list[Allocation]:
    if not orders:
        return []
    rows = await connection.fetch(
        "SELECT allocation, order_id, location, state FROM allocations"
        " WHERE order_id = ANY($1) AND shard = $2",
        list(orders),
        shard,
    )
    return [
        Allocation(
            row["allocation"], row["order_id"], row["location"], AllocationState(row["state"])
        )
        for row in rows
    ]


async def _booked(
    connection: Connection, table: str, column: str, shard: int, ids: set[str]
) -> set[str]:
    if not ids:
        return set()
    rows = await connection.fetch(
        f"SELECT {column} AS id FROM {table} WHERE {column} = ANY($1) AND shard = $2",  # noqa: S608 - constants
        list(ids),
        shard,
    )
    return {row["id"] for row in rows}
