"""A back-test as one page of HTML: figures, calibration, and some series with their forecasts."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from forecaster.domain.loss import LEVELS
from restock_local.backtest.run import Result
from restock_local.backtest.scores import TOTALS_DAYS

_WIDTH, _HEIGHT, _MARGIN = 420, 150, 24
_BINS = 20
_SHOWN = 6
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { padding: .2rem .7rem; text-align: right }
th { border-bottom: 1px solid #888 } td:first-child, th:first-child { text-align: left }
svg { background: #fafafa; margin: .3rem } .lost { color: #b00020 } figure { display: inline-block;
margin: .5rem } figcaption { font-size: .85rem }
"""
_COLUMNS = ("spl", "wape", "mase", "rmsse", "mae", "mse", "bias", "pinball")
_COVERAGES = ("coverage_90", "coverage_95", "coverage_99")
_NAIVE = "seasonal-naive"


def page(result: Result, figures: Mapping[str, object]) -> str:
    """Return the page; it needs no other file."""
    methods = result.methods
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Back-test</title>",
        f"<style>{_STYLE}</style><h1>Back-test of {escape(result.mine.name)}</h1>",
        f"<p>{escape(str(figures['panel']))}: {figures['scored']} of {figures['series']} series "
        f"scored at {figures['origins']} weekly origins; promotions told ahead: "
        f"{escape(str(figures['promotions']))}.</p>",
        _verdicts(methods),
        *(_table(methods, days) for days in TOTALS_DAYS),
        "<h2>Calibration</h2><p>Where what came lies in its forecast; level bars are right.</p>",
        *(_histogram(result, place) for place in range(len(TOTALS_DAYS))),
        "<h2>Some series</h2><p>Totals of 7 days: dots came; the line is the median, the bands "
        "reach to 80 % and 99 %.</p>",
        *_series(result),
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _verdicts(methods: Mapping[str, Mapping[str, float]]) -> str:
    """Say which method loses against seasonal naive, where that was run."""
    naive = methods.get(_NAIVE)
    if naive is None:
        return ""
    told = []
    for name, one in methods.items():
        if name != _NAIVE:
            ratio = one["spl_7"] / naive["spl_7"]
            word = "beats" if ratio < 1 else "<b class='lost'>loses against</b>"
            told.append(f"<li>{escape(name)} {word} seasonal naive: {ratio:.3f} of its loss</li>")
    return f"<ul>{''.join(told)}</ul>"


def _table(methods: Mapping[str, Mapping[str, float]], days: int) -> str:
    names = [*_COLUMNS, *_COVERAGES]
    head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in names)
    rows = []
    for method, one in methods.items():
        cells = "".join(f"<td>{one[f'{name}_{days}']:.4f}</td>" for name in names)
        rows.append(f"<tr><td>{escape(method)}</td>{cells}<td>{one['wall_s']:.1f}</td></tr>")
    return (
        f"<h2>Totals of {days} days</h2><table><tr><th>method</th>{head}<th>seconds</th></tr>"
        f"{''.join(rows)}</table>"
    )


def _histogram(result: Result, place: int) -> str:
    pit = result.mine.told.pit
    if pit is None:
        return ""
    counts, _ = np.histogram(pit[:, result.seen.scored, place], _BINS, (0, 1))
    shares = counts / max(counts.sum(), 1) * _BINS
    width = (_WIDTH - 2 * _MARGIN) / _BINS
    bars = "".join(
        f"<rect x='{_MARGIN + bin_ * width:.1f}' y='{_HEIGHT - _MARGIN - share * 50:.1f}' "
        f"width='{width - 1:.1f}' height='{share * 50:.1f}' fill='#4878a8'/>"
        for bin_, share in enumerate(shares.tolist())
    )
    level = _HEIGHT - _MARGIN - 50
    line = f"<line x1='0' x2='{_WIDTH}' y1='{level}' y2='{level}' stroke='#b00020'/>"
    return _figure(bars + line, f"{TOTALS_DAYS[place]} days")


def _series(result: Result) -> list[str]:
    """Draw series from the strongest to the weakest seller."""
    scored = np.flatnonzero(result.seen.scored)
    order = scored[np.argsort(-result.seen.totals[:, scored, 0].sum(0))]
    chosen = order[np.linspace(0, len(order) - 1, min(_SHOWN, len(order))).astype(int)]
    return [_fan(result, int(row)) for row in chosen]


def _fan(result: Result, row: int) -> str:
    came = result.seen.totals[:, row, 0]
    told = result.mine.told.quantiles[:, row, 0]
    most = max(float(told[:, -1].max()), float(came.max()), 1.0)
    steps = np.linspace(_MARGIN, _WIDTH - _MARGIN, len(came))

    def points(values: Sequence[float]) -> list[str]:
        return [
            f"{x:.1f},{_HEIGHT - _MARGIN - value / most * (_HEIGHT - 2 * _MARGIN):.1f}"
            for x, value in zip(steps.tolist(), values, strict=True)
        ]

    floor = points([0.0] * len(came))[::-1]
    levels = LEVELS.tolist()
    drawn = []
    for level, colour in ((0.99, "#dbe6f1"), (0.8, "#a9c3de")):
        upper = points(told[:, levels.index(level)].tolist())
        drawn.append(f"<polygon points='{' '.join(upper + floor)}' fill='{colour}'/>")
    drawn.append(
        f"<polyline points='{' '.join(points(told[:, 0].tolist()))}' fill='none' stroke='#234'/>"
    )
    for point in points(came.tolist()):
        x, y = point.split(",")
        drawn.append(f"<circle cx='{x}' cy='{y}' r='3' fill='#b00020'/>")
    key = result.data.keys[row]
    return _figure("".join(drawn), f"{key.sku} at {key.location}, up to {most:.0f} units")


def _figure(drawn: str, caption: str) -> str:
    return (
        f"<figure><svg viewBox='0 0 {_WIDTH} {_HEIGHT}' width='{_WIDTH}' height='{_HEIGHT}'>"
        f"{drawn}</svg><figcaption>{escape(caption)}</figcaption></figure>"
    )
