"""What people in warehouses do with parcels and transfers, from what the ledger has told them."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from restock_common.contracts import Event
from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.ledger import (
    AllocationWithdrawn,
    ShipmentDispatched,
    ShippedLine,
    TransferDeparted,
    TransferLine,
    TransferReceived,
)

if TYPE_CHECKING:
    from tests.property.stock_ledger.simulation import World


class Warehouses:
    """Parcels that are packed, and units of transfers that are on the road."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.parcels: dict[str, OrderAllocated] = {}
        self.packed: set[str] = set()
        self.asked_back: set[str] = set()
        self.left: dict[str, tuple[OrderAllocated, ShipmentDispatched]] = {}
        self.on_the_road: dict[str, list[TransferDeparted]] = {}
        self._receipts = 0

    def take(self, event: Event) -> None:
        """Note what the ledger has told."""
        match event:
            case OrderAllocated():
                assert event.allocation not in self.packed, f"I19: {event} was told before"
                self.packed.add(event.allocation)
                self.parcels[event.allocation] = event
            case AllocationCancelRequested():
                known = event.allocation in self.packed
                assert known, f"I19: {event.allocation} was asked back, but never allocated"
                if event.allocation in self.parcels:
                    self.asked_back.add(event.allocation)
            case TransferDeparted():
                self.on_the_road.setdefault(event.transfer, []).append(event)

    def ship(self, allocation: str, lines: Sequence[ShippedLine] = (), route: str = "r") -> None:
        """Let a parcel leave, or some lines of it; it cannot be given back any more."""
        parcel = self.parcels.pop(allocation)
        self.asked_back.discard(allocation)
        event = self.shipment(parcel, lines, route)
        self.left[allocation] = parcel, event
        self._world.send(f"warehouse {parcel.location}", parcel.shard, event)

    def shipment(
        self, parcel: OrderAllocated, lines: Sequence[ShippedLine] = (), route: str = "r"
    ) -> ShipmentDispatched:
        """Return what is told when a parcel leaves."""
        return ShipmentDispatched(
            allocation=parcel.allocation,
            order=parcel.order,
            location=parcel.location,
            route=route,
            dispatched_at=self._world.now,
            lines=tuple(lines),
        )

    def give_back(self, allocation: str) -> None:
        """Give a parcel back to the ledger."""
        parcel = self.parcels.pop(allocation)
        self.asked_back.discard(allocation)
        event = AllocationWithdrawn(
            allocation=allocation,
            order=parcel.order,
            location=parcel.location,
            withdrawn_at=self._world.now,
        )
        self._world.send(f"warehouse {parcel.location}", parcel.shard, event)

    def unload(
        self, transfer: str, lines: Sequence[TransferLine], *, complete: bool, elsewhere: str = ""
    ) -> None:
        """Receive units of a transfer that has left, told of at its target or not."""
        self._receipts += 1
        target = self.on_the_road[transfer][0].target
        event = TransferReceived(
            transfer=transfer,
            receipt=f"tr{self._receipts}",
            location=elsewhere or target.location,
            pool=target.pool,
            received_at=self._world.now,
            lines=tuple(lines),
            complete=complete or not lines,
        )
        who = "stranger" if elsewhere else f"warehouse {target.location}"
        self._world.send(who, target.shard, event)

    def departed(self, transfer: str) -> Counter[tuple[str, str]]:
        """Return the units that have left, by line and sku."""
        units: Counter[tuple[str, str]] = Counter()
        for shipment in self.on_the_road[transfer]:
            for line in shipment.lines:
                units[line.line, line.sku] += line.quantity
        return units
