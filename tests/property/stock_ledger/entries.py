"""Movements summed as they are written, and what the pieces of claims say of the accounts."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from restock_common.contracts.ledger import TransferOrdered
from stock_ledger.domain.books import BEGINNING, Books
from stock_ledger.domain.model import Account, Balance, Claim, Piece, PieceState

GOODS = frozenset(
    {
        Account.SUPPLIER,
        Account.CUSTOMER,
        Account.ADJUSTMENT,
        Account.TRANSIT,
        Account.FREE,
        Account.RESERVED,
        Account.HELD,
        Account.DAMAGED,
        Account.QUALITY_HOLD,
        Account.IN_TRANSIT,
    }
)
"""The accounts of goods; the others are of promises."""

WAITING = frozenset({PieceState.BACKORDERED, PieceState.RECALLED})
SEEN_TO = frozenset({PieceState.OFFERED, PieceState.REFUSED, PieceState.RESERVED})


def claims_of(books: Books) -> Iterator[Claim]:
    """Yield all claims of a shard."""
    return (claim for of_order in books.orders.values() for claim in of_order.values())


def pieces_of(books: Books) -> Iterator[tuple[Claim, Piece]]:
    """Yield all pieces of a shard, with their claims."""
    return ((claim, piece) for claim in claims_of(books) for piece in claim.pieces)


class Entries:
    """One shard's journal, summed by account."""

    def __init__(self) -> None:
        self.sums: Counter[tuple[str, str, str, Account]] = Counter()
        self.by_sku: Counter[tuple[str, Account]] = Counter()
        self._read = 0
        self._recorded_at: datetime = BEGINNING
        self._until: datetime = BEGINNING

    def read_on(self, books: Books) -> None:
        """Read what is new: one side of promises, or of goods, never both (I2), in time (I21)."""
        for _, recorded_at, one in books.journal[self._read :]:
            assert one.units > 0, f"I2: {one}"
            assert (one.source in GOODS) == (one.target in GOODS), f"I2: {one}"
            for account, units in ((one.source, -one.units), (one.target, one.units)):
                self.sums[one.sku, one.location, one.lot, account] += units
                self.by_sku[one.sku, account] += units
            assert recorded_at >= self._recorded_at, f"I21: {one} goes back in time"
            self._recorded_at = recorded_at
        self._read = len(books.journal)
        assert books.clock.recorded_at >= self._recorded_at, f"I21: {books.clock}"
        assert books.clock.until >= self._until, f"I21: {books.clock} was at {self._until}"
        self._until = books.clock.until

    def check(self, books: Books) -> None:
        """Assert what the accounts say of each other, and what the pieces say of them."""
        self._check_sums()
        for balance in books.balances.values():
            self._check_balance(balance)
        self._check_pieces(books)

    def _check_sums(self) -> None:
        goods: Counter[str] = Counter()
        promises: Counter[str] = Counter()
        for (sku, account), units in self.by_sku.items():
            (goods if account in GOODS else promises)[sku] += units
        assert not any(goods.values()), f"I2: {goods}"
        assert not any(promises.values()), f"I2: {promises}"

    def _check_balance(self, balance: Balance) -> None:
        kept = {
            Account.FREE: balance.free,
            Account.RESERVED: balance.reserved,
            Account.HELD: balance.held,
            Account.DAMAGED: balance.damaged,
            Account.QUALITY_HOLD: balance.quality_hold,
            Account.IN_TRANSIT: balance.in_transit,
            Account.BACKORDERED: balance.backordered,
        }
        assert min(kept.values()) >= 0, f"I1: {balance}"
        summed = {account: self.sums[(*balance.key, account)] for account in kept}
        assert kept == summed, f"I3: {balance} against {summed}"

    def _check_pieces(self, books: Books) -> None:
        kept: Counter[tuple[str, str, str, Account]] = Counter()
        told: Counter[tuple[str, Account]] = Counter()
        for claim, piece in pieces_of(books):
            assert piece.quantity > 0, f"I6: {piece}"
            assert piece.state is not PieceState.ASKED, f"I6: {piece}"
            where = (piece.sku, piece.location, piece.lot)
            if piece.state is PieceState.RESERVED:
                kept[(*where, Account.RESERVED)] += piece.quantity
            elif piece.state is PieceState.HELD:
                kept[(*where, Account.HELD)] += piece.quantity
            elif piece.state in WAITING:
                kept[piece.sku, piece.location, "", Account.BACKORDERED] += piece.quantity
            account = _account(claim, piece)
            if account is not None:
                told[piece.sku, account] += piece.quantity
            if piece.state is PieceState.SHIPPED and claim.is_order:
                told[piece.sku, Account.CUSTOMER] += piece.quantity
        for key, balance in books.balances.items():
            for account in (Account.RESERVED, Account.HELD, Account.BACKORDERED):
                units = kept.pop((*key, account), 0)
                assert getattr(balance, account) == units, f"I6: {balance}: {account} is {units}"
        assert not kept, f"I6: {kept} stands in no balance"
        for account in (Account.PROMISED, Account.PASSED_ON, Account.FULFILLED, Account.CUSTOMER):
            summed = {sku: n for (sku, of), n in self.by_sku.items() if of is account and n}
            pieces = {sku: n for (sku, of), n in told.items() if of is account}
            assert summed == pieces, f"I6: {account} is {summed}, the pieces say {pieces}"


def _account(claim: Claim, piece: Piece) -> Account | None:
    if isinstance(claim.placed, TransferOrdered) or not claim.is_order:
        return None
    if piece.state in SEEN_TO:
        return Account.PROMISED
    if piece.state is PieceState.ACCEPTED:
        return Account.PASSED_ON
    return Account.FULFILLED if piece.state is PieceState.SHIPPED else None
