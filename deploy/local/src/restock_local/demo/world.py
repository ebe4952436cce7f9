"""The outside world: suppliers that deliver purchase orders, carriers that confirm deliveries.

Both know only what is published, and answer through the same doors as anybody else. What they do
follows from the seed and from what they were asked, so it is the same whenever they hear of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from restock_common.contracts.catalogue import Supplier
from restock_common.contracts.dispatch import RoutePlanned
from restock_common.contracts.envelope import derive_id
from restock_common.contracts.ledger import ShipmentDispatched
from restock_common.contracts.replenishment import PurchaseOrderLine, PurchaseOrderPlaced
from restock_local.demo import chance

_SHORT_SHARE = 0.03
_SHORTEST_LEAD_DAYS = 0.2
_LONGEST_LEAD_DAYS = 30.0
_REST_AFTER_DAYS = (1.0, 3.0)
_TRUE_TO_BELIEVED = (0.8, 1.3)
_DOCK_SLOT = timedelta(hours=4)
"""Warehouses book what has arrived every four hours, so that receipts come together."""
_DELAY_MINUTES = (0.0, 20.0)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Goods on a warehouse's dock: (order line, sku, units)."""

    receipt: str
    purchase_order: str
    location: str
    received_at: datetime
    lines: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A parcel handed to a customer."""

    allocation: str
    delivered_at: datetime


class Suppliers:
    """Deliver each purchase order after a random lead time; a few lines come in two parts."""

    def __init__(self, suppliers: Mapping[str, Supplier], *, seed: int) -> None:
        self._suppliers = suppliers
        self._seed = seed
        self._known: set[str] = set()
        self._waiting: list[Receipt] = []

    def take_order(self, order: PurchaseOrderPlaced) -> None:
        """Accept a purchase order; one that is known already changes nothing."""
        if order.purchase_order not in self._known:
            self._known.add(order.purchase_order)
            self._waiting += self._receipts(order)

    def due(self, before: datetime) -> list[Receipt]:
        """Hand over what arrives before a moment, in event-time order; each receipt once."""
        due = [receipt for receipt in self._waiting if receipt.received_at < before]
        self._waiting = [receipt for receipt in self._waiting if receipt.received_at >= before]
        return sorted(due, key=lambda receipt: (receipt.received_at, receipt.receipt))

    def _receipts(self, order: PurchaseOrderPlaced) -> list[Receipt]:
        arrives_at = order.placed_at + timedelta(days=self._lead_time_days(order))
        delivered, rest = [], []
        for line in order.lines:
            missing = self._missing(line)
            delivered.append((line.order_line, line.sku, line.quantity - missing))
            if missing:
                rest.append((line.order_line, line.sku, missing))
        receipts = [self._receipt(order, 1, arrives_at, delivered)]
        if rest:
            wait = chance.between(*_REST_AFTER_DAYS, self._seed, "rest", order.purchase_order)
            receipts.append(self._receipt(order, 2, arrives_at + timedelta(days=wait), rest))
        return receipts

    def _lead_time_days(self, order: PurchaseOrderPlaced) -> float:
        """Draw a lead time around the supplier's true mean, which is not quite what is believed."""
        believed = self._suppliers[order.supplier]
        factor = chance.between(*_TRUE_TO_BELIEVED, self._seed, "true-lead-time", order.supplier)
        days = chance.lognormal(
            believed.lead_time_days_mean * factor,
            believed.lead_time_days_sd,
            self._seed,
            "lead-time",
            order.purchase_order,
        )
        return min(max(days, _SHORTEST_LEAD_DAYS), _LONGEST_LEAD_DAYS)

    def _missing(self, line: PurchaseOrderLine) -> int:
        """Draw how many units of a line come later; at least one comes at once."""
        if chance.uniform(self._seed, "short", line.order_line) >= _SHORT_SHARE:
            return 0
        return chance.pick(line.quantity, self._seed, "missing-units", line.order_line)

    def _receipt(
        self,
        order: PurchaseOrderPlaced,
        part: int,
        arrives_at: datetime,
        lines: list[tuple[str, str, int]],
    ) -> Receipt:
        return Receipt(
            receipt=derive_id("receipt", order.purchase_order, part),
            purchase_order=order.purchase_order,
            location=order.location,
            received_at=_next_slot(arrives_at),
            lines=tuple(lines),
        )


class Carriers:
    """Confirm what was on board when a route left, at its planned arrival and a little later."""

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._versions: dict[str, int] = {}
        self._arrivals: dict[str, datetime] = {}
        self._on_board: set[str] = set()

    def take_route(self, route: RoutePlanned) -> None:
        """Note a tour; its latest version counts, whatever order the versions come in."""
        if route.plan_version > self._versions.get(route.route, 0):
            self._versions[route.route] = route.plan_version
            self._arrivals.update({stop.allocation: stop.arrives_at for stop in route.stops})

    def take_departure(self, shipment: ShipmentDispatched) -> None:
        """Note that a parcel has left the warehouse."""
        self._on_board.add(shipment.allocation)

    def due(self, until: datetime) -> list[Delivery]:
        """Hand over what is delivered up to a moment, in event-time order; each parcel once."""
        due = []
        for allocation in self._on_board:
            arrives_at = self._arrivals.get(allocation)
            if arrives_at is None:
                continue
            delay = chance.between(*_DELAY_MINUTES, self._seed, "delay", allocation)
            delivered_at = arrives_at + timedelta(seconds=round(delay * 60))
            if delivered_at <= until:
                due.append(Delivery(allocation, delivered_at))
        self._on_board.difference_update(delivery.allocation for delivery in due)
        return sorted(due, key=lambda delivery: (delivery.delivered_at, delivery.allocation))


def _next_slot(moment: datetime) -> datetime:
    """Return the first dock slot at or after a moment."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + -((epoch - moment) // _DOCK_SLOT) * _DOCK_SLOT
