"""Who has said nothing for so long that it must have ended."""

from collections.abc import Collection, Hashable
from math import inf
from typing import Generic, TypeVar

BeatT = TypeVar("BeatT", bound=Hashable)

_GAP_S = 2.0
"""Who looked away for longer cannot tell whether something was said, or could have been."""


class Silence(Generic[BeatT]):
    """Notes since when each beat has been seen, by the clock of whoever looks.

    Time counts only while there is somebody to hear and a place to speak: after a gap between two
    looks, since the database or this process was away, everybody has the whole time again.

    Args:
        ends_s: So long a beat may stay the same.
    """

    def __init__(self, ends_s: float) -> None:
        self._ends_s = ends_s
        self._since: dict[BeatT, float] = {}
        self._looked_at = -inf

    def look(self, beats: Collection[BeatT], now: float) -> list[BeatT]:
        """Return those of the beats that have not changed for too long.

        Args:
            beats: As they are now; whoever speaks again has another one.
            now: Seconds, by a clock that is never set back.
        """
        before = self._since if now - self._looked_at <= _GAP_S else {}
        self._looked_at = now
        self._since = {beat: before.get(beat, now) for beat in beats}
        return [beat for beat, since in self._since.items() if now - since >= self._ends_s]
