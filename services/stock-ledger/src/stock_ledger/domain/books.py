"""The working set of one batch, and what a decision changes in it."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from restock_common.contracts import Event
from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.envelope import Message
from restock_common.contracts.stock import StockBackordered, StockReserved, StockShipped
from restock_common.transact import Emission
from stock_ledger.domain.model import (
    Account,
    Allocation,
    AllocationState,
    Balance,
    BalanceKey,
    Claim,
    ClaimKey,
    ClaimState,
    Entry,
    Fact,
    KnownLocation,
    KnownSku,
    Movement,
    Piece,
    PieceState,
)
from stock_ledger.domain.rules import Rules

FactT = TypeVar("FactT", bound=Fact)
Facts = dict[type[Fact], dict[Hashable, Fact | None]]
"""Facts by kind and key; None where one has ended."""

Place = tuple[str, str]
"""A sku and a location."""

_OF_UNITS = (StockReserved, DemandObserved, StockShipped, StockBackordered)
"""The most frequent one first."""

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""Before anything was recorded."""

_WAITS_AT_HAND = frozenset({PieceState.RESERVED, PieceState.HELD})


@dataclass(frozen=True, slots=True)
class Clock:
    """Time by the log.

    Attributes:
        recorded_at: The latest time of any message: what is recorded is recorded at it.
        until: The last advance of time.
    """

    recorded_at: datetime = BEGINNING
    until: datetime = BEGINNING


@dataclass(frozen=True, slots=True)
class Decision:
    """What one message changes and what it makes known; nothing is changed until it is applied.

    Attributes:
        balances: As they are afterwards.
        claims: As they are afterwards.
        allocations: By id, as they are afterwards.
        facts: As they are afterwards.
        movements: In order.
        emissions: In order.
        until: The time that has come, where it advances.
        duplicate: The message had been decided before: nothing changes.
    """

    balances: dict[BalanceKey, Balance] = field(default_factory=dict)
    claims: dict[ClaimKey, Claim] = field(default_factory=dict)
    allocations: dict[str, Allocation] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    emissions: list[Emission] = field(default_factory=list)
    until: datetime | None = None
    duplicate: bool = False


class Unread(Exception):
    """A decision asks for what was left out when the books were loaded."""


@dataclass(slots=True)
class Books:
    """One shard's books, as far as the messages of a batch need them.

    Decisions read them; only `apply` changes them, and notes what has to be saved.

    Attributes:
        shard: Whose books.
        rules: What the seller has chosen.
        clock: Time by the log.
        balances: By sku, location and lot.
        lots: The lots of a sku at a location: those that expire first first.
        stocked_at: The locations that hold or await a sku, by (pool, sku), in order of their names.
        orders: The claims of an order, by offer.
        allocations: By id.
        facts: Everything else, by kind and key.
        skus_listed: Whether the shard was ever told which skus there are.
        locations_listed: Whether it was ever told which locations there are.
        later: Movements that the journal has after a count's time, summed: by (place, time), for
            each (lot, source, target).
        pending: Offers to be answered when time advances.
        refused: Claims that have, or had, pieces to be ended when time advances.
        withdrawn: Allocations to be released when time advances.
        held: Holds that have not ended.
        waiting: Claims that have, or had, backordered pieces, by (pool, sku).
        kept_for: Claims that have, or had, reserved or held pieces, by (sku, location).
        unread: Places of which the claims that units are kept for have not been loaded: there can
            be tens of thousands, which give way only where units turn out to be missing.
        stored: Claims and allocations that the database has.
        changed_balances: Changed in this batch, as are those that follow.
        changed_claims: By key.
        changed_allocations: By id.
        changed_facts: By kind and key.
        journal: What has moved in this batch.
        emitted: How many events of each type were decided in this batch.
        units: How many units those of some types are about.
        repeated: How many messages of each type had been decided before.
    """

    shard: int
    rules: Rules = field(default_factory=Rules)
    clock: Clock = field(default_factory=Clock)
    balances: dict[BalanceKey, Balance] = field(default_factory=dict)
    lots: dict[Place, list[BalanceKey]] = field(default_factory=dict)
    stocked_at: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    orders: dict[str, dict[str, Claim]] = field(default_factory=dict)
    allocations: dict[str, Allocation] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)
    skus_listed: bool = False
    locations_listed: bool = False
    later: dict[tuple[Place, datetime], dict[tuple[str, Account, Account], int]] = field(
        default_factory=dict
    )
    pending: dict[ClaimKey, None] = field(default_factory=dict)
    refused: dict[ClaimKey, None] = field(default_factory=dict)
    withdrawn: dict[str, None] = field(default_factory=dict)
    held: dict[ClaimKey, None] = field(default_factory=dict)
    waiting: dict[tuple[str, str], dict[ClaimKey, None]] = field(default_factory=dict)
    kept_for: dict[Place, dict[ClaimKey, None]] = field(default_factory=dict)
    unread: set[Place] = field(default_factory=set)
    stored: set[ClaimKey | str] = field(default_factory=set)
    changed_balances: dict[BalanceKey, Balance] = field(default_factory=dict)
    changed_claims: dict[ClaimKey, Claim] = field(default_factory=dict)
    changed_allocations: dict[str, Allocation] = field(default_factory=dict)
    changed_facts: Facts = field(default_factory=dict)
    journal: list[Entry] = field(default_factory=list)
    emitted: Counter[type[Event]] = field(default_factory=Counter, compare=False)
    units: Counter[type[Event]] = field(default_factory=Counter, compare=False)
    repeated: Counter[type[Event]] = field(default_factory=Counter, compare=False)
    _by_place: dict[Place, list[Movement]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _indexed: int = field(default=0, init=False, repr=False, compare=False)

    def store(
        self,
        balances: Iterable[Balance] = (),
        claims: Iterable[Claim] = (),
        allocations: Iterable[Allocation] = (),
        facts: Iterable[Fact] = (),
    ) -> None:
        """Take in what the database has."""
        for balance in balances:
            self._put_balance(balance)
        for claim in claims:
            self._put_claim(claim)
            self.stored.add(claim.key)
        for allocation in allocations:
            self._put_allocation(allocation)
            self.stored.add(allocation.allocation)
        for fact in facts:
            self.facts.setdefault(type(fact), {})[fact.key] = fact

    def claim(self, key: ClaimKey) -> Claim | None:
        """Return a claim, or None where it is not known."""
        return self.orders.get(key.order, {}).get(key.offer)

    def fact(self, kind: type[FactT], key: Hashable) -> FactT | None:
        """Return a fact, or None where there is none."""
        return self.facts.get(kind, {}).get(key)  # type: ignore[return-value]

    def moved_since(
        self, place: Place, moment: datetime, lot: str | None, accounts: Collection[Account]
    ) -> int:
        """Return by how many units a place's accounts have grown in all since a time.

        Args:
            place: A sku and a location, of which a count was loaded with.
            moment: Exclusive.
            lot: One lot, or None for all.
            accounts: Which accounts together.
        """
        stored = self.later.get((place, moment), {}).items()
        fresh = [
            ((one.lot, one.source, one.target), one.units)
            for one in self._moved_at(place)
            if one.effective_at > moment
        ]
        return sum(
            units * ((target in accounts) - (source in accounts))
            for (of, source, target), units in [*stored, *fresh]
            if lot is None or of == lot
        )

    def _moved_at(self, place: Place) -> Sequence[Movement]:
        """Return what has moved in this batch at a place.

        Indexed only where somebody asks, and only what has come since then: orders never ask, a
        count asks for each of its lines.
        """
        for _, _, one in self.journal[self._indexed :]:
            self._by_place.setdefault((one.sku, one.location), []).append(one)
        self._indexed = len(self.journal)
        return self._by_place.get(place, ())

    def apply(self, message: Message[Event], decision: Decision) -> None:
        """Take a decision's changes in, with the message that caused them."""
        self.emitted.update([type(one.event) for one in decision.emissions])
        for one in decision.emissions:
            if isinstance(one.event, _OF_UNITS):
                self.units[type(one.event)] += one.event.quantity
        if decision.duplicate:
            self.repeated[type(message.event)] += 1
            return
        recorded_at = max(self.clock.recorded_at, message.time)
        self.clock = Clock(recorded_at, decision.until or self.clock.until)
        for balance in decision.balances.values():
            self._put_balance(balance)
        for claim in decision.claims.values():
            self._put_claim(claim)
        for allocation in decision.allocations.values():
            self._put_allocation(allocation)
        for kind, facts in decision.facts.items():
            self.facts.setdefault(kind, {}).update(facts)
            self.changed_facts.setdefault(kind, {}).update(facts)
            self.skus_listed |= kind is KnownSku
            self.locations_listed |= kind is KnownLocation
        self.changed_balances.update(decision.balances)
        self.changed_claims.update(decision.claims)
        self.changed_allocations.update(decision.allocations)
        self.journal.extend([Entry(message.id, recorded_at, one) for one in decision.movements])

    def _put_balance(self, balance: Balance) -> None:
        key = balance.key
        if key not in self.balances:
            lots = self.lots.setdefault((balance.sku, balance.location), [])
            lots.append(key)
            if len(lots) == 1:
                locations = self.stocked_at.setdefault((balance.pool, balance.sku), [])
                locations.append(balance.location)
                locations.sort()
        self.balances[key] = balance
        lots = self.lots[balance.sku, balance.location]
        if len(lots) > 1:
            lots.sort(key=lambda one: first_expired(self.balances[one]))

    def _put_allocation(self, allocation: Allocation) -> None:
        self.allocations[allocation.allocation] = allocation
        if allocation.state is AllocationState.WITHDRAWN:
            self.withdrawn[allocation.allocation] = None
        elif self.withdrawn:
            self.withdrawn.pop(allocation.allocation, None)

    def _put_claim(self, claim: Claim) -> None:
        key = claim.key
        self.orders.setdefault(claim.order, {})[claim.offer] = claim
        if claim.state is ClaimState.PENDING:
            self.pending[key] = None
        elif self.pending:
            self.pending.pop(key, None)
        if claim.state is ClaimState.HELD:
            self.held[key] = None
        elif self.held:
            self.held.pop(key, None)
        for piece in claim.pieces:
            self._index(key, claim.pool, piece)

    def _index(self, key: ClaimKey, pool: str, piece: Piece) -> None:
        state = piece.state
        if state in _WAITS_AT_HAND:
            self.kept_for.setdefault((piece.sku, piece.location), {})[key] = None
        elif state is PieceState.BACKORDERED:
            self.waiting.setdefault((pool, piece.sku), {})[key] = None
        elif state is PieceState.REFUSED:
            self.refused[key] = None


def first_expired(balance: Balance) -> tuple[bool, str, str]:
    """Return what lots are sorted by: first expired first out, those that never do last."""
    return balance.expires_on is None, str(balance.expires_on), balance.lot
