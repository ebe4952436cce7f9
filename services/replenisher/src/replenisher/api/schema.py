"""What the windows show."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from replenisher.domain.assessment import assess
from replenisher.domain.lead_time import LeadTimeRecord
from replenisher.domain.model import OrderState, Position
from replenisher.domain.terms import TermsBook
from restock_common.contracts.insights import RiskClass, RiskKind, RiskResponse
from restock_common.contracts.replenishment import OrderReason


class NeedView(BaseModel):
    """A need; a covered one names its order line, another when it was opened and why it waits."""

    need: str
    sku: str
    location: str
    state: Literal["open", "deferred", "covered"]
    reason: str | None = None
    opened_at: datetime | None = None
    order_line: str | None = None
    purchase_order: str | None = None
    quantity: int | None = None
    received: int | None = None
    revision: int = 1


class PositionView(BaseModel):
    """One sku at one location, in units."""

    sku: str
    location: str
    on_hand: int
    unsellable: int
    reserved: int
    backordered: int
    in_transit: int
    on_order: int
    inventory_position: int
    forecast_learned_until: datetime | None
    need: NeedView | None


class OrderView(BaseModel):
    """A purchase order, how far it has come and how much of it is still to come."""

    purchase_order: str
    supplier: str
    location: str
    state: OrderState
    placed_at: datetime
    open_lines: int
    last_received_at: datetime | None
    closed_at: datetime | None
    expected_at: datetime | None
    late_at: datetime | None
    value: float
    revision: int


class LineView(BaseModel):
    """An order line with the sum behind it."""

    order_line: str
    need: str
    need_revision: int
    sku: str
    quantity: int
    received: int
    cancelled: int
    reason: OrderReason


class OrderWithLines(OrderView):
    """A purchase order with its lines."""

    lines: list[LineView]


class Explanation(BaseModel):
    """Where a sku stands at a location now, and what a review would do."""

    position: PositionView
    supplier: str
    lead_time_days_mean: float
    lead_time_days_sd: float
    lead_times_observed: int
    short: bool
    deferred_because: str | None
    would_order: int
    reason: OrderReason


class RiskView(BaseModel):
    """A risk that stands."""

    risk: str
    kind: RiskKind
    supplier: str
    sku: str | None
    location: str | None
    probability: float
    impact: float
    risk_class: RiskClass
    response: RiskResponse
    reason: str
    raised_at: datetime


def explained(position: Position, book: TermsBook, at: datetime) -> Explanation:
    """Return where a place stands at a time, and what a review would do by itself."""
    assessment = assess([position], book)
    terms = assessment.terms[0]
    short = bool(assessment.short[0])
    deferral = assessment.deferral(0, at)
    observed = book.lead_times.get(terms.supplier, LeadTimeRecord())
    return Explanation(
        position=position_view(position),
        supplier=terms.supplier,
        lead_time_days_mean=terms.lead_time.mean_days,
        lead_time_days_sd=terms.lead_time.sd_days,
        lead_times_observed=observed.observations,
        short=short,
        deferred_because=deferral,
        would_order=int(assessment.order_quantity[0]) if short and deferral is None else 0,
        reason=assessment.reason(0),
    )


def position_view(position: Position) -> PositionView:
    """Return what is shown of a position."""
    place, need = position.place, position.need
    return PositionView(
        sku=place.sku,
        location=place.location,
        on_hand=position.on_hand,
        unsellable=position.unsellable,
        reserved=position.reserved,
        backordered=position.backordered,
        in_transit=position.in_transit,
        on_order=position.on_order,
        inventory_position=position.inventory_position,
        forecast_learned_until=position.forecast.learned_until,
        need=need
        and NeedView(
            need=need.id,
            sku=place.sku,
            location=place.location,
            state=need.state.value,
            reason=need.reason,
            opened_at=need.opened_at,
            revision=need.revision,
        ),
    )
