"""Plans, routes and shipments as they are shown: JSON, GeoJSON, and paper."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from dispatcher.domain.expected import expected
from dispatcher.domain.model import DayPlan, Shipment
from dispatcher.domain.route import Route, RouteStop


def plan_json(plan: DayPlan, routes: Iterable[Route]) -> dict[str, Any]:
    """Return a plan with its routes."""
    shown = [route_json(route) for route in routes]
    return {
        "plan": plan.plan,
        "location": plan.location,
        "day": plan.day.date(),
        "version": plan.version,
        "stops": sum(len(route["stops"]) for route in shown),
        "distance_km": sum(route["distance_km"] for route in shown),
        "routes": shown,
    }


def route_json(route: Route) -> dict[str, Any]:
    """Return a route with its stops."""
    return {
        "route": route.route,
        "plan": route.plan,
        "wave": route.wave,
        "plan_version": route.plan_version,
        "state": route.state,
        "vehicle": route.vehicle,
        "trip": route.trip,
        "departs_at": route.departs_at,
        "returns_at": route.returns_at,
        "late_minutes": route.late_s / 60,
        "distance_km": route.metres / 1000,
        "load_grams": sum(stop.grams for stop in route.stops),
        "stops": [
            {
                "allocation": stop.allocation,
                "order": stop.order,
                "destination": stop.destination,
                "planned_at": stop.planned_at,
                "arrives_at": stop.arrives_at,
                "distance_km": stop.metres / 1000,
            }
            for stop in route.stops
        ],
    }


def shipment_json(shipment: Shipment, route: Route | None) -> dict[str, Any]:
    """Return a shipment, and when it is expected."""
    eta = expected(shipment, route)
    return {
        "allocation": shipment.allocation,
        "order": shipment.order,
        "location": shipment.location,
        "status": shipment.status,
        "wave": shipment.wave,
        "route": shipment.route,
        "destination": shipment.destination,
        "window": shipment.window,
        "units": shipment.units,
        "allocated_at": shipment.allocated_at,
        "waves_missed": shipment.missed,
        "attempts": shipment.attempts,
        "reason": shipment.reason,
        "expected": None
        if eta is None
        else {"at": eta.at, "earliest": eta.earliest, "latest": eta.latest},
        "failed_at": shipment.failed_at,
        "delivered_at": shipment.delivered_at,
    }


def plan_geojson(plan: DayPlan, routes: Iterable[Route]) -> dict[str, Any]:
    """Return a plan as a FeatureCollection (RFC 7946): a line and its stops for each route.

    Lines are straight from stop to stop: the road itself is not known here.
    """
    features: list[dict[str, Any]] = []
    for route in routes:
        depot = (route.depot.longitude, route.depot.latitude)
        way = [depot, *(_position(stop) for stop in route.stops), depot]
        about = {"route": route.route, "vehicle": route.vehicle, "state": route.state}
        features.append(
            _feature(
                {"type": "LineString", "coordinates": way},
                about
                | {
                    "kind": "route",
                    "departs_at": route.departs_at,
                    "returns_at": route.returns_at,
                    "distance_km": route.metres / 1000,
                },
            )
        )
        features += [
            _feature(
                {"type": "Point", "coordinates": _position(stop)},
                about
                | {
                    "kind": "stop",
                    "number": number,
                    "allocation": stop.allocation,
                    "arrives_at": stop.arrives_at,
                },
            )
            for number, stop in enumerate(route.stops, 1)
        ]
    return {
        "type": "FeatureCollection",
        "features": features,
        "plan": plan.plan,
        "version": plan.version,
    }


def manifest_html(route: Route, shipments: Mapping[str, Shipment]) -> str:
    """Return what a driver takes along: one page to print, with nothing of people on it.

    Who gets a parcel is kept at order-ingest's door, and told there (`POST /v1/manifest`).
    """
    rows = "".join(
        _manifest_row(number, stop, shipments.get(stop.allocation))
        for number, stop in enumerate(route.stops, 1)
    )
    kilograms = sum(stop.grams for stop in route.stops) / 1000
    title = f"{escape(route.vehicle)}, {route.departs_at:%Y-%m-%d %H:%M} UTC"
    state = "" if route.state != "cancelled" else "<p><strong>Cancelled: do not leave.</strong></p>"
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        f"<title>Route {title}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{title}</h1>{state}"
        f"<p>Route {escape(route.route)}, version {route.plan_version}, from "
        f"{escape(route.location)}. {len(route.stops)} stops, {route.metres / 1000:.1f} km, "
        f"{kilograms:.1f} kg; back at {route.returns_at:%H:%M} UTC.</p>"
        "<table><thead><tr><th>#</th><th>Arrives</th><th>Window</th><th>Order</th>"
        "<th>Where</th><th>km</th><th>kg</th><th>Units</th><th>Received</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></body></html>\n"
    )


_STYLE = (
    "@page{size:A4 landscape;margin:12mm}"
    "body{font:12px/1.4 sans-serif;color:#000}"
    "h1{font-size:18px;margin:0 0 4px}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #888;padding:3px 6px;text-align:left;vertical-align:top}"
    "thead{display:table-header-group}tr{break-inside:avoid}"
    "td:last-child{min-width:40mm}"
)


def _manifest_row(number: int, stop: RouteStop, shipment: Shipment | None) -> str:
    window, units = "", ""
    if shipment is not None:
        if shipment.window is not None:
            window = f"{shipment.window.earliest:%H:%M} to {shipment.window.latest:%H:%M}"
        units = "<br>".join(
            f"{quantity} &times; {escape(sku)}" for sku, quantity in sorted(shipment.units.items())
        )
    where = f"{stop.destination.latitude:.5f}, {stop.destination.longitude:.5f}"
    cells = (
        str(number),
        f"{stop.arrives_at:%H:%M}",
        window,
        f"{escape(stop.order)}<br>{escape(stop.allocation)}",
        where,
        f"{stop.metres / 1000:.1f}",
        f"{stop.grams / 1000:.1f}",
        units,
        "",
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _position(stop: RouteStop) -> tuple[float, float]:
    """Return longitude first, as GeoJSON has it."""
    return stop.destination.longitude, stop.destination.latitude


def _feature(geometry: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": about}
