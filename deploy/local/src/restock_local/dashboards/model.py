"""What a dashboard is made of here: rows of charts, each with its queries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Chart:
    """One panel.

    Attributes:
        title: What it shows.
        queries: PromQL by what its lines are called; Grafana's `{{label}}` names one a series.
        unit: As Grafana calls it: `s`, `ops`, `percentunit`, `short`, `bytes`, ...
        about: What to look for.
        kind: Lines over time, or the last value as a number.
        alarm_above: A number is red above it.
    """

    title: str
    queries: Mapping[str, str]
    unit: str = "short"
    about: str = ""
    kind: Literal["lines", "number"] = "lines"
    alarm_above: float | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard.

    Attributes:
        uid: Its id, and the name of its file.
        title: As Grafana lists it.
        rows: Charts by the heading that they stand under.
    """

    uid: str
    title: str
    rows: Mapping[str, tuple[Chart, ...]]


def number(
    title: str, query: str, unit: str = "short", *, alarm_above: float | None = None
) -> Chart:
    """Return a panel with one number."""
    return Chart(title, {title: query}, unit, kind="number", alarm_above=alarm_above)


def rate(metric: str, by: str = "", where: str = "") -> str:
    """Return how much of a counter comes a second; 0 where none has come yet, unless by label."""
    over = f"rate({metric}{{{where}}}[$__rate_interval])" if where else _rate(metric)
    return f"sum by ({by}) ({over})" if by else f"sum({over}) or vector(0)"


def quantile(level: float, histogram: str, by: str = "") -> str:
    """Return a quantile of a histogram of durations, in seconds."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({level}, sum by ({labels}) ({_rate(f'{histogram}_bucket')}))"


def durations(histogram: str, by: str = "") -> dict[str, str]:
    """Return the median and the slowest hundredth of a histogram of durations."""
    label = f" {{{{{by}}}}}" if by else ""
    return {
        f"p50{label}": quantile(0.5, histogram, by),
        f"p99{label}": quantile(0.99, histogram, by),
    }


def _rate(metric: str) -> str:
    return f"rate({metric}[$__rate_interval])"
