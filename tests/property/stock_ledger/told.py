"""What readers make of what they are told: levels, alerts, stockouts, reservations, holds."""

from collections import Counter
from datetime import timedelta
from typing import Any

from tests.property.stock_ledger.entries import claims_of

from restock_common.contracts import Event
from restock_common.contracts.demand import StockoutEnded, StockoutStarted
from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import CartHeld, StockPolicySet, TimeAdvanced
from restock_common.contracts.stock import (
    AlertKind,
    HoldEnd,
    HoldEnded,
    StockAlertCleared,
    StockAlertRaised,
    StockHeld,
    StockLevelChanged,
    StockReleased,
    StockReserved,
    StockShipped,
)
from stock_ledger.domain.books import Books, Decision, Place
from stock_ledger.domain.model import HOLD, Alert, Claim, ClaimState, PieceState, total
from stock_ledger.domain.rules import Rules

AlertKey = tuple[int, str, str, str | None, AlertKind]
LEVEL_FIELDS = (
    "on_hand",
    "reserved",
    "backordered",
    "held",
    "damaged",
    "quality_hold",
    "in_transit",
)


class Told:
    """What the stock and demand topics say, remembered as their readers do."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.levels: dict[tuple[int, str, str], StockLevelChanged] = {}
        self.policies: dict[tuple[int, str, str], StockPolicySet] = {}
        self.alerts: dict[AlertKey, StockAlertRaised] = {}
        self.stockouts: set[tuple[int, str, str]] = set()
        self.reserved: Counter[tuple[int, str]] = Counter()
        self.released: Counter[tuple[int, str]] = Counter()
        self.held: Counter[tuple[int, str, str, str]] = Counter()

    def take(self, shard: int, message: Message[Any], decision: Decision) -> None:
        """Note what a decision has told."""
        if isinstance(message.event, StockPolicySet):
            policy = message.event
            self.policies[shard, policy.sku, policy.location] = policy
        for emission in decision.emissions:
            self._note(shard, emission.event)
        if isinstance(message.event, CartHeld):
            self._check_hold(shard, message.event)

    def _note(self, shard: int, event: Event) -> None:
        match event:
            case StockLevelChanged():
                self.levels[shard, event.sku, event.location] = event
            case StockAlertRaised():
                key = (shard, event.sku, event.location, event.lot, event.kind)
                assert key not in self.alerts, f"I18: {event} was raised before"
                self.alerts[key] = event
            case StockAlertCleared():
                key = (shard, event.sku, event.location, event.lot, event.kind)
                assert self.alerts.pop(key, None), f"I18: {event} was not raised"
            case StockoutStarted():
                place = (shard, event.sku, event.location)
                assert place not in self.stockouts, f"I18: {event} had started"
                self.stockouts.add(place)
            case StockoutEnded():
                place = (shard, event.sku, event.location)
                assert place in self.stockouts, f"I18: {event} had not started"
                self.stockouts.remove(place)
            case _:
                self._note_units(shard, event)

    def _note_units(self, shard: int, event: Event) -> None:
        match event:
            case StockReserved():
                assert (shard, event.reservation) not in self.reserved, f"I19: {event}"
                self.reserved[shard, event.reservation] += event.quantity
            case StockReleased():
                self.reserved[shard, event.reservation] -= event.quantity
                self.released[shard, event.reservation] += event.quantity
            case StockShipped():
                key = (shard, event.reservation)
                # What a count had missed was told to be released, and has left all the same.
                open_units = min(event.quantity, self.reserved[key])
                self.reserved[key] -= open_units
                self.released[key] -= event.quantity - open_units
                assert self.released[key] >= 0, f"I19: {event} was never reserved"
            case StockHeld():
                self.held[shard, event.hold, event.sku, event.location] += event.quantity
            case HoldEnded():
                self.held[shard, event.hold, event.sku, event.location] -= event.quantity

    def _check_hold(self, shard: int, event: CartHeld) -> None:
        """A line is held whole or not at all (I15)."""
        for line in event.lines:
            held = sum(
                units
                for (at, hold, sku, _), units in self.held.items()
                if (at, hold, sku) == (shard, event.hold, line.sku)
            )
            assert held in {0, line.quantity}, f"I15: {held} of {line} are held"

    def check(self, shard: int, books: Books) -> None:
        """Assert that what was told is what the books say."""
        for sku, location in books.lots:
            self._check_level(shard, books, (sku, location))
        self._check_claims(shard, books)
        open_alerts = {
            (shard, sku, location, lot or None, kind)
            for (sku, location, lot, kind), one in _alerts(books).items()
            if one is not None
        }
        told = {key for key in self.alerts if key[0] == shard}
        assert told == open_alerts, f"I18: {told ^ open_alerts} differ"

    def _check_level(self, shard: int, books: Books, place: Place) -> None:
        lots = [books.balances[key] for key in books.lots[place]]
        whole = total(lots)
        level = self.levels[(shard, *place)]
        for name in LEVEL_FIELDS:
            assert getattr(level, name) == getattr(whole, name), f"I17: {name} of {level}: {lots}"
        policy = self.policies.get((shard, *place))
        buffer = policy.safety_buffer if policy is not None else 0
        assert level.safety_buffer == buffer, f"I17: {level}, not {buffer}"
        available = whole.free - buffer
        self._check_alert(shard, place, AlertKind.OUT_OF_STOCK, wrong=available <= 0)
        assert ((shard, *place) in self.stockouts) == (available <= 0), f"I18: {level}"
        limit = policy.overstock_above if policy is not None else None
        over = limit is not None and whole.on_hand > limit
        self._check_alert(shard, place, AlertKind.OVERSTOCK, wrong=over)
        below = policy is not None and whole.free < policy.safety_stock
        self._check_alert(shard, place, AlertKind.BELOW_SAFETY, wrong=below)
        if (shard, *place, None, AlertKind.SLOW_MOVING) in self.alerts:
            assert whole.on_hand > 0, f"I18: {level} is slow"
        for lot in lots:
            if (shard, *place, lot.lot, AlertKind.EXPIRING) in self.alerts:
                assert lot.on_hand > 0, f"I18: {lot} is said to expire"

    def _check_alert(self, shard: int, place: Place, kind: AlertKind, *, wrong: bool) -> None:
        stands = (shard, *place, None, kind) in self.alerts
        assert stands == wrong, f"I18: {kind} of {place} stands: {stands}"

    def _check_claims(self, shard: int, books: Books) -> None:
        reserved: Counter[tuple[int, str]] = Counter()
        held: Counter[tuple[int, str, str, str]] = Counter()
        for claim in claims_of(books):
            for piece in claim.pieces:
                if piece.state is PieceState.RESERVED and claim.is_order:
                    assert piece.reservation is not None
                    reserved[shard, piece.reservation] += piece.quantity
                elif piece.state is PieceState.HELD:
                    held[shard, claim.order, piece.sku, piece.location] += piece.quantity
            if claim.offer == HOLD:
                _check_hold_state(claim)
        told = {key: n for key, n in self.reserved.items() if key[0] == shard and n}
        assert told == reserved, f"I19: told {told}, reserved {reserved}"
        told_held = {key: n for key, n in self.held.items() if key[0] == shard and n}
        assert told_held == held, f"I15: told {told_held}, held {held}"

    def check_time(self, books: Books, message: Message[TimeAdvanced]) -> None:
        """Assert what must hold once time has advanced."""
        now = message.event.until
        soon = now.date() + timedelta(days=self._rules.expiring_days)
        for claim in claims_of(books):
            if claim.state is ClaimState.HELD:
                assert isinstance(claim.placed, CartHeld)
                assert claim.placed.expires_at > now, f"I15: {claim} has outlived its time"
        for lot in books.balances.values():
            if lot.expires_on is None:
                continue
            assert lot.free == 0 or lot.expires_on >= now.date(), f"I7: {lot} has expired"
            if lot.on_hand > 0 and lot.expires_on <= soon:
                key = (books.shard, lot.sku, lot.location, lot.lot, AlertKind.EXPIRING)
                assert key in self.alerts, f"I18: {lot} expires, unheard"


def _alerts(books: Books) -> dict[Any, Any]:
    return books.facts.get(Alert, {})


def _check_hold_state(claim: Claim) -> None:
    open_units = any(piece.state is PieceState.HELD for piece in claim.pieces)
    assert open_units == (claim.state is ClaimState.HELD), f"I15: {claim}"


def ended(decision: Decision) -> Counter[tuple[str, HoldEnd]]:
    """Return the held units that a decision has ended, by sku and reason."""
    units: Counter[tuple[str, HoldEnd]] = Counter()
    for one in decision.emissions:
        if isinstance(one.event, HoldEnded):
            units[one.event.sku, one.event.reason] += one.event.quantity
    return units
