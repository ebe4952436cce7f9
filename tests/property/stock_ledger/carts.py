"""A bystander's plain dictionaries of cart holds, and of what purchase orders will bring."""

from collections import Counter
from typing import Any

from tests.property.stock_ledger.entries import claims_of
from tests.property.stock_ledger.orders import units_of
from tests.property.stock_ledger.told import ended

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import (
    CartHeld,
    CartReleased,
    GoodsReceived,
    OrderPlaced,
    ReceiptExpected,
)
from restock_common.contracts.stock import HoldEnd, HoldEnded, StockHeld, StockReserved
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.model import PieceState


class Carts:
    """Units by shard, hold and sku."""

    def __init__(self) -> None:
        self.held: dict[tuple[int, str], Counter[str]] = {}
        self.pools: dict[tuple[int, str], str] = {}

    def take(self, shard: int, message: Message[Any], decision: Decision, books: Books) -> None:
        """Note what a message has done to holds, as it must (I15)."""
        event = message.event
        match event:
            case CartHeld():
                units: Counter[str] = Counter()
                for one in decision.emissions:
                    if isinstance(one.event, StockHeld):
                        units[one.event.sku] += one.event.quantity
                self.held[shard, event.hold] = units
                self.pools[shard, event.hold] = event.sourcing.pool
            case CartReleased():
                held = self.held[shard, event.hold]
                given_up: Counter[str] = Counter()
                for line in event.lines:
                    given_up[line.sku] += line.quantity
                expected = given_up if event.lines else +held
                assert not expected - held, f"I15: {event} of {held}"
                self._end(shard, decision)
                told = ended(decision)
                released = {(sku, HoldEnd.RELEASED): units for sku, units in expected.items()}
                assert told == released, f"I15: {event} ended {told}"
            case OrderPlaced() if event.hold is not None:
                self._buy(shard, event, decision, books)
            case _:
                self._end(shard, decision)

    def _end(self, shard: int, decision: Decision) -> None:
        for one in decision.emissions:
            if isinstance(one.event, HoldEnded):
                held = self.held[shard, one.event.hold]
                held[one.event.sku] -= one.event.quantity
                assert held[one.event.sku] >= 0, f"I15: {one.event} of {held}"

    def _buy(self, shard: int, event: OrderPlaced, decision: Decision, books: Books) -> None:
        """The order has what the cart held for it, and nobody else has (I15)."""
        assert event.hold is not None
        held = self.held.get((shard, event.hold), Counter())
        if self.pools.get((shard, event.hold)) != event.sourcing[0].pool:
            assert not ended(decision), f"I15: {event} has ended another pool's hold"
            return
        before = Counter(held)
        self._end(shard, decision)
        assert not +held, f"I15: {event} has left {held}"
        plain = not any(line.components or not line.split for line in event.lines)
        claim = books.orders[event.order][""]
        if not plain or event.ship_complete or _has_lots(books):
            return
        asked: Counter[str] = Counter()
        for line in event.lines:
            asked += units_of(line)
        got: Counter[str] = Counter()
        for one in decision.emissions:
            if isinstance(one.event, StockReserved) and one.event.order == event.order:
                got[one.event.sku] += one.event.quantity
        for sku, units in (asked & before).items():
            cancelled = claim.state.value == "cancelled"
            assert cancelled or got[sku] >= units, f"I15: {event} has {got}, held were {before}"

    def check(self, shard: int, books: Books) -> None:
        """Assert that holds hold what they should (I15)."""
        held: dict[str, Counter[str]] = {}
        for claim in claims_of(books):
            for piece in claim.pieces:
                if piece.state is PieceState.HELD:
                    held.setdefault(claim.order, Counter())[piece.sku] += piece.quantity
        known = {hold: +units for (at, hold), units in self.held.items() if at == shard and +units}
        assert held == known, f"I15: {held} is held, not {known}"


def _has_lots(books: Books) -> bool:
    return any(one.expires_on is not None for one in books.balances.values())


class Expectations:
    """What purchase order lines will bring, by shard and id."""

    def __init__(self) -> None:
        self.told: dict[tuple[int, str], ReceiptExpected] = {}
        self.received: Counter[tuple[int, str]] = Counter()

    def take(self, shard: int, message: Message[Any]) -> None:
        """Note what is expected, and what has come of it."""
        match message.event:
            case ReceiptExpected() as event:
                self.told[shard, event.expected] = event
            case GoodsReceived() as event:
                for line in event.lines:
                    expected = self.told.get((shard, line.order_line or ""))
                    if expected is not None and expected.sku == line.sku:
                        self.received[shard, expected.expected] += line.quantity

    def check(self, shard: int, books: Books) -> None:
        """Assert that no more is promised from a receipt than it will bring (I14)."""
        promised: Counter[str] = Counter()
        for claim in claims_of(books):
            for piece in claim.pieces:
                if piece.state is PieceState.BACKORDERED and piece.expected is not None:
                    promised[piece.expected] += piece.quantity
                    expected = self.told[shard, piece.expected]
                    found = (expected.sku, expected.pool)
                    assert found == (piece.sku, claim.pool), f"I14: {piece} from {expected}"
        for name, units in promised.items():
            expected = self.told[shard, name]
            left = max(0, expected.quantity - self.received[shard, name])
            assert units <= left, f"I14: {units} are promised from {expected}, {left} will come"
