"""A plan as a picture: SVG, and HTML with the routes to point at."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import cos, radians

from dispatcher.domain.vrp.feasibility import clock
from dispatcher.domain.vrp.plan import Plan
from dispatcher.domain.vrp.problem import Point, Problem
from dispatcher.domain.vrp.travel import is_place

_WIDTH = 1000
_MARGIN = 24
_GOLDEN_DEGREES = 137.508
"""Hues this far apart stay distinct however many there are."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where on the picture a place is: north is up, and a degree is as long in both directions."""

    west: float
    north: float
    squeeze: float
    scale: float
    height: int

    def at(self, place: Point) -> tuple[float, float]:
        """Return x and y in pixels."""
        x = (place.longitude - self.west) * self.squeeze * self.scale + _MARGIN
        return round(x, 1), round((self.north - place.latitude) * self.scale + _MARGIN, 1)


def frame(places: Sequence[Point]) -> Frame:
    """Return the frame that holds all places."""
    lats = [place.latitude for place in places]
    lons = [place.longitude for place in places]
    squeeze = max(0.05, cos(radians((min(lats) + max(lats)) / 2)))
    wide = max(1e-9, (max(lons) - min(lons)) * squeeze)
    high = max(1e-9, max(lats) - min(lats))
    scale = (_WIDTH - 2 * _MARGIN) / max(wide, high)
    return Frame(min(lons), max(lats), squeeze, scale, round(high * scale) + 2 * _MARGIN)


def svg(problem: Problem, plan: Plan) -> str:
    """Return the map: warehouses as squares, a colour for each route, left out as rings."""
    shipments = {one.shipment: one.destination for one in problem.shipments}
    homes = {one.warehouse: one.place for one in problem.warehouses}
    based = {one.vehicle: one.warehouse for one in problem.vehicles}
    missing = [one for one in (*plan.carrier, *plan.unserved) if one.shipment in shipments]
    drawn = [shipments[stop.shipment] for route in plan.routes for stop in route.stops]
    left_out = [one for one in missing if is_place(shipments[one.shipment])]
    drawn += [shipments[one.shipment] for one in left_out]
    inside = frame([*homes.values(), *drawn])
    lines = []
    for number, route in enumerate(plan.routes):
        colour = f"hsl({number * _GOLDEN_DEGREES % 360:.0f} 70% {38 + number % 3 * 8}%)"
        home = homes[based[route.vehicle]]
        way = [home, *(shipments[stop.shipment] for stop in route.stops), home]
        points = [inside.at(place) for place in way]
        path = " ".join(f"{x},{y}" for x, y in points)
        told = (
            f"{route.vehicle}: {len(route.stops)} stops, {route.metres / 1000:.1f} km, "
            f"{clock(route.departs_s)} to {clock(route.returns_s)}"
        )
        lines.append(f'<g class="route" id="route-{number}"><title>{escape(told)}</title>')
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}"/>')
        for stop, (x, y) in zip(route.stops, points[1:-1], strict=True):
            label = escape(f"{stop.shipment} at {clock(stop.begins_s)}, {route.vehicle}")
            lines.append(
                f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"><title>{label}</title></circle>'
            )
        lines.append("</g>")
    for one in left_out:
        x, y = inside.at(shipments[one.shipment])
        label = escape(f"{one.shipment}: {one.reason}")
        lines.append(
            f'<circle cx="{x}" cy="{y}" r="5" fill="none" stroke="#c00" stroke-width="2">'
            f"<title>{label}</title></circle>"
        )
    for name, place in homes.items():
        x, y = inside.at(place)
        lines.append(
            f'<rect x="{x - 6}" y="{y - 6}" width="12" height="12" fill="#111">'
            f"<title>{escape(name)}</title></rect>"
        )
    body = "\n".join(lines)
    width = _WIDTH
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {inside.height}" '
        f'width="{width}" height="{inside.height}" stroke-width="1.4" stroke-linejoin="round" '
        f'font-family="sans-serif">\n<rect width="100%" height="100%" fill="#fff"/>\n'
        f"{body}\n</svg>\n"
    )


def html(name: str, problem: Problem, plan: Plan, cost: str) -> str:
    """Return one page: the map, a line per route that lights it up, and what was left out."""
    rows = "\n".join(
        f'<tr data-route="route-{number}"><td>{escape(route.vehicle)}<td>{len(route.stops)}'
        f"<td>{route.metres / 1000:.1f}<td>{clock(route.departs_s)}<td>{clock(route.returns_s)}"
        for number, route in enumerate(plan.routes)
    )
    missing = "\n".join(
        f"<tr><td>{escape(one.shipment)}<td>{who}<td>{escape(one.reason)}<td>{escape(one.remedy)}"
        for who, some in (("carrier", plan.carrier), ("unserved", plan.unserved))
        for one in some
    )
    left_out = (
        "<h2>On no route</h2><table><tr><th>Shipment<th>Given to<th>Why<th>What would let it in"
        f"\n{missing}</table>"
        if missing
        else ""
    )
    served = sum(len(route.stops) for route in plan.routes)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(name)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 15px/1.4 sans-serif; margin: 1.5rem; color: #111; }}
main {{ display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; }}
svg {{ max-width: 100%; height: auto; border: 1px solid #ccc; flex: 3 1 32rem; }}
aside {{ flex: 1 1 18rem; max-height: 80vh; overflow: auto; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .2rem .6rem; text-align: left; border-bottom: 1px solid #ddd; }}
tr[data-route]:hover {{ background: #eee; }}
.some .route {{ opacity: .12; }} .some .route.lit {{ opacity: 1; stroke-width: 3; }}
</style></head><body>
<h1>{escape(name)}</h1>
<p>{served} served on {len(plan.routes)} routes, {len(plan.carrier)} given to the carrier,
{len(plan.unserved)} unserved; cost {escape(cost)}.</p>
<main>{svg(problem, plan)}
<aside><table><tr><th>Vehicle<th>Stops<th>km<th>Leaves<th>Back
{rows}</table></aside></main>{left_out}
<script>
const map = document.querySelector("svg");
for (const row of document.querySelectorAll("tr[data-route]")) {{
  const route = document.getElementById(row.dataset.route);
  row.onmouseenter = () => {{ map.classList.add("some"); route.classList.add("lit"); }};
  row.onmouseleave = () => {{ map.classList.remove("some"); route.classList.remove("lit"); }};
}}
</script></body></html>
"""
