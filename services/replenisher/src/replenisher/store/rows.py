"""Rows to the domain's values."""

from collections.abc import Mapping
from typing import Any

from replenisher.domain.lead_time import LeadTimeRecord
from replenisher.domain.model import (
    Forecast,
    Need,
    NeedState,
    OrderLine,
    OrderState,
    Place,
    Position,
    PurchaseOrder,
    StandingRisk,
)
from replenisher.domain.protection import Horizons
from restock_common.contracts.insights import RiskClass, RiskKind, RiskResponse

Row = Mapping[str, Any]


def position_of(row: Row) -> Position:
    """Return a position."""
    need = None
    if row["need"] is not None:
        need = Need(
            row["need"],
            NeedState(row["need_state"]),
            row["need_opened_at"],
            row["need_reason"],
            row["need_revision"],
        )
    return Position(
        place=Place(row["sku"], row["location"]),
        on_hand=row["on_hand"],
        unsellable=row["unsellable"],
        reserved=row["reserved"],
        backordered=row["backordered"],
        in_transit=row["in_transit"],
        on_order=row["on_order"],
        lines_placed=row["lines_placed"],
        level_event=row["level_event"],
        forecast=Forecast(
            horizons_of(row["horizons"]), row["learned_until"], row["forecast_event"]
        ),
        need=need,
    )


def horizons_of(columns: Mapping[str, list[float]]) -> Horizons:
    """Return horizons as they are stored."""
    return Horizons(tuple(columns["days"]), tuple(columns["mean"]), tuple(columns["size"]))


def columns_of(horizons: Horizons) -> dict[str, tuple[float, ...]]:
    """Return horizons as they are to be stored."""
    return {"days": horizons.days, "mean": horizons.mean, "size": horizons.size}


def line_of(row: Row) -> OrderLine:
    """Return an order line."""
    return OrderLine(
        id=row["order_line"],
        purchase_order=row["purchase_order"],
        need=row["need"],
        place=Place(row["sku"], row["location"]),
        quantity=row["quantity"],
        received=row["received"],
        cancelled=row["cancelled"],
        need_revision=row["need_revision"],
        reason=row["reason"],
    )


def order_of(row: Row) -> PurchaseOrder:
    """Return a purchase order."""
    return PurchaseOrder(
        id=row["purchase_order"],
        supplier=row["supplier"],
        location=row["location"],
        placed_at=row["placed_at"],
        open_lines=row["open_lines"],
        last_received_at=row["last_received_at"],
        closed_at=row["closed_at"],
        state=OrderState(row["state"]),
        value=row["value"],
        expected_at=row["expected_at"],
        late_at=row["late_at"],
        revision=row["revision"],
        lead_days=row["lead_days"],
    )


def risk_of(row: Row) -> StandingRisk:
    """Return a risk that stands."""
    return StandingRisk(
        row["risk"],
        RiskKind(row["kind"]),
        row["supplier"],
        row["sku"],
        row["location"],
        row["probability"],
        row["impact"],
        RiskClass(row["risk_class"]),
        RiskResponse(row["response"]),
        row["reason"],
        row["raised_at"],
    )


def record_of(row: Row) -> LeadTimeRecord:
    """Return what was observed of a supplier's lead time."""
    return LeadTimeRecord(row["observations"], row["total_minutes"], row["total_minutes_squared"])
