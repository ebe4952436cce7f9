"""A bystander's plain dictionaries of what is on the shelves, and what is on the road."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import (
    AdjustedLine,
    Condition,
    CountLine,
    GoodsReceived,
    OrderReturned,
    ShipmentDispatched,
    StockAdjusted,
    StockCounted,
    TimeAdvanced,
    TransferDeparted,
    TransferReceived,
    TransferShipped,
)
from restock_common.contracts.stock import StockReleased, StockShipped
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.model import Account, Balance, Serial

Spot = tuple[int, str, str]
"""Shard, sku and location."""

SELLABLE = Condition.SELLABLE


class Goods:
    """Units by shard, sku, location, lot and condition, by what has happened in the world."""

    def __init__(self) -> None:
        self.units: Counter[tuple[Spot, str, Condition]] = Counter()
        self.moved: dict[Spot, list[tuple[datetime, str, Condition, int]]] = {}
        self.expires: dict[tuple[Spot, str], date | None] = {}
        self.recalled: Counter[tuple[str, str]] = Counter()
        self.serials: dict[tuple[int, str, str], str | None] = {}
        self.road: Counter[tuple[str, str, str]] = Counter()
        self.early: Counter[tuple[str, str, str]] = Counter()
        self.coming: Counter[tuple[tuple[str, str, str], Spot, str]] = Counter()
        self.lost: Counter[tuple[tuple[str, str, str], Spot, str]] = Counter()
        self.complete: set[tuple[str, str, str]] = set()

    def take(
        self,
        shard: int,
        message: Message[Any],
        decision: Decision,
        books: Books,  # noqa: ARG002
    ) -> None:
        """Note what a message has brought about in the world."""
        for one in decision.emissions:
            if isinstance(one.event, StockReleased):
                self.recalled[one.event.allocation, one.event.line] += one.event.quantity
        take = _TAKE.get(type(message.event))
        if take is not None:
            take(self, shard, message.event, decision)

    def put(self, spot: Spot, lot: str, condition: Condition, units: int, when: datetime) -> None:
        """Put units on a shelf, or take them from it."""
        self.expires.setdefault((spot, lot), None)
        self.units[spot, lot, condition] += units
        self.moved.setdefault(spot, []).append((when, lot, condition, units))
        left = self.units[spot, lot, condition]
        assert left >= 0, f"I4: {left} {condition} units of lot {lot!r} at {spot}"

    def lots(self, spot: Spot) -> list[str]:
        """Return the lots that were ever there, first expired first."""
        found = [(expires, lot) for (at, lot), expires in self.expires.items() if at == spot]
        return [
            lot for _, lot in sorted(found, key=lambda one: (one[0] is None, str(one[0]), one[1]))
        ]

    def receive(self, shard: int, event: GoodsReceived, _: Decision) -> None:
        for line in event.lines:
            spot = (shard, line.sku, event.location)
            if self.expires.get((spot, line.lot or "")) is None:
                self.expires[spot, line.lot or ""] = line.expires_on
            self.put(spot, line.lot or "", line.condition, line.quantity, event.received_at)
            self._tell_apart(shard, line.sku, line.serials, event.location)

    def _tell_apart(
        self, shard: int, sku: str, serials: Iterable[str], location: str | None
    ) -> None:
        """Note where units are that are told apart; None for those that have left."""
        for serial in serials:
            key = (shard, sku, serial)
            assert self.serials.get(key) != location, f"I4: {key} is at {location} already"
            self.serials[key] = location

    def take_back(self, shard: int, event: OrderReturned, _: Decision) -> None:
        for line in event.lines:
            spot = (shard, line.sku, event.location)
            self.put(spot, line.lot or "", line.condition, line.quantity, event.returned_at)
            self._tell_apart(shard, line.sku, line.serials, event.location)

    def count(self, shard: int, event: StockCounted, _: Decision) -> None:
        for line in event.lines:
            self._count_line((shard, line.sku, event.location), line, event.counted_at)

    def _count_line(self, spot: Spot, line: CountLine, when: datetime) -> None:
        lots = [lot for lot in self.lots(spot) if line.lot in {None, lot}]
        now = sum(self.units[spot, lot, line.condition] for lot in lots)
        since = sum(
            units
            for at, lot, condition, units in self.moved.get(spot, ())
            if at > when and lot in lots and condition is line.condition
        )
        difference = line.quantity - (now - since)
        if difference > 0:
            self.put(spot, line.lot or "", line.condition, difference, when)
        else:
            self._take_from(spot, lots, line.condition, min(-difference, now), when)

    def _take_from(
        self, spot: Spot, lots: Iterable[str], condition: Condition, units: int, when: datetime
    ) -> list[tuple[str, int]]:
        taken = []
        for lot in lots:
            some = min(units, self.units[spot, lot, condition])
            if some > 0:
                self.put(spot, lot, condition, -some, when)
                taken.append((lot, some))
                units -= some
        assert units == 0, f"I4: {units} {condition} units too many were taken at {spot}"
        return taken

    def adjust(self, shard: int, event: StockAdjusted, _: Decision) -> None:
        for line in event.lines:
            self._adjust_line((shard, line.sku, event.location), line, event.adjusted_at)

    def _adjust_line(self, spot: Spot, line: AdjustedLine, when: datetime) -> None:
        if not isinstance(line.source, Condition):
            assert isinstance(line.target, Condition)
            self.put(spot, line.lot or "", line.target, line.quantity, when)
            return
        lots = [lot for lot in self.lots(spot) if line.lot in {None, lot}]
        for lot, units in self._take_from(spot, lots, line.source, line.quantity, when):
            if isinstance(line.target, Condition):
                self.put(spot, lot, line.target, units, when)

    def ship(self, shard: int, event: ShipmentDispatched, decision: Decision) -> None:
        """What has left was on the shelf, unless a count had missed it."""
        for line in event.lines:
            self._tell_apart(shard, line.sku, line.serials, None)
        found: Counter[tuple[str, str, str]] = Counter()
        for one in decision.movements:
            if one.source is Account.ADJUSTMENT:
                assert one.line is not None
                found[one.line, one.sku, one.lot] += one.units
                self.recalled[event.allocation, one.line] -= one.units
                left = self.recalled[event.allocation, one.line]
                assert left >= 0, f"I4: {one} was found, but not missed"
        gone: Counter[tuple[str, str, str]] = Counter()
        for emission in decision.emissions:
            if isinstance(emission.event, StockShipped):
                shipped = emission.event
                gone[shipped.line, shipped.sku, shipped.lot or ""] += shipped.quantity
        for key, units in gone.items():
            _, sku, lot = key
            at_hand = units - found[key]
            if at_hand:
                self.put((shard, sku, event.location), lot, SELLABLE, -at_hand, event.dispatched_at)

    def ship_transfer(self, shard: int, event: TransferShipped, decision: Decision) -> None:
        (departed,) = [
            one.event for one in decision.emissions if isinstance(one.event, TransferDeparted)
        ]
        left: Counter[tuple[str, str]] = Counter()
        for line in departed.lines:
            left[line.line, line.sku] += line.quantity
            spot = (shard, line.sku, departed.source.location)
            self.put(spot, line.lot or "", SELLABLE, -line.quantity, event.shipped_at)
            self.road[event.transfer, line.line, line.sku] += line.quantity
        told = {(line.line, line.sku): line.quantity for line in event.lines}
        assert not told or told == left, f"I4: {left} left, not {told}"

    def depart(self, shard: int, event: TransferDeparted, _: Decision) -> None:
        for line in event.lines:
            name = (event.transfer, line.line, line.sku)
            spot = (shard, line.sku, event.target.location)
            here = min(line.quantity, self.early[name])
            self.early[name] -= here
            self.road[name] -= line.quantity - here
            if line.quantity > here:
                if self.expires.get((spot, line.lot or "")) is None:
                    self.expires[spot, line.lot or ""] = line.expires_on
                where = self.lost if here and name in self.complete else self.coming
                where[name, spot, line.lot or ""] += line.quantity - here

    def unload(self, shard: int, event: TransferReceived, _: Decision) -> None:
        for line in event.lines:
            name, left = (event.transfer, line.line, line.sku), line.quantity
            for where in (self.coming, self.lost):
                for key in sorted(key for key in where if key[0] == name):
                    some = min(left, where[key])
                    if some > 0:
                        left -= some
                        where[key] -= some
                        self.put(key[1], key[2], SELLABLE, some, event.received_at)
            if left > 0:
                spot = (shard, line.sku, event.location)
                self.put(spot, "", SELLABLE, left, event.received_at)
                self.early[name] += left
                self.road[name] -= left
        if event.complete:
            self.complete |= {name for name in +self.early if name[0] == event.transfer}
            for key in [key for key in self.coming if key[0][0] == event.transfer]:
                self.lost[key] += self.coming.pop(key)

    def advance(self, shard: int, event: TimeAdvanced, decision: Decision) -> None:
        for one in decision.movements:
            if (one.source, one.target) == (Account.FREE, Account.QUALITY_HOLD):
                spot = (shard, one.sku, one.location)
                last = self.expires[spot, one.lot]
                expired = last is not None and last < event.until.date()
                assert expired, f"I4: {one} although its last day is {last}"
                self.put(spot, one.lot, SELLABLE, -one.units, event.until)
                self.put(spot, one.lot, Condition.QUALITY_HOLD, one.units, event.until)

    def check(self, shard: int, books: Books) -> None:
        """Assert that the books have on the shelves what is there (I4)."""
        facts = books.facts.get(Serial, {}).values()
        serials = {
            (shard, one.sku, one.serial): None if one.allocation else one.location
            for one in facts
            if isinstance(one, Serial)
        }
        known = {key: at for key, at in self.serials.items() if key[0] == shard}
        assert serials == known, f"I4: {serials} should be {known}"
        for balance in books.balances.values():
            self._check_balance((shard, balance.sku, balance.location), balance)
        balances = {(shard, *key) for key in books.balances}
        for (spot, lot, _), units in self.units.items():
            assert not units or spot[0] != shard or (*spot, lot) in balances, f"I4: {spot} {lot}"

    def _check_balance(self, spot: Spot, balance: Balance) -> None:
        lot = balance.lot
        there = (
            self.units[spot, lot, SELLABLE],
            self.units[spot, lot, Condition.DAMAGED],
            self.units[spot, lot, Condition.QUALITY_HOLD],
            sum(units for (_, at, of), units in self.coming.items() if (at, of) == (spot, lot)),
        )
        told = (
            balance.free + balance.reserved + balance.held,
            balance.damaged,
            balance.quality_hold,
            balance.in_transit,
        )
        assert told == there, f"I4: {balance} should have {there}"
        last = self.expires.get((spot, lot))
        assert balance.expires_on == last, f"I4: {balance} expires on {last}"


_TAKE: dict[type[Any], Callable[..., None]] = {
    GoodsReceived: Goods.receive,
    OrderReturned: Goods.take_back,
    StockCounted: Goods.count,
    StockAdjusted: Goods.adjust,
    ShipmentDispatched: Goods.ship,
    TransferShipped: Goods.ship_transfer,
    TransferDeparted: Goods.depart,
    TransferReceived: Goods.unload,
    TimeAdvanced: Goods.advance,
}
