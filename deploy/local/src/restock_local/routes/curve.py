"""A small line chart as SVG: money against time along the dial."""

from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH, _HEIGHT, _LEFT, _BELOW, _ABOVE = 760, 460, 90, 60, 50
_STEPS = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """One plan on the chart.

    Attributes:
        dial: What it was made with.
        money: What it costs in money alone, in units of currency.
        hours: The mean wait of a customer; who is left out waits for a day.
        waited_hours: The wait of all customers.
        routes: Vehicles on the road.
        missing: Shipments on no route.
    """

    dial: float
    money: float
    hours: float
    waited_hours: float
    routes: int
    missing: int


def curve(name: str, marks: Sequence[Mark]) -> str:
    """Return the chart: hours to a customer across, money upwards, a point per dial."""
    low_x, high_x = _span([mark.hours for mark in marks])
    low_y, high_y = _span([mark.money for mark in marks])
    across, up = _WIDTH - _LEFT - 30, _HEIGHT - _BELOW - _ABOVE

    def x(value: float) -> float:
        return round(_LEFT + (value - low_x) / (high_x - low_x) * across, 1)

    def y(value: float) -> float:
        return round(_ABOVE + (high_y - value) / (high_y - low_y) * up, 1)

    parts = []
    for step in range(_STEPS + 1):
        money = low_y + (high_y - low_y) * step / _STEPS
        hours = low_x + (high_x - low_x) * step / _STEPS
        parts.append(
            f'<path d="M{_LEFT} {y(money)}H{_LEFT + across}" stroke="#ddd"/>'
            f'<text x="{_LEFT - 8}" y="{y(money) + 4}" text-anchor="end">{money:.0f}</text>'
            f'<text x="{x(hours)}" y="{_HEIGHT - _BELOW + 20}" text-anchor="middle">'
            f"{hours:.2f}</text>"
        )
    points = " ".join(f"{x(mark.hours)},{y(mark.money)}" for mark in marks)
    parts.append(f'<polyline points="{points}" fill="none" stroke="#246" stroke-width="2"/>')
    for mark in marks:
        told = f"dial {mark.dial:g}: {mark.routes} routes, {mark.missing} left out"
        parts.append(
            f'<circle cx="{x(mark.hours)}" cy="{y(mark.money)}" r="5" fill="#246">'
            f"<title>{told}</title></circle>"
            f'<text x="{x(mark.hours) + 9}" y="{y(mark.money) - 7}">{mark.dial:g}</text>'
        )
    title = name.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" font-size="13">\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n'
        f'<text x="{_LEFT}" y="28" font-size="17">{title}: the dial from cheapest (0) to '
        f"fastest (1)</text>\n" + "\n".join(parts) + "\n"
        f'<text x="{_LEFT + across / 2}" y="{_HEIGHT - 14}" text-anchor="middle">'
        "hours until a customer is served, mean</text>\n"
        f'<text x="22" y="{_ABOVE + up / 2}" text-anchor="middle" '
        f'transform="rotate(-90 22 {_ABOVE + up / 2})">money</text>\n</svg>\n'
    )


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = max((high - low) * 0.08, abs(high) * 0.01, 1e-6)
    return low - room, high + room
