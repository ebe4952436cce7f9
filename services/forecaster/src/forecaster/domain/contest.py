"""Which of several learners speaks for a segment: the one whose forecasts have cost least lately.

A challenger takes over where its mean loss is clearly lower, on rows enough, and not before the
last change there is two weeks old: so two that are alike do not take turns. It has to be better on
the segment's own rows, and when they are shrunk to those of all, which few rows are much.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from forecaster.domain.history import FloatArray

ALL = "all"
"""The segment of every key; its champion speaks for segments that are new."""
MARGIN = 0.02
"""By which share a challenger's loss must be lower."""
REST_DAYS = 14
ROWS_MIN = 50.0
_SHRINK_ROWS = 100.0
_DAILY_FADE = 0.5 ** (1 / 28)


@dataclass(frozen=True, slots=True)
class Switch:
    """A segment has another champion.

    Attributes:
        day: At whose close.
        segment: Which.
        before: The learner that spoke for it.
        after: The one that does now.
        loss_before: Mean scaled pinball loss of the first, of late.
        loss_after: And of the second, on the same rows.
        rows: How many, the older counting less.
    """

    day: int
    segment: str
    before: str
    after: str
    loss_before: float
    loss_after: float
    rows: float


@dataclass(slots=True)
class _Segment:
    """How the learners fare on one segment."""

    champion: int
    since: int
    rows: float
    losses: FloatArray


class Contest:
    """The losses of some learners by segment, and who leads."""

    def __init__(self, names: Sequence[str]) -> None:
        """Begin with the first of the learners as champion of all.

        Args:
            names: Of the learners, each another.
        """
        self.names = tuple(names)
        self._segments: dict[str, _Segment] = {}
        self._day = -1
        self._switches: tuple[Switch, ...] = ()

    def champion(self, segment: str) -> int:
        """Return which of the learners speaks for a segment."""
        known = self._segments.get(segment) or self._segments.get(ALL)
        return known.champion if known else 0

    def switches(self, day: int) -> tuple[Switch, ...]:
        """Return what has changed at the close of a day, by segment; only of the last day."""
        return self._switches if day == self._day else ()

    def turn(self, day: int) -> None:
        """Let the days since fade, and decide; once a day, whatever else comes of it."""
        if day == self._day:
            return
        if self._day >= 0:
            fade = _DAILY_FADE ** (day - self._day)
            for one in self._segments.values():
                one.rows *= fade
                one.losses *= fade
        self._day = day
        found = (self._decide(name, day) for name in sorted(self._segments))
        self._switches = tuple(switch for switch in found if switch is not None)

    def score(self, segments: Sequence[str], losses: FloatArray) -> None:
        """Take in what forecasts have cost.

        Args:
            segments: (n,) Of the rows.
            losses: (n, len(names)) Scaled; all of them finite.
        """
        for segment, row in zip(segments, losses, strict=True):
            for name in (ALL, segment):
                if name not in self._segments:
                    new = _Segment(self.champion(name), self._day, 0.0, np.zeros(len(self.names)))
                    self._segments[name] = new
                self._segments[name].rows += 1
                self._segments[name].losses += row

    def dump(self) -> bytes:
        """Return the state, alike for alike."""
        segments = {
            name: [self.names[one.champion], one.since, one.rows, one.losses.tolist()]
            for name, one in sorted(self._segments.items())
        }
        switches = [asdict(switch) for switch in self._switches]
        document = {"names": self.names, "day": self._day, "switches": switches, "of": segments}
        return json.dumps(document).encode()

    def load(self, dumped: bytes) -> None:
        """Take up again what `dump` returned; by other learners, it begins anew."""
        known: dict[str, Any] = json.loads(dumped)
        if tuple(known["names"]) != self.names:
            return
        self._day = known["day"]
        self._switches = tuple(Switch(**switch) for switch in known["switches"])
        self._segments = {
            name: _Segment(self.names.index(champion), since, rows, np.array(losses))
            for name, (champion, since, rows, losses) in known["of"].items()
        }

    def _decide(self, name: str, day: int) -> Switch | None:
        """Replace a segment's champion where another is clearly better."""
        one, every = self._segments[name], self._segments[ALL]
        if one.rows < ROWS_MIN or day - one.since < REST_DAYS:
            return None
        own = one.losses / one.rows
        prior = _SHRINK_ROWS if name != ALL else 0.0
        shrunk = (one.losses + prior * every.losses / every.rows) / (one.rows + prior)
        best, champion = int(shrunk.argmin()), one.champion
        if any(losses[best] >= (1 - MARGIN) * losses[champion] for losses in (own, shrunk)):
            return None
        one.champion, one.since = best, day
        return Switch(
            day=day,
            segment=name,
            before=self.names[champion],
            after=self.names[best],
            loss_before=float(own[champion]),
            loss_after=float(own[best]),
            rows=one.rows,
        )
