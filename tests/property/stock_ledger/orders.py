"""A bystander's plain dictionaries of what customers have asked for, line by line."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.property.stock_ledger.entries import claims_of

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import (
    LineAccepted,
    LineOffered,
    LineRefused,
    LineWithdrawn,
    OrderAmended,
    OrderCancelled,
    OrderLine,
    OrderPlaced,
    OrderReturned,
)
from stock_ledger.domain.books import Books
from stock_ledger.domain.model import HOME, Claim, ClaimKey, ClaimState, Piece, PieceState

ELSEWHERE = frozenset({PieceState.OFFERED, PieceState.ACCEPTED})
OVER = frozenset({PieceState.CANCELLED, PieceState.RETURNED})


@dataclass
class Asked:
    """What one order asks for, as it was last said."""

    lines: dict[str, OrderLine] = field(default_factory=dict)
    cancelled: bool = False
    most: Counter[tuple[str, str]] = field(default_factory=Counter)

    def say(self, lines: Collection[OrderLine]) -> None:
        self.lines = {line.line: line for line in lines}
        for name, line in self.lines.items():
            for sku, units in units_of(line).items():
                self.most[name, sku] = max(self.most[name, sku], units)

    def target(self, line: str, sku: str) -> int:
        return units_of(self.lines[line])[sku] if line in self.lines else 0


def units_of(line: OrderLine) -> Counter[str]:
    """Return what a line takes from the shelves."""
    if not line.components:
        return Counter({line.sku: line.quantity})
    return Counter({one.sku: one.quantity * line.quantity for one in line.components})


@dataclass
class Fate:
    """What has become of the units of one line."""

    waiting: int = 0
    shipped: int = 0
    returned: int = 0

    def add(self, piece: Piece) -> None:
        if piece.state is PieceState.RETURNED:
            self.returned += piece.quantity
        elif piece.cut or piece.state in OVER:
            return
        elif piece.state is PieceState.SHIPPED:
            self.shipped += piece.quantity
        else:
            self.waiting += piece.quantity

    def check(self, what: str, wanted: int) -> None:
        """Assert that nobody is forgotten, and that nothing is seen to that nobody asked for."""
        assert self.waiting + self.shipped + self.returned >= wanted, (
            f"{what}: {self}, not {wanted}"
        )
        assert self.waiting <= max(0, wanted - self.shipped), f"{what}: {self}, not {wanted}"


class Orders:
    """Orders by home shard and id."""

    def __init__(self) -> None:
        self.asked: dict[tuple[int, str], Asked] = {}

    def take(self, shard: int, message: Message[Any]) -> None:
        """Note what a customer has said."""
        event = message.event
        match event:
            case OrderPlaced():
                self._of(shard, event.order).say(event.lines)
            case OrderAmended():
                self._of(shard, event.order).say(event.lines)
            case OrderCancelled():
                self._of(shard, event.order).cancelled = True
            case OrderReturned() if event.replacements:
                asked = self._of(shard, event.order)
                kept = [] if asked.cancelled else list(asked.lines.values())
                asked.cancelled = False
                asked.say([*kept, *event.replacements])

    def _of(self, shard: int, order: str) -> Asked:
        return self.asked.setdefault((shard, order), Asked())

    def check(self, shard: int, books: Books) -> None:
        """Assert that each order at home has in its pieces what was asked for (I8)."""
        for claim in claims_of(books):
            if claim.offer == HOME and claim.placed is not None:
                self._check_order(claim, self.asked[shard, claim.order])

    def _check_order(self, claim: Claim, asked: Asked) -> None:
        fates: dict[tuple[str, str], Fate] = {}
        for name, line in asked.lines.items():
            for sku in units_of(line):
                fates[name, sku] = Fate()
        for piece in claim.pieces:
            fates.setdefault((piece.line, piece.sku), Fate()).add(piece)
        assert (claim.state is ClaimState.CANCELLED) == asked.cancelled, f"I8: {claim}"
        if asked.cancelled:
            assert all(fate.waiting == 0 for fate in fates.values()), f"I8: {claim}"
            return
        disturbed = {name for (name, _), fate in fates.items() if fate.returned}
        for (name, sku), fate in fates.items():
            assert fate.shipped <= asked.most[name, sku], f"I10: {claim}: {name} {fate}"
            if name in asked.lines and asked.lines[name].components and name in disturbed:
                continue  # parts of a kit have come back: it is not made of whole kits any more
            fate.check(f"I8: {claim}: {name}", asked.target(name, sku))


def check_offers(shards: Mapping[int, Books], on_the_way: Collection[Event]) -> None:
    """Assert that other pools serve what home still wants of each offer (I9)."""
    withdrawn = {event.offer for event in on_the_way if isinstance(event, LineWithdrawn)}
    offered = {event.offer for event in on_the_way if isinstance(event, LineOffered)}
    answered = {
        event.offer for event in on_the_way if isinstance(event, LineAccepted | LineRefused)
    }
    taken: set[str] = set()
    for books in shards.values():
        for claim in claims_of(books):
            if isinstance(claim.placed, LineOffered):
                taken.add(claim.offer)
                _check_offer(claim, shards, withdrawn, answered)
    for books in shards.values():
        for claim in claims_of(books):
            for piece in claim.pieces:
                if piece.state in ELSEWHERE and not piece.cut:
                    found = piece.offer in taken or piece.offer in offered
                    assert found, f"I9: {piece} was offered, but nobody knows of it"


def _check_offer(
    claim: Claim, shards: Mapping[int, Books], withdrawn: set[str], answered: set[str]
) -> None:
    offer = claim.placed
    assert isinstance(offer, LineOffered)
    home = shards[offer.home_shard].claim(ClaimKey(claim.order, HOME))
    assert home is not None, f"I9: {claim} has no home"
    pieces = [one for one in home.pieces if one.offer == claim.offer and not one.cut]
    wanted = sum(one.quantity for one in pieces if one.state in ELSEWHERE)
    fate = Fate()
    for piece in claim.pieces:
        fate.add(piece)
    if claim.offer in withdrawn:
        return
    if claim.state is ClaimState.OPEN:
        states = {one.state for one in pieces if one.state in ELSEWHERE}
        waits = PieceState.OFFERED in states
        assert not waits or claim.offer in answered, f"I9: {claim} was accepted, unheard"
        fate.check(f"I9: {claim}", wanted)
    elif claim.state is ClaimState.PENDING:
        assert wanted == offer.line.quantity, f"I9: home wants {wanted} of {claim}"
    else:
        assert fate.waiting == 0, f"I9: {claim} is over"
        assert not wanted or claim.offer in answered, f"I9: home waits for {claim}"
