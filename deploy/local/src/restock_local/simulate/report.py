"""A simulation as one page of HTML: figures, the exchange of stock for service, stock by day."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from replenisher.domain.protection import FloatArray
from restock_local.simulate.play import Played

COLUMNS = (
    "cost",
    "holding_cost",
    "ordering_cost",
    "shortage_cost",
    "write_off_cost",
    "fill_rate",
    "order_fill_rate",
    "cycle_service_level",
    "turns",
    "stockout_days",
)
_SHARES = {"fill_rate", "order_fill_rate", "cycle_service_level"}
_COLOURS = ("#555", "#4878a8", "#b00020", "#3a7d34", "#8a5a00", "#7a3e9d", "#00797a", "#a03c68")
_WIDTH, _HEIGHT, _MARGIN = 620, 220, 34
_WEEK = 7
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { padding: .2rem .7rem; text-align: right }
th { border-bottom: 1px solid #888 } td:first-child, th:first-child { text-align: left }
svg { background: #fafafa; margin: .3rem } figure { margin: .5rem }
figcaption { font-size: .85rem }
"""


def page(
    about: Mapping[str, object],
    figures: Mapping[str, Mapping[str, float]],
    played: Mapping[str, Played],
) -> str:
    """Return the page; it needs no other file."""
    told = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in about.items())
    head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in COLUMNS)
    rows = "".join(
        f"<tr><td>{_key(place)} {escape(name)}</td>"
        + "".join(f"<td>{shown(column, one[column])}</td>" for column in COLUMNS)
        + "</tr>"
        for place, (name, one) in enumerate(figures.items())
    )
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Simulation</title>",
        f"<style>{_STYLE}</style><h1>Policies over demand</h1><p>{escape(told)}</p>",
        f"<table><tr><th>policy</th>{head}</tr>{rows}</table>",
        _costs(figures),
        _lines([one.stock_value for one in played.values()], "Stock value by day"),
        _lines(
            [_weekly(one.unmet.astype(np.float64)) for one in played.values()],
            "Units not served at once, by week",
        ),
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def shown(column: str, value: float) -> str:
    """Return a figure as it is shown."""
    if column in _SHARES:
        return f"{value:.2%}"
    return f"{value:,.1f}" if column == "turns" else f"{value:,.0f}"


def _key(place: int) -> str:
    return f"<span style='color:{_COLOURS[place % len(_COLOURS)]}'>&#9632;</span>"


def _weekly(values: FloatArray) -> FloatArray:
    whole = len(values) // _WEEK * _WEEK
    found: FloatArray = values[:whole].reshape(-1, _WEEK).sum(axis=1)
    return found


def _costs(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Draw each policy's cost as a bar of its parts."""
    parts = [column for column in COLUMNS if column.endswith("_cost")]
    most = max((one["cost"] for one in figures.values()), default=0.0) or 1.0
    step, drawn = 24, []
    for place, (name, one) in enumerate(figures.items()):
        start = 140.0
        for shade, part in enumerate(parts):
            width = one[part] / most * (_WIDTH - 160)
            drawn.append(
                f"<rect x='{start:.1f}' y='{place * step + 6}' width='{width:.1f}' height='16' "
                f"fill='{_COLOURS[shade + 1]}'><title>{part}</title></rect>"
            )
            start += width
        drawn.append(f"<text x='4' y='{place * step + 19}' font-size='12'>{escape(name)}</text>")
    legend = ", ".join(
        f"{_key(shade + 1)} {part.removesuffix('_cost').replace('_', '-')}"
        for shade, part in enumerate(parts)
    )
    return _figure("".join(drawn), f"Cost: {legend}", len(figures) * step + 12)


def _lines(series: Sequence[FloatArray], caption: str) -> str:
    most = max((float(one.max(initial=0.0)) for one in series), default=0.0) or 1.0
    drawn = []
    for place, values in enumerate(series):
        across = np.linspace(_MARGIN, _WIDTH - _MARGIN, max(len(values), 2))
        points = " ".join(
            f"{x:.1f},{_HEIGHT - _MARGIN - value / most * (_HEIGHT - 2 * _MARGIN):.1f}"
            for x, value in zip(across.tolist(), values.tolist(), strict=False)
        )
        colour = _COLOURS[place % len(_COLOURS)]
        drawn.append(f"<polyline points='{points}' fill='none' stroke='{colour}'/>")
    return _figure("".join(drawn), f"{caption}, up to {most:,.0f}", _HEIGHT)


def _figure(drawn: str, caption: str, height: int) -> str:
    return (
        f"<figure><svg viewBox='0 0 {_WIDTH} {height}' width='{_WIDTH}' height='{height}'>"
        f"{drawn}</svg><figcaption>{caption}</figcaption></figure>"
    )
