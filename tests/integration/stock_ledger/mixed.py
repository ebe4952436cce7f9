"""A random history of everything that a ledger is told, good and bad, over two shards."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.integration.stock_ledger.harness import Ledger
from tests.support import EPOCH, message, publish, publish_raw, read_messages

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message
from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.ledger import (
    AdjustedLine,
    AllocationWithdrawn,
    CandidateLocation,
    CartHeld,
    CartReleased,
    Component,
    Condition,
    CountLine,
    GoodsReceived,
    HoldLine,
    OrderAmended,
    OrderCancelled,
    OrderLine,
    OrderPlaced,
    OrderReturned,
    Place,
    ReceiptExpected,
    ReceiptLine,
    ReturnedLine,
    ShipmentDispatched,
    Sourcing,
    StockAdjusted,
    StockCounted,
    StockPolicySet,
    TimeAdvanced,
    TransferEnd,
    TransferLine,
    TransferOrdered,
    TransferReceived,
    TransferShipped,
)
from restock_common.contracts.topics import FULFILMENT, LEDGER, SHARDS
from restock_common.transact import Outgoing

SKUS = ("tea", "cup", "pot")
PLACES = {0: ("north", ("n1", "n2")), 1: ("south", ("s1",))}
ROUNDS = 6
EVENTS_A_ROUND = 14
MINUTES_A_ROUND = 30


class Mixed:
    """Tells a ledger a history that follows from a seed, and answers for the warehouses.

    One after another can be told to the same ledger, with rising seeds: each begins on its own day.
    """

    def __init__(self, ledger: Ledger, seed: int) -> None:
        self._ledger = ledger
        self._random = Random(seed)
        self._seed = seed
        self._now = EPOCH + timedelta(days=seed)
        self._number = 0
        self._orders: dict[int, list[OrderPlaced]] = {shard: [] for shard in PLACES}
        self._holds: dict[int, list[str]] = {shard: [] for shard in PLACES}
        self._shipped: dict[int, list[OrderAllocated]] = {shard: [] for shard in PLACES}
        self._transfers: list[str] = []
        self._answered: set[str] = set()

    async def tell(self) -> None:
        """Send all of it, some junk too, and wait until it is taken and published."""
        for number in range(ROUNDS):
            for shard in PLACES:
                events = [*self._stocked(shard)] if number == 0 else []
                events += [*self._some(shard), *await self._warehouse(shard)]
                await self._send(shard, events)
            await publish_raw(self._ledger.kafka, [_junk(number)])
            await self._ledger.quiet()
            self._now += timedelta(minutes=MINUTES_A_ROUND)
            for shard in range(SHARDS):
                await self._send(shard, [TimeAdvanced(until=self._now)])
            await self._ledger.quiet()

    async def _send(self, shard: int, events: list[Event]) -> None:
        messages: list[Event | Message[Any]] = [
            message(event, time=self._now, message_id=self._name("mixed")) for event in events
        ]
        if self._random.random() < 0.5:
            messages += messages[-2:]  # delivered twice
        await publish(self._ledger.kafka, messages, partition=shard)

    def _some(self, shard: int) -> Iterator[Event]:
        kinds: list[Callable[[int], Event | None]] = [
            *[self._order] * 5,
            *[self._hold] * 2,
            self._release,
            self._amend,
            self._cancel,
            self._receive,
            self._count,
            self._adjust,
            self._policy,
            self._expect,
            self._transfer,
            self._ship_transfer,
            self._receive_transfer,
            self._return,
        ]
        for _ in range(EVENTS_A_ROUND):
            event = self._random.choice(kinds)(shard)
            if event is not None:
                yield event

    def _stocked(self, shard: int) -> Iterator[Event]:
        pool, locations = PLACES[shard]
        for location in locations:
            yield StockCounted(
                count=self._name("count"),
                location=location,
                pool=pool,
                counted_at=self._now,
                lines=tuple(CountLine(sku=sku, quantity=20 + self._units(20)) for sku in SKUS),
            )

    async def _warehouse(self, shard: int) -> list[Event]:
        """Answer for parcels: most leave, some are given back where that is asked."""
        answers: list[Event] = []
        asked = [
            told.event
            for told in await read_messages(self._ledger.kafka, FULFILMENT)
            if isinstance(told.event, OrderAllocated | AllocationCancelRequested)
        ]
        for event in sorted(asked, key=lambda event: event.allocation):
            if event.shard != shard or event.allocation in self._answered:
                continue
            if isinstance(event, AllocationCancelRequested) or self._random.random() < 0.1:
                self._answered.add(event.allocation)
                answers.append(
                    AllocationWithdrawn(
                        allocation=event.allocation,
                        order=event.order,
                        location=event.location,
                        withdrawn_at=self._now,
                    )
                )
            elif self._random.random() < 0.5:
                self._answered.add(event.allocation)
                self._shipped[shard].append(event)
                answers.append(
                    ShipmentDispatched(
                        allocation=event.allocation,
                        order=event.order,
                        location=event.location,
                        route=self._name("route"),
                        dispatched_at=self._now,
                    )
                )
        return answers

    def _order(self, shard: int) -> Event:
        lines = [
            OrderLine(line=str(n), sku=self._sku(), quantity=self._units(4), preorder=n == 3)
            for n in range(self._units(3))
        ]
        if self._random.random() < 0.2:
            parts = (Component(sku="tea", quantity=2), Component(sku="cup", quantity=1))
            lines.append(OrderLine(line="kit", sku="set", quantity=1, components=parts))
        holds = self._holds[shard]
        order = OrderPlaced(
            order=self._name("order"),
            customer="customer",
            placed_at=self._now,
            destination=Place(latitude=1, longitude=2),
            lines=tuple(lines),
            sourcing=(_sourcing(shard), _sourcing(1 - shard)),
            hold=holds.pop() if holds and self._random.random() < 0.5 else None,
            ship_complete=self._random.random() < 0.2,
            channel=self._random.choice([None, "market"]),
            value=float(self._units(100)),
        )
        self._orders[shard].append(order)
        return order

    def _amend(self, shard: int) -> Event | None:
        order = self._any(self._orders[shard])
        if order is None:
            return None
        lines = [one.model_copy(update={"quantity": self._units(5)}) for one in order.lines]
        return OrderAmended(
            order=order.order, revision=self._units(5), amended_at=self._now, lines=tuple(lines[:2])
        )

    def _cancel(self, shard: int) -> Event | None:
        order = self._any(self._orders[shard])
        return order and OrderCancelled(order=order.order, cancelled_at=self._now)

    def _return(self, shard: int) -> Event | None:
        parcel = self._any(self._shipped[shard])
        if parcel is None:
            return None
        line = parcel.lines[0]
        return OrderReturned(
            returned=self._name("return"),
            order=parcel.order,
            location=parcel.location,
            pool=PLACES[shard][0],
            returned_at=self._now,
            lines=(
                ReturnedLine(
                    line=line.line,
                    sku=line.sku,
                    quantity=1,
                    condition=self._random.choice([*Condition]),
                ),
            ),
        )

    def _hold(self, shard: int) -> Event:
        hold = self._name("hold")
        self._holds[shard].append(hold)
        return CartHeld(
            hold=hold,
            sourcing=_sourcing(shard),
            held_at=self._now,
            expires_at=self._now + timedelta(minutes=self._units(4 * MINUTES_A_ROUND)),
            lines=(HoldLine(sku=self._sku(), quantity=self._units(3)),),
        )

    def _release(self, shard: int) -> Event | None:
        hold = self._any(self._holds[shard])
        return hold and CartReleased(hold=hold, released_at=self._now)

    def _receive(self, shard: int) -> Event:
        lot = self._random.choice([None, "lot-1", "lot-2"])
        return GoodsReceived(
            receipt=self._name("receipt"),
            location=self._location(shard),
            pool=PLACES[shard][0],
            received_at=self._earlier(),
            lines=(
                ReceiptLine(
                    sku=self._sku(),
                    quantity=self._units(20),
                    order_line=f"expected-{self._units(4)}",
                    lot=lot,
                    expires_on=lot and (EPOCH + timedelta(days=len(lot) + self._units(9))).date(),
                    condition=self._random.choice([Condition.SELLABLE, *Condition]),
                ),
            ),
        )

    def _count(self, shard: int) -> Event:
        return StockCounted(
            count=self._name("count"),
            location=self._location(shard),
            pool=PLACES[shard][0],
            counted_at=self._earlier(),
            lines=(CountLine(sku=self._sku(), quantity=self._random.randrange(20)),),
        )

    def _adjust(self, shard: int) -> Event:
        source, target = self._random.sample([*Condition, "outside"], 2)
        line = AdjustedLine(sku=self._sku(), quantity=self._units(2), source=source, target=target)
        return StockAdjusted(
            adjustment=self._name("adjustment"),
            location=self._location(shard),
            pool=PLACES[shard][0],
            adjusted_at=self._now,
            lines=(line,),
        )

    def _policy(self, shard: int) -> Event:
        return StockPolicySet(
            sku=self._sku(),
            location=self._location(shard),
            pool=PLACES[shard][0],
            safety_buffer=self._units(2),
            channel_buffers={"market": 1},
            safety_stock=self._units(5),
            overstock_above=15,
        )

    def _expect(self, shard: int) -> Event:
        return ReceiptExpected(
            expected=f"expected-{self._units(4)}",
            location=self._location(shard),
            pool=PLACES[shard][0],
            sku=self._sku(),
            quantity=self._units(9),
            expected_at=self._now + timedelta(days=1),
        )

    def _transfer(self, shard: int) -> Event:
        transfer = self._name("transfer")
        self._transfers.append(transfer)
        return TransferOrdered(
            transfer=transfer,
            source=_end(shard, PLACES[shard][1][0]),
            target=_end(1 - shard, PLACES[1 - shard][1][0]),
            ordered_at=self._now,
            lines=(TransferLine(line="1", sku=self._sku(), quantity=self._units(3)),),
        )

    def _ship_transfer(self, _shard: int) -> Event | None:
        transfer = self._any(self._transfers)
        return transfer and TransferShipped(
            transfer=transfer, shipment=self._name("shipment"), shipped_at=self._now
        )

    def _receive_transfer(self, shard: int) -> Event | None:
        transfer = self._any(self._transfers)
        return transfer and TransferReceived(
            transfer=transfer,
            receipt=self._name("receipt"),
            location=PLACES[shard][1][0],
            pool=PLACES[shard][0],
            received_at=self._now,
            lines=(TransferLine(line="1", sku=self._sku(), quantity=1),),
            complete=self._random.random() < 0.3,
        )

    def _name(self, kind: str) -> str:
        self._number += 1
        return f"{kind}-{self._seed}-{self._number}"

    def _units(self, most: int) -> int:
        return self._random.randint(1, most)

    def _sku(self) -> str:
        return self._random.choice(SKUS)

    def _location(self, shard: int) -> str:
        return self._random.choice(PLACES[shard][1])

    def _earlier(self) -> datetime:
        return self._now - timedelta(minutes=self._random.choice([0, 0, 45]))

    def _any(self, known: list[Any]) -> Any:
        return self._random.choice(known) if known else None


def _sourcing(shard: int) -> Sourcing:
    pool, locations = PLACES[shard]
    near = tuple(CandidateLocation(location=one, distance_km=n) for n, one in enumerate(locations))
    return Sourcing(pool=pool, shard=shard, locations=near)


def _end(shard: int, location: str) -> TransferEnd:
    return TransferEnd(location=location, pool=PLACES[shard][0], shard=shard)


def _junk(number: int) -> Outgoing:
    """Return a record that becomes a dead letter."""
    return Outgoing(LEDGER.name, number % 2, b"\x00", [("ce_id", b"\xff")], b"not JSON")
