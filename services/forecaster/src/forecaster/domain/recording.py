"""A day is closed for some series: what came is written, what is old passes into the sums."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecaster.domain.history import (
    ANCHOR_DAYS,
    FADED,
    KIND_OF,
    NIBBLE,
    RING_DAYS,
    SHARE,
    STREAM,
    FloatArray,
    Histories,
    IntArray,
    caps,
    season_of,
)

_UNITS_MAX = 65_535
_OCCASION_STEP = 0.1
_DRIFT_SLACK, _DRIFT_BOUND, _DRIFT_KEEP = 1.0, 8.0, 0.2
_SEASON_STEP = 0.5


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of some series for the days up to the one that is closed: (n, days) each.

    Attributes:
        units: (n,) Asked for on the last day.
        away: Share of the day on which it could not be bought, in [0, 1].
        discount: Below the regular price, as a share of it, in [0, 1].
        display: How widely it is displayed, in [0, 1].
        mailing: How widely it is mailed, in [0, 1].
    """

    units: FloatArray
    away: FloatArray
    discount: FloatArray
    display: FloatArray
    mailing: FloatArray


def close(rows: NDArray[np.void], day: int, told: Told, scheduled: NDArray[np.bool_]) -> IntArray:
    """Bring series to the end of `day`, in place; return how many days are new to each: (n,).

    Args:
        rows: As of some earlier day each.
        day: The day that has ended.
        told: Its arrays reach back at least as far as the oldest of `rows`.
        scheduled: Whose week is scored today for drift.
    """
    gaps = day - rows["last_day"].astype(np.int64)
    advance(rows, day)
    _write(rows, told, gaps)
    _score_week(rows, scheduled)
    return gaps


def advance(rows: NDArray[np.void], day: int) -> None:
    """Bring series to the end of `day`, in place, nothing being known of the days since."""
    while True:
        steps = np.minimum(day - rows["last_day"].astype(np.int64), ANCHOR_DAYS)
        if not steps.any():
            return
        assert steps.min() >= 0, f"day {day} is before {rows['last_day'].max()}"
        _leave(rows, steps)
        places = np.arange(RING_DAYS)[None, :] + steps[:, None]
        inside = places < RING_DAYS
        places = np.minimum(places, RING_DAYS - 1)
        for name in ("units", "away", "display", "mailing"):
            rows[name] = np.where(inside, np.take_along_axis(rows[name], places, 1), 0)
        rows["last_day"] += steps.astype(np.int32)


def _leave(rows: NDArray[np.void], steps: IntArray) -> None:
    """Move the day that the sums are as of on by so many days."""
    view = Histories(rows)
    start = RING_DAYS - ANCHOR_DAYS
    most = int(steps.max())
    ago = steps[:, None] - 1 - np.arange(most)[None, :]
    entering = view.kinds(view.uplift(view.sums(ANCHOR_DAYS)))[:, :, start : start + most]
    entering = entering[:, KIND_OF, :]
    faded = FADED[np.maximum(ago, -1)]
    kept = rows["sums"] * FADED[steps]
    rows["sums"] = kept + np.einsum("nsj,njs->ns", entering, faded)
    _remember_season(rows, entering[:, STREAM["units", 7.0]], ago >= 0)


def _remember_season(rows: NDArray[np.void], units: FloatArray, inside: NDArray[np.bool_]) -> None:
    """Take days that leave the ring into the mean of their fortnight of the year."""
    first = rows["last_day"].astype(np.int64) - ANCHOR_DAYS + 1
    for ahead in range(units.shape[1]):
        place = season_of(first + ahead)
        index = np.arange(len(rows))
        old = rows["season"][index, place].astype(np.float64)
        share = _SEASON_STEP / 14
        new = old + share * 2 * (np.minimum(units[:, ahead], 6e4) - old)
        rows["season"][index, place] = np.where(inside[:, ahead], new, old)


def _write(rows: NDArray[np.void], told: Told, gaps: IntArray) -> None:
    """Write the days that are new into the ring's end, and today's units."""
    width = min(told.away.shape[1], RING_DAYS)
    fresh = np.arange(width)[None, :] >= width - np.minimum(gaps, width)[:, None]
    away = np.round(NIBBLE * told.away[:, -width:]).astype(np.uint8)
    discount = np.round(NIBBLE * told.discount[:, -width:]).astype(np.uint8)
    for name, values in (
        ("away", away | (discount << 4)),
        ("display", np.round(SHARE * told.display[:, -width:]).astype(np.uint8)),
        ("mailing", np.round(SHARE * told.mailing[:, -width:]).astype(np.uint8)),
    ):
        rows[name][:, -width:] = np.where(fresh, values, rows[name][:, -width:])
    promoted = (told.display + told.mailing)[:, -width:]
    most = np.where(fresh, promoted, 0).max(1)
    rows["promoted_most"] = np.maximum(rows["promoted_most"], most)
    _write_units(rows, told.units)


def _write_units(rows: NDArray[np.void], units: FloatArray) -> None:
    """Write today's units; halve what is kept until the largest fits into two bytes."""
    while True:
        over = units > _UNITS_MAX * np.exp2(rows["shift"].astype(np.float64))
        if not over.any():
            break
        rows["units"] = np.where(over[:, None], rows["units"] >> 1, rows["units"])
        rows["shift"] += over.astype(np.uint8)
    rows["units"][:, -1] = np.round(units / np.exp2(rows["shift"].astype(np.float64)))
    sold = units > 0
    clipped = np.minimum(units, caps(rows))
    moved = rows["occasion"] + _OCCASION_STEP * (clipped - rows["occasion"])
    rows["occasion"] = np.where(sold, moved, rows["occasion"])
    rows["last_sale"] = np.where(sold, rows["last_day"], rows["last_sale"])


def _score_week(rows: NDArray[np.void], scheduled: NDArray[np.bool_]) -> None:
    """Add up how far the week lies from the level before it; weigh the past down at a drift."""
    if not scheduled.any():
        return
    view = Histories(rows)
    # as of four weeks ago: a level that follows would never be strayed from for long
    before = view.sums(ANCHOR_DAYS)
    level = view.level(before, 56.0)
    squares = view.level(before, 56.0, "squares")
    days = view.days[:, -7:].sum(1)
    expected = level * days
    variance = (
        days * (np.maximum(squares - level * level, level) + 0.02) * 1.5 + (0.15 * expected) ** 2
    )
    strays = (view.units[:, -7:].sum(1) - expected) / np.sqrt(variance + 1e-9)
    strays = np.clip(np.where(days > 0, strays, 0.0), -4.0, 4.0)
    rise = np.maximum(rows["rise"] + strays - _DRIFT_SLACK, 0.0)
    fall = np.maximum(rows["fall"] - strays - _DRIFT_SLACK, 0.0)
    drifted = scheduled & (np.maximum(rise, fall) > _DRIFT_BOUND)
    rows["rise"] = np.where(drifted, 0.0, np.where(scheduled, rise, rows["rise"]))
    rows["fall"] = np.where(drifted, 0.0, np.where(scheduled, fall, rows["fall"]))
    rows["sums"] = np.where(drifted[:, None], rows["sums"] * _DRIFT_KEEP, rows["sums"])
    rows["drift_day"] = np.where(drifted, rows["last_day"], rows["drift_day"])
