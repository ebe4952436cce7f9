"""A decision in the making: changes over the books, thrown away if it is refused.

All units move through `Draft.post`, so balances are the sum of movements by construction.
"""

from collections.abc import Hashable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import TypeVar

from restock_common.contracts import Event
from restock_common.contracts.demand import Stockout, StockoutEnded, StockoutStarted
from restock_common.contracts.envelope import derive_id
from restock_common.contracts.stock import (
    AlertKind,
    Priority,
    StockAlert,
    StockAlertCleared,
    StockAlertRaised,
    StockLevelChanged,
)
from restock_common.errors import InvariantBroken
from restock_common.transact import Emission
from stock_ledger.domain import alerts, telling
from stock_ledger.domain.books import Books, Decision, Place
from stock_ledger.domain.model import (
    GOODS,
    KEPT,
    PROMISES,
    TRANSFER_GOODS,
    Account,
    Alert,
    Allocation,
    AllocationState,
    Balance,
    BalanceKey,
    Claim,
    ClaimKey,
    Fact,
    Movement,
    Piece,
    PieceState,
    Shelf,
    total,
)
from stock_ledger.domain.view import View

StockAlertT = TypeVar("StockAlertT", bound=StockAlert)
StockoutT = TypeVar("StockoutT", bound=Stockout)

_KEPT_FROM = frozenset({Account.BACKORDERED, Account.RESERVED, Account.HELD})
_AT_HAND = frozenset({PieceState.RESERVED, PieceState.HELD})
_IN_THE_WORLD = frozenset({PieceState.SHIPPED, PieceState.RETURNED})
"""What happened when it is said to have; promises are made and taken back as it is heard of."""


class Draft(View):
    """What one message is about to change.

    Args:
        books: Read, never written.
        cause: The message's id; ids of allocations are derived from it.
        now: The message's event time.
        effective_at: When what it tells of happened in the world, where that differs.
    """

    def __init__(
        self, books: Books, cause: str, now: datetime, effective_at: datetime | None = None
    ) -> None:
        super().__init__(books, now)
        self.effective_at = effective_at or now
        self._cause = cause
        self._fresh: set[ClaimKey] = set()
        self._parcels: dict[str, Claim] = {}
        self._reservations: dict[str, int] = {}
        self._movements: list[Movement] = []
        self._emissions: list[Emission] = []
        self._told_again: dict[Place, None] = {}

    def add(self, claim: Claim, *, fresh: bool) -> Claim:
        """Enter a claim; `fresh` where this very message carries the trace that it travels in."""
        self._claims[claim.key] = claim
        if fresh:
            self._fresh.add(claim.key)
        return claim

    def put(self, fact: Fact) -> None:
        """Enter a fact, in place of the one under its key."""
        self._facts.setdefault(type(fact), {})[fact.key] = fact

    def tell_again(self, place: Place) -> None:
        """Tell the level of a place, and its alerts, although no units move."""
        self._told_again[place] = None

    def end(self, kind: type[Fact], key: Hashable) -> None:
        """Let a fact end."""
        self._facts.setdefault(kind, {})[key] = None

    def set_allocation(
        self, allocation: Allocation, state: AllocationState, route: str | None = None
    ) -> None:
        """Move an allocation to another state."""
        self._allocations[allocation.allocation] = replace(allocation, state=state, route=route)

    def pack(self, claim: Claim, location: str) -> str:
        """Return the id of this message's parcel for the claim's order from a location."""
        allocation = derive_id("allocation", claim.order, location, self._cause)
        if allocation not in self._parcels:
            self._parcels[allocation] = claim
            self._allocations[allocation] = Allocation(allocation, claim.order, location)
        return allocation

    def put_aside(self, claim: Claim, location: str) -> str:
        """Return the id of a parcel for what stays when the rest leaves: released like others."""
        allocation = derive_id("put aside", claim.order, location, self._cause)
        self._allocations[allocation] = Allocation(
            allocation, claim.order, location, AllocationState.WITHDRAWN
        )
        return allocation

    def next_reservation(self, within: str) -> str:
        """Return the id of a new reservation within a parcel or transfer."""
        number = self._reservations[within] = self._reservations.get(within, 0) + 1
        return f"{within}-{number}"

    def emit(
        self, event: Event, *, claim: Claim | None = None, partition: int | None = None
    ) -> None:
        """Make an event known, in the trace of the claim that it is about."""
        fresh = claim is None or claim.key in self._fresh
        traceparent = None if claim is None or fresh else claim.traceparent
        self._emissions.append(Emission(event, partition=partition, traceparent=traceparent))

    def balance(
        self, sku: str, location: str, pool: str, lot: str = "", expires_on: date | None = None
    ) -> Balance:
        """Return a balance to be changed; it begins where there is none.

        The last day of a lot is taken from who first tells it.

        Raises:
            Permanent: The location belongs to another pool.
        """
        key = BalanceKey(sku, location, lot)
        drafted = self._balances.get(key)
        if drafted is None:
            known = self._books.balances.get(key)
            if known is not None and known.pool == pool:
                drafted = known.copy()
            else:
                self.check_pool(sku, location, pool)
                place = (sku, location)
                if place not in self._lots:
                    self._places.setdefault(sku, []).append(place)
                self._lots.setdefault(place, []).append(key)
                drafted = Balance(sku, location, lot, pool, self.effective_at)
            self._balances[key] = drafted
        if drafted.expires_on is None:
            drafted.expires_on = expires_on
        return drafted

    def post(self, movement: Movement, pool: str, expires_on: date | None = None) -> None:
        """Move units between two accounts at a pool's location, and the balance with them.

        Raises:
            InvariantBroken: A balance would be negative.
            Permanent: The balance is another pool's.
        """
        self._movements.append(movement)
        sku, location, lot, source, target, units = movement[:6]
        taken, given = KEPT.get(source), KEPT.get(target)
        if taken is None and given is None:
            return
        balance = self.balance(sku, location, pool, lot, expires_on)
        if taken is not None:
            left = getattr(balance, taken) - units
            if left < 0:
                raise InvariantBroken(f"{units} units from {source} to {target}: {balance}")
            setattr(balance, taken, left)
        if given is not None:
            setattr(balance, given, getattr(balance, given) + units)
        if target is Account.CUSTOMER:
            balance.issued_at = max(balance.issued_at, self.effective_at)

    def shift(
        self,
        place: Place,
        pool: str,
        accounts: tuple[Account, Account],
        units: int,
        lot: str = "",
        expires_on: date | None = None,
    ) -> None:
        """Post units from one account to another that are nobody's claim."""
        sku, location = place
        source, target = accounts
        movement = Movement(
            sku, location, lot, source, target, units, None, None, None, self.effective_at
        )
        self.post(movement, pool, expires_on)

    def ask(self, claim: Claim, line: str, sku: str, units: int) -> int:
        """Enter units of a line, promised but not sourced; return their piece's number."""
        claim.pieces.append(Piece(line, sku, units, PieceState.ASKED, claim.locations[0]))
        if claim.is_order:
            self._post_for(
                claim, claim.pieces[-1], claim.locations[0], "", Account.ORDERED, Account.PROMISED
            )
        return len(claim.pieces) - 1

    def divide(self, claim: Claim, number: int, units: int) -> int:
        """Split units off a piece, if they are not all of it; return the number of their piece."""
        piece = claim.pieces[number]
        if units == piece.quantity:
            return number
        claim.pieces[number] = piece._replace(quantity=piece.quantity - units)
        claim.pieces.append(piece._replace(quantity=units))
        return len(claim.pieces) - 1

    def move(
        self,
        claim: Claim,
        number: int,
        state: PieceState,
        *,
        location: str | None = None,
        lot: str | None = None,
        allocation: str | None = None,
        reservation: str | None = None,
    ) -> Piece:
        """Bring a piece into another state, with the movements that it takes.

        Args:
            claim: Opened in this draft.
            number: The piece's.
            state: The new one.
            location: Where the units are from now on; None for the same place.
            lot: Of which lot they are from now on; None for the same one.
            allocation: The parcel they are in from now on; None for the same one.
            reservation: Its id; None for the same one.
        """
        old = claim.pieces[number]
        new = claim.pieces[number] = Piece(
            old.line,
            old.sku,
            old.quantity,
            state,
            location or old.location,
            old.lot if lot is None else lot,
            reservation or old.reservation,
            allocation or old.allocation,
            old.offer,
            old.rank,
            old.since,
            old.expected,
            old.cut,
        )
        if claim.is_order:
            goods = GOODS
            source, target = PROMISES[old.state], PROMISES[state]
            if source is not target:
                # What waits at a location is booked out there, wherever it goes.
                where = old.location if source is Account.BACKORDERED else new.location
                self._post_for(claim, new, where, "", source, target)
        else:
            goods = TRANSFER_GOODS
        source, target = goods[old.state], goods[state]
        if source is not target:
            origin = old if source in _KEPT_FROM else new
            self._post_for(claim, new, origin.location, origin.lot, source, target)
        if state is PieceState.BACKORDERED:
            self._waiting.setdefault((claim.pool, new.sku), {})[claim.key] = None
        elif state in _AT_HAND:
            self._kept_for.setdefault((new.sku, new.location), {})[claim.key] = None
        return new

    def priority(self, claim: Claim) -> Priority:
        """Return an order's priority as events carry it."""
        return self.score(claim).told()

    def finish(self, *, until: datetime | None = None) -> Decision:
        """Return the decision: with an OrderAllocated a parcel, a level and alerts a changed place.

        Args:
            until: The time that has come, where it advances.

        Raises:
            Permanent: A level would be more than an event can tell.
        """
        if self._parcels:
            claims = sorted(self._claims.values(), key=lambda claim: claim.key)
            for event, claim in telling.allocated(self, self._parcels, claims):
                self.emit(event, claim=claim)
        changed = {
            key: balance
            for key, balance in self._balances.items()
            if balance != self._books.balances.get(key)
        }
        places: dict[Place, None] = {(key.sku, key.location): None for key in changed}
        places.update(self._told_again)
        for place in places:
            self._tell_level(place)
        return Decision(
            balances=changed,
            claims={
                key: claim for key, claim in self._claims.items() if claim != self._books.claim(key)
            },
            allocations=self._allocations,
            facts=self._facts,
            movements=self._movements,
            emissions=self._emissions,
            until=until,
        )

    def raise_alert(self, alert: Alert) -> None:
        """Raise an alert, unless it stands already."""
        if self.fact(Alert, alert.key) is not None:
            return
        self.put(alert)
        self.emit(_told(StockAlertRaised, alert))
        if alert.kind is AlertKind.OUT_OF_STOCK:
            self.emit(_stockout(StockoutStarted, alert))

    def clear_alert(self, alert: Alert) -> None:
        """Clear an alert, if it stands; its reason says why."""
        if self.fact(Alert, alert.key) is None:
            return
        self.end(Alert, alert.key)
        self.emit(_told(StockAlertCleared, alert))
        if alert.kind is AlertKind.OUT_OF_STOCK:
            self.emit(_stockout(StockoutEnded, alert))

    def _tell_level(self, place: Place) -> None:
        lots, shelf = self.lots(*place), self.fact(Shelf, place)
        if not lots:
            return  # a policy for what was never there
        whole = total(lots)
        level = telling.level_of(StockLevelChanged, whole, shelf)
        self.emit(level)
        for alert in alerts.of_level(self, level, shelf, whole.issued_at):
            if self.fact(Alert, alert.key) is None:
                self.raise_alert(alert)
            else:
                self.clear_alert(alert)
        for lot in lots:
            if lot.expires_on is not None and lot.on_hand == 0:
                gone = f"none left of lot {lot.lot}"
                self.clear_alert(alerts.expiring(lot, gone, self.now))

    def _post_for(
        self,
        claim: Claim,
        piece: Piece,
        location: str,
        lot: str,
        source: Account,
        target: Account,
    ) -> None:
        movement = Movement(
            piece.sku,
            location,
            lot,
            source,
            target,
            piece.quantity,
            claim.order,
            claim.offer,
            piece.line,
            self.effective_at if piece.state in _IN_THE_WORLD else self.now,
        )
        self.post(movement, claim.pool)


def _told(kind: type[StockAlertT], alert: Alert) -> StockAlertT:
    return kind(
        sku=alert.sku,
        location=alert.location,
        pool=alert.pool,
        kind=alert.kind,
        lot=alert.lot or None,
        reason=alert.reason,
        at=alert.raised_at,
    )


def _stockout(kind: type[StockoutT], alert: Alert) -> StockoutT:
    return kind(sku=alert.sku, location=alert.location, pool=alert.pool, at=alert.raised_at)


def pieces_in(claim: Claim, *states: PieceState) -> Iterator[tuple[int, Piece]]:
    """Yield the numbered pieces that are in one of the states, as they are when this is called."""
    return iter([(n, piece) for n, piece in enumerate(claim.pieces) if piece.state in states])
