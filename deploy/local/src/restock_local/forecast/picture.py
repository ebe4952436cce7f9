"""A forecast as a picture: days behind and ahead, totals by horizon, and what it is made of."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_DAYS_AHEAD = 56
_SHARES = 7
_WHOLE_FROM = 100
_EPOCH = date(1970, 1, 1)
_WIDTH, _HEIGHT = 12.0, 7.2
_INK, _PALE, _BLUE, _GREEN, _RED = "#1f2933", "#9aa5b1", "#2463a8", "#3f8f5f", "#b3402f"
_LOOK: Any = {  # matplotlib types it by the name of each setting
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.edgecolor": _PALE,
    "axes.labelcolor": _INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "axes.titlepad": 8.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "text.color": _INK,
    "legend.frameon": False,
    "svg.hashsalt": "restock",  # the same forecast gives the same file
}


def draw(forecast: Mapping[str, Any], out: Path) -> None:
    """Write the picture of a forecast.

    Args:
        forecast: As `GET /v1/forecasts/{sku}/{location}` answers.
        out: A file whose name ends in what it is: .png, .svg, .pdf.
    """
    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=(_WIDTH, _HEIGHT), dpi=110, layout="constrained")
        grid = figure.add_gridspec(2, 2, height_ratios=(1.55, 1), width_ratios=(1.25, 1))
        figure.suptitle(_title(forecast), x=0.012, ha="left", fontsize=13, fontweight="bold")
        _days(figure.add_subplot(grid[0, :]), forecast)
        _totals(figure.add_subplot(grid[1, 0]), forecast["horizons"])
        _shares(figure.add_subplot(grid[1, 1]), forecast["explanation"])
        known = {"Date": None} if out.suffix.lower() == ".svg" else {}
        figure.savefig(out, metadata=known)


def _title(forecast: Mapping[str, Any]) -> str:
    told = [f"{forecast['sku']} at {forecast['location']}", str(forecast["model"])]
    told.append(
        f"{forecast['learned_days']:,} days learned, up to {forecast['learned_until'][:10]}"
    )
    if forecast["override"]:
        told.append(f"override {forecast['override']}")
    return "   ·   ".join(told)


def _days(axes: Axes, forecast: Mapping[str, Any]) -> None:
    """Draw what came day by day, and what is expected with its spread."""
    ticks: Any = dates  # not typed
    history, fan = forecast["history"], forecast["fan"][:_DAYS_AHEAD]
    behind = [_number(date.fromisoformat(one["date"])) for one in history]
    ahead = [date.fromisoformat(one["date"]) for one in fan]
    units = [one["units"] for one in history]
    axes.bar(behind, units, width=0.8, color=_PALE, label="asked for")
    gone = [
        (day, one["units"])
        for day, one in zip(behind, history, strict=True)
        if one["available"] < 1
    ]
    if gone:
        axes.scatter(
            [day for day, _ in gone],
            [-0.02 * max(units, default=1.0)] * len(gone),
            marker="x",
            color=_RED,
            s=22,
            clip_on=False,
            label="out of stock or closed",
        )
    steps = [*ahead, ahead[-1] + timedelta(days=1)]
    for low, high, alpha in (("0.05", "0.95", 0.16), ("0.25", "0.75", 0.3)):
        axes.fill_between(
            _middle(steps),
            _stepped([one["quantiles"][low] for one in fan]),
            _stepped([one["quantiles"][high] for one in fan]),
            step="post",
            color=_BLUE,
            alpha=alpha,
            linewidth=0,
            label=f"{float(low):.0%} to {float(high):.0%} of such days",
        )
    axes.step(
        _middle(steps),
        _stepped([one["mean"] for one in fan]),
        where="post",
        color=_BLUE,
        linewidth=1.8,
        label="expected",
    )
    if any(one["mean"] != one["model_mean"] for one in fan):
        axes.step(
            _middle(steps),
            _stepped([one["model_mean"] for one in fan]),
            where="post",
            color=_GREEN,
            linewidth=1.4,
            linestyle=(0, (4, 2)),
            label="the model's own",
        )
    axes.axvline(_middle(steps)[0], color=_INK, linewidth=0.8, linestyle=":")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    axes.xaxis.set_major_locator(ticks.WeekdayLocator(byweekday=ticks.MO, interval=2))
    axes.xaxis.set_major_formatter(ticks.DateFormatter("%d %b"))
    axes.set_title("Units a day")
    axes.legend(loc="upper left", ncols=6, fontsize=8.5, handlelength=1.4, columnspacing=1.4)
    axes.set_ylim(top=axes.get_ylim()[1] * 1.16)


def _totals(axes: Axes, horizons: Sequence[Mapping[str, Any]]) -> None:
    """Draw the total of each horizon: the mean, and up to which units it stays how often."""
    places = list(range(len(horizons)))
    shades = {"0.5": 0.75, "0.8": 0.5, "0.9": 0.36, "0.95": 0.24, "0.99": 0.13}
    for level, alpha in reversed(shades.items()):
        tops = [max(one["quantiles"][level], 1e-9) for one in horizons]
        axes.bar(places, tops, width=0.62, color=_BLUE, alpha=alpha, linewidth=0, label=level)
    means = [one["mean"] for one in horizons]
    axes.scatter(places, means, color=_INK, s=16, zorder=3, label="mean")
    for place, mean in zip(places, means, strict=True):
        axes.annotate(
            f"{mean:,.1f}" if mean < _WHOLE_FROM else f"{mean:,.0f}",
            (place, mean),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    axes.set_xticks(places, [f"{one['days']}" for one in horizons])
    axes.set_xlabel("days")
    axes.set_title("Total over the next days: mean, and quantiles .5 to .99")
    axes.set_ylim(bottom=0)


def _shares(axes: Axes, shares: Sequence[Mapping[str, Any]]) -> None:
    """Draw what the mean over 14 days is made of, the largest part first."""
    shown = list(shares[:_SHARES])
    rest = sum(one["units"] for one in shares[_SHARES:])
    if len(shares) > _SHARES:
        shown.append({"feature": f"{len(shares) - _SHARES} others", "units": rest})
    units = [one["units"] for one in shown]
    places = list(range(len(shown)))
    axes.barh(places, units, color=[_GREEN if one >= 0 else _RED for one in units], height=0.62)
    reach = max((abs(one) for one in units), default=1.0) or 1.0
    for place, one in zip(places, units, strict=True):
        axes.annotate(
            f"{one:+,.2f}",
            (one, place),
            xytext=(4 if one >= 0 else -4, 0),
            textcoords="offset points",
            va="center",
            ha="left" if one >= 0 else "right",
            fontsize=8,
        )
    axes.set_yticks(places, [str(one["feature"]) for one in shown])
    axes.invert_yaxis()
    axes.axvline(0, color=_PALE, linewidth=0.8)
    low = min(min(units, default=0.0), 0.0)
    axes.set_xlim(
        low - (0.34 * reach if low < 0 else 0), max(max(units, default=0.0), 0.0) + 0.22 * reach
    )
    axes.set_title("What the mean of 14 days is made of, in units")


def _middle(days: Sequence[date]) -> list[float]:
    """Return where days begin on an axis whose ticks are their middles."""
    return [_number(day) - 0.5 for day in days]


def _number(day: date) -> float:
    """Return a day as matplotlib counts it, from 1970 on."""
    return float((day - _EPOCH).days)


def _stepped(values: Sequence[float]) -> list[float]:
    """Return values with the last one again, where its step ends."""
    return [*values, values[-1]]
