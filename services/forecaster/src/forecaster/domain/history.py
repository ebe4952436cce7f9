"""What is remembered of one series: its last six weeks day by day, and decayed sums of all before.

This is where demand is made fit to be learned from, once, for all learners:

- a day that nothing came on is a zero, and costs nothing until the series is next looked at;
- a day that the shop was closed or the sku out of stock counts only for the share of it on which
  it could be bought, so that what could not be asked for is not taken for a lack of demand;
- a day far above what days with demand bring is clipped where it is learned from, not where it
  is kept (Huber, 1964: the bound follows from what has itself been clipped);
- weeks that stray from the level for long are a drift (Page, 1954): the past is then forgotten
  faster, by weighing down all that the sums hold.

The sums are as of four weeks ago. So the sums as of any day since follow from the same record by
one product with the days in between, which is how a forecast made a week ago can be learned from
today without having been kept.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
ByteArray = NDArray[np.uint8]

RING_DAYS = 42
ANCHOR_DAYS = 28
"""The sums are as of so many days before the last; what is older in the ring is in them too."""
SEASONS = 26
"""A year is told by its fortnights."""
VERSION = 1

HALF_LIVES_DAYS = (3.5, 7.0, 14.0, 28.0, 56.0, 120.0)
_KINDS = (
    "units",
    "days",
    "sold",
    "squares",
    "display",
    "mailing",
    "promoted",
    "promoted_units",
    "discounted_units",
    "unpromoted",
)
_STREAMS: tuple[tuple[str, float], ...] = (
    *(("units", half_life) for half_life in HALF_LIVES_DAYS),
    *(("days", half_life) for half_life in HALF_LIVES_DAYS),
    ("sold", 28.0),
    ("squares", 56.0),
    *((kind, half_life) for kind in ("display", "mailing") for half_life in (7.0, 28.0)),
    *(("promoted", half_life) for half_life in (7.0, 28.0, 56.0, 120.0)),
    ("promoted_units", 120.0),
    *(("discounted_units", half_life) for half_life in (7.0, 56.0)),
    *(("unpromoted", half_life) for half_life in (7.0, 14.0, 28.0, 56.0)),
)
STREAM = {stream: place for place, stream in enumerate(_STREAMS)}
KIND_OF = np.array([_KINDS.index(kind) for kind, _ in _STREAMS])
_DECAYS = np.array([0.5 ** (1 / half_life) for _, half_life in _STREAMS])
FADED = np.concatenate(
    [_DECAYS[None, :] ** np.arange(ANCHOR_DAYS + 1)[:, None], np.zeros((1, len(_STREAMS)))]
)
"""What is left of a day's weight after so many days: (days, streams); nothing at -1."""

RECORD = np.dtype(
    [
        ("first_day", "<i4"),
        ("last_day", "<i4"),
        ("last_sale", "<i4"),
        ("drift_day", "<i4"),
        ("occasion", "<f4"),
        ("promoted_most", "<f4"),
        ("rise", "<f4"),
        ("fall", "<f4"),
        ("shift", "u1"),
        ("units", "<u2", (RING_DAYS,)),
        ("away", "u1", (RING_DAYS,)),
        ("display", "u1", (RING_DAYS,)),
        ("mailing", "u1", (RING_DAYS,)),
        ("sums", "<f4", (len(_STREAMS),)),
        ("season", "<f2", (SEASONS,)),
    ]
)
"""One series. `away` holds two shares in fifteenths: out of stock or closed, and discounted."""

NEVER = -(10**6)
SHARE = 255.0
NIBBLE = 15
_CLIP_OCCASIONS = 10.0
_CLIP_UNITS = 10.0
_PROMOTED_LEAST = 0.15
_UPLIFT_PRIOR_DAYS = 14.0
_PRIOR_DAYS = 14.0


def born(day: int, rate: float = 0.0) -> NDArray[np.void]:
    """Return a series as of the day before its first demand, which is on `day`.

    Args:
        day: Of its first demand.
        rate: Units a day that a series like this one is expected to ask for: what it is believed
            to have asked for before, with the weight of two weeks.
    """
    row = np.zeros(1, RECORD)
    row["first_day"], row["last_day"] = day, day - 1
    row["last_sale"], row["drift_day"] = NEVER, NEVER
    row["occasion"] = 1.0
    row["promoted_most"] = _PROMOTED_LEAST
    row["away"] = NIBBLE
    for place, (kind, half_life) in enumerate(_STREAMS):
        if kind in {"units", "days", "unpromoted"}:
            days = _PRIOR_DAYS * (1 - 0.5 ** (120 / half_life))
            # what the sums hold is as of four weeks ago, and fades on the way
            days *= 2 ** min(ANCHOR_DAYS / half_life, 8.0)
            row["sums"][0, place] = days if kind == "days" else days * rate
    return row


def decoded(records: Sequence[bytes]) -> NDArray[np.void]:
    """Return records as rows that can be written to: (n,) of RECORD."""
    return np.frombuffer(b"".join(records), RECORD).copy()


def encoded(rows: NDArray[np.void]) -> list[bytes]:
    """Return each row's bytes."""
    whole, size = rows.tobytes(), RECORD.itemsize
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def season_of(days: IntArray) -> IntArray:
    """Return the fortnight of the year that each day is in, 0 to 25."""
    return np.minimum((days % 365.2425 / 14.05).astype(np.int64), SEASONS - 1)


def caps(rows: NDArray[np.void]) -> FloatArray:
    """Return the units above which a day is clipped where it is learned from: (n,)."""
    bound: FloatArray = _CLIP_OCCASIONS * rows["occasion"].astype(np.float64) + _CLIP_UNITS
    return bound


class Histories:
    """Some series, all as of the end of the same day, as learners look at them.

    Days are columns, the last day last.

    Attributes:
        rows: (n,) of RECORD.
    """

    def __init__(self, rows: NDArray[np.void]) -> None:
        self.rows = rows
        self._kinds: FloatArray | None = None

    @cached_property
    def raw(self) -> FloatArray:
        """Return what was asked for, unclipped: (n, RING_DAYS)."""
        units: FloatArray = (
            self.rows["units"] * np.exp2(self.rows["shift"].astype(np.float64))[:, None]
        )
        return units

    @cached_property
    def units(self) -> FloatArray:
        """Return what was asked for, clipped: (n, RING_DAYS)."""
        return np.minimum(self.raw, caps(self.rows)[:, None])

    @cached_property
    def days(self) -> FloatArray:
        """Return the share of each day on which it could be bought: (n, RING_DAYS)."""
        share: FloatArray = 1 - (self.rows["away"] & NIBBLE) / NIBBLE
        # who sold on a day that it was not to be had took orders for later: the day counts whole
        return np.where((share == 0) & (self.raw > 0), 1.0, share)

    @cached_property
    def discount(self) -> FloatArray:
        """Return how far below the regular price it was: (n, RING_DAYS) shares."""
        share: FloatArray = (self.rows["away"] >> 4) / NIBBLE
        return share

    @cached_property
    def display(self) -> FloatArray:
        """Return how widely it was displayed: (n, RING_DAYS) shares."""
        share: FloatArray = self.rows["display"] / SHARE
        return share

    @cached_property
    def mailing(self) -> FloatArray:
        """Return how widely it was mailed: (n, RING_DAYS) shares."""
        share: FloatArray = self.rows["mailing"] / SHARE
        return share

    @cached_property
    def promoted_most(self) -> FloatArray:
        """Return what is a whole promotion of it, displays and mailings together: (n,)."""
        return np.maximum(self.rows["promoted_most"].astype(np.float64), _PROMOTED_LEAST)

    @cached_property
    def promoted(self) -> FloatArray:
        """Return how much of a whole promotion there was: (n, RING_DAYS)."""
        return np.minimum((self.display + self.mailing) / self.promoted_most[:, None], 1.0)

    def __len__(self) -> int:
        return len(self.rows)

    def age(self, back: int = 0) -> IntArray:
        """Return the days since the first demand, that day included, as of `back` days ago."""
        lived: IntArray = self.rows["last_day"].astype(np.int64) - back - self.rows["first_day"] + 1
        return lived

    def kinds(self, uplift: FloatArray) -> FloatArray:
        """Return what the sums are made of, day by day: (n, kinds, RING_DAYS).

        Args:
            uplift: (n,) by which a promotion multiplies demand, for demand as it would have been.
        """
        if self._kinds is None:
            units, promoted = self.units, self.promoted
            self._kinds = np.stack(
                [
                    units,
                    self.days,
                    (units > 0).astype(np.float64),
                    units * units,
                    self.display,
                    self.mailing,
                    promoted,
                    promoted * units,
                    self.discount * units,
                    units,
                ],
                1,
            )
        whole = self._kinds
        share = np.maximum(1 + (uplift[:, None] - 1) * self.promoted, 0.3)
        whole[:, -1] = self.units / share
        return whole

    def means(self, back: int, half_lives: Sequence[float]) -> FloatArray:
        """Return decayed means of units a day as of `back` days ago: (n, len(half_lives))."""
        gone = ANCHOR_DAYS - back
        start = RING_DAYS - ANCHOR_DAYS
        found = []
        for kind, daily in (("units", self.units), ("days", self.days)):
            places = [STREAM[kind, half_life] for half_life in half_lives]
            weights = _DECAYS[places] ** np.arange(gone - 1, -1, -1)[:, None]
            kept = self.rows["sums"][:, places] * _DECAYS[places] ** gone
            found.append(kept + daily[:, start : start + gone] @ weights)
        means: FloatArray = found[0] / np.maximum(found[1], 1e-9)
        return means

    def sums(self, back: int = 0) -> FloatArray:
        """Return the decayed sums as of `back` <= ANCHOR_DAYS days ago: (n, streams)."""
        gone = ANCHOR_DAYS - back
        kept: FloatArray = self.rows["sums"] * _DECAYS[None, :] ** gone
        if gone == 0:
            return kept
        start = RING_DAYS - ANCHOR_DAYS
        if self._kinds is None:
            self.kinds(np.ones(len(self)))
        assert self._kinds is not None
        weights = _DECAYS[:, None] ** np.arange(gone - 1, -1, -1)[None, :]
        recent = self._kinds[:, :, start : start + gone]
        added = np.einsum("nsj,sj->ns", recent[:, KIND_OF], weights)
        if np.any(self.promoted):
            self.kinds(self.uplift(kept + added))
            last = len(_KINDS) - 1 == KIND_OF
            added[:, last] = recent[:, -1] @ weights[last].T
        whole: FloatArray = kept + added
        return whole

    def uplift(self, sums: FloatArray) -> FloatArray:
        """Return by how much a promotion multiplies each series' demand, shrunk: (n,)."""
        with_it, without = self.rates(sums)
        clipped: FloatArray = np.clip(with_it / np.maximum(without, 1e-6), 0.7, 6.0)
        return clipped

    def rates(self, sums: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return units a day with a promotion and without one, each shrunk: (n,), (n,)."""
        units, days = sums[:, STREAM["units", 120.0]], sums[:, STREAM["days", 120.0]]
        promoted_units = sums[:, STREAM["promoted_units", 120.0]]
        promoted_days = sums[:, STREAM["promoted", 120.0]]
        base = (units + 1e-9) / (days + 1e-9)
        prior = _UPLIFT_PRIOR_DAYS
        with_it = (promoted_units + prior * base * 1.1) / (promoted_days + prior)
        others = np.maximum(units - promoted_units, 0.0)
        other_days = np.maximum(days - promoted_days, 0.0)
        return with_it, (others + prior * base * 0.97) / (other_days + prior)

    def level(self, sums: FloatArray, half_life: float, kind: str = "units") -> FloatArray:
        """Return a decayed mean a day: (n,)."""
        mean: FloatArray = sums[:, STREAM[kind, half_life]] / np.maximum(
            sums[:, STREAM["days", half_life]], 1e-9
        )
        return mean

    def total(self, back: int, days: int) -> tuple[FloatArray, FloatArray]:
        """Return clipped units, and days to buy on, of the `days` that ended `back` days ago."""
        window = slice(RING_DAYS - back - days, RING_DAYS - back)
        return self.units[:, window].sum(1), self.days[:, window].sum(1)
