"""Rows to values and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dispatcher.domain.model import Absence, DayPlan, Shipment, Status, Wave, WaveKind
from dispatcher.domain.route import Route, RouteState, RouteStop
from restock_common.contracts.ledger import DeliveryWindow, Place

Row = Mapping[str, Any]


def plan_of(row: Row) -> DayPlan:
    """Return the plan of a row."""
    return DayPlan(row["plan"], row["location"], row["day"], row["version"])


def absence_of(row: Row) -> Absence:
    """Return the absence of a row."""
    return Absence(row["vehicle"], row["location"], row["since"], row["until"], row["reason"])


def wave_of(row: Row) -> Wave:
    """Return the wave of a row."""
    return Wave(
        wave=row["wave"],
        location=row["location"],
        source=row["source"],
        cut_off=row["cut_off"],
        day=row["day"],
        kind=WaveKind(row["kind"]),
        number=row["number"],
        size=row["size"],
        version=row["version"],
        closed_at=row["closed_at"],
        planned=row["planned"],
    )


def shipment_of(row: Row) -> Shipment:
    """Return the shipment of a row."""
    window = None
    if row["earliest"] is not None:
        window = DeliveryWindow.model_construct(earliest=row["earliest"], latest=row["latest"])
    return Shipment(
        allocation=row["allocation"],
        order=row["order"],
        location=row["location"],
        shard=row["shard"],
        destination=_place(row["latitude"], row["longitude"]),
        window=window,
        units=row["units"],
        allocated_at=row["allocated_at"],
        traceparent=row["traceparent"],
        status=Status(row["status"]),
        wave=row["wave"],
        route=row["route"],
        missed=row["missed"],
        reason=row["reason"],
        delivered_at=row["delivered_at"],
        attempts=row["attempts"],
        failed_at=row["failed_at"],
    )


def route_of(row: Row) -> Route:
    """Return the route of a row."""
    return Route(
        route=row["route"],
        plan=row["plan"],
        wave=row["wave"],
        location=row["location"],
        source=row["source"],
        vehicle=row["vehicle"],
        depot=_place(row["latitude"], row["longitude"]),
        departs_at=row["departs_at"],
        returns_at=row["returns_at"],
        metres=row["metres"],
        stops=tuple(_stop_of(stop) for stop in row["stops"]),
        plan_version=row["plan_version"],
        state=RouteState(row["state"]),
        trip=row["trip"],
        late_s=row["late_s"],
    )


def stop_row(stop: RouteStop) -> dict[str, Any]:
    """Return a stop as it is kept in its route's row."""
    return {
        "allocation": stop.allocation,
        "order": stop.order,
        "latitude": stop.destination.latitude,
        "longitude": stop.destination.longitude,
        "planned_at": stop.planned_at.isoformat(),
        "arrives_at": stop.arrives_at.isoformat(),
        "waits_s": stop.waits_s,
        "metres": stop.metres,
        "grams": stop.grams,
    }


def _stop_of(stop: Row) -> RouteStop:
    """Return a stop; those written before lateness was known are on time."""
    return RouteStop(
        allocation=stop["allocation"],
        order=stop["order"],
        destination=_place(stop["latitude"], stop["longitude"]),
        planned_at=datetime.fromisoformat(stop.get("planned_at", stop["arrives_at"])),
        metres=stop["metres"],
        grams=stop["grams"],
        waits_s=stop.get("waits_s", 0),
        arrives_at=datetime.fromisoformat(stop["arrives_at"]),
    )


def _place(latitude: float, longitude: float) -> Place:
    """Return a place that was validated before it was written."""
    return Place.model_construct(latitude=latitude, longitude=longitude)
