"""Small worlds for the replenisher's tests: a catalogue, a working set, events."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tests.support import EPOCH, message

from replenisher.domain.assessment import assess, revise_needs
from replenisher.domain.model import OrderLine, Place, Position, WorkingSet
from replenisher.domain.review import ReviewDue
from replenisher.domain.terms import Policy, TermsBook
from replenisher.handlers import decide
from restock_common.contracts.catalogue import Catalogue, Product, Supplier
from restock_common.contracts.event import Event
from restock_common.contracts.forecasts import DemandForecast, HorizonForecast
from restock_common.contracts.insights import RiskCleared, RiskRaised
from restock_common.contracts.replenishment import PurchaseOrderPlaced, PurchaseOrderProposed
from restock_common.contracts.stock import StockLevelChanged, StockReceived

MIDNIGHT = datetime(2017, 1, 3, tzinfo=UTC)
DAY = timedelta(days=1)
HORIZONS = (1, 3, 7, 14, 28)
POLICY = Policy(cover_days=7.0, lead_time_prior_weight=5.0)


def catalogue(
    skus: Iterable[str], *, supplier: str = "acme", pack_size: int = 1, minimum: int = 1
) -> Catalogue:
    """Return one supplier and its products."""
    products = [
        Product(sku=sku, supplier=supplier, pack_size=pack_size, minimum_order_quantity=minimum)
        for sku in skus
    ]
    return Catalogue.of([Supplier(supplier=supplier), *products])


def level(
    sku: str,
    on_hand: int,
    *,
    location: str = "W1",
    reserved: int = 0,
    backordered: int = 0,
    **others: int,
) -> StockLevelChanged:
    """Return a level; `others` are held, damaged, quality_hold, in_transit and safety_buffer."""
    return StockLevelChanged(
        sku=sku,
        location=location,
        pool="P",
        on_hand=on_hand,
        reserved=reserved,
        backordered=backordered,
        **others,
    )


def forecast(
    sku: str,
    per_day: float,
    *,
    location: str = "W1",
    size: float = 5.0,
    learned_until: datetime = MIDNIGHT,
) -> DemandForecast:
    """Return a steady forecast."""
    return DemandForecast(
        sku=sku,
        location=location,
        model="test",
        learned_until=learned_until,
        horizons=tuple(
            HorizonForecast(days=days, mean=per_day * days, size=size) for days in HORIZONS
        ),
    )


def receipt(
    order: PurchaseOrderPlaced,
    index: int,
    quantity: int,
    *,
    name: str = "r1",
    after: timedelta = 2 * DAY,
) -> StockReceived:
    """Return a receipt on one line of an order."""
    line = order.lines[index]
    return StockReceived(
        sku=line.sku,
        location=order.location,
        pool="P",
        on_hand=quantity,
        reserved=0,
        backordered=0,
        receipt=name,
        purchase_order=order.purchase_order,
        order_line=line.order_line,
        quantity=quantity,
        received_at=order.placed_at + after,
    )


class Reviewed(NamedTuple):
    """What a review publishes."""

    orders: list[PurchaseOrderPlaced]
    proposals: list[PurchaseOrderProposed]
    risks: list[RiskRaised]
    cleared: list[RiskCleared]


class World:
    """The handlers on a working set that holds everything, without a database."""

    def __init__(self, known: Catalogue, policy: Policy = POLICY) -> None:
        self.state = WorkingSet()
        self.catalogue = known
        self.policy = policy

    def take(self, *events: Event) -> list[Event]:
        """Decide events as one batch; return what they publish."""
        published: list[Event] = []
        for event in events:
            if isinstance(event, StockLevelChanged | StockReceived | DemandForecast):
                place = Place(event.sku, event.location)
                self.state.positions.setdefault(place, Position(place))
            time = event.cut_at if isinstance(event, ReviewDue) else EPOCH
            sent = message(event, time=time)
            published += [one.event for one in decide(self.state, self.book(), sent)]
        touched = [self.state.positions[place] for place in self.state.touched]
        if touched:
            causes = list(self.state.touched.values())
            revise_needs(assess(touched, self.book()), causes, self.state.reopened)
        self.state.touched.clear()
        self.state.reopened.clear()
        return published

    def review(self, at: datetime = MIDNIGHT) -> list[PurchaseOrderPlaced]:
        """Make a review; return the orders that it places."""
        return self.take_review(at).orders

    def take_review(self, at: datetime = MIDNIGHT) -> Reviewed:
        """Make a review and keep what the database would keep of it."""
        events = self.take(ReviewDue(review_date=at.date(), cut_at=at))
        self.state.reviewed |= {("", at.date())}
        for order, lines in self.state.placed:
            self.state.orders[order.id] = order
            for line in lines:
                self.state.lines[line.order_line] = OrderLine(
                    line.order_line,
                    order.id,
                    line.need,
                    Place(line.sku, order.location),
                    line.quantity,
                    need_revision=line.need_revision,
                    reason=line.reason.model_dump(mode="json"),
                )
        self.state.placed.clear()
        for order in self.state.split:
            self.state.orders[order.id] = order
        for name, risk in self.state.changed_risks.items():
            self.state.risks.pop(name, None)
            if risk is not None:
                self.state.risks[name] = risk
        self.state.changed_risks.clear()
        return Reviewed(
            [event for event in events if isinstance(event, PurchaseOrderPlaced)],
            [event for event in events if isinstance(event, PurchaseOrderProposed)],
            [event for event in events if isinstance(event, RiskRaised)],
            [event for event in events if isinstance(event, RiskCleared)],
        )

    def book(self) -> TermsBook:
        """Return the terms as they stand."""
        return TermsBook(self.catalogue, self.state.lead_times, self.policy)

    def position(self, sku: str, location: str = "W1") -> Position:
        """Return a position."""
        return self.state.positions[Place(sku, location)]


def only(orders: Sequence[PurchaseOrderPlaced]) -> PurchaseOrderPlaced:
    """Return the one order that there should be."""
    (order,) = orders
    return order
