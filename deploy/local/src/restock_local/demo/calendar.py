"""Event time: the days that can be replayed, and the stretches in which they are sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2017, 1, 1, tzinfo=UTC)
MAX_DAYS = 365

_STRETCH_ENDS = (
    timedelta(hours=12),
    timedelta(hours=23, minutes=58),
    timedelta(hours=23, minutes=59),
    timedelta(hours=24),
)
"""The two short stretches let offers between pools come to their end before the day closes."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of event time that is sent at once: begin <= time < end."""

    begin: datetime
    end: datetime

    @property
    def is_reviewed(self) -> bool:
        """Tell whether a review follows: with each midnight, and with the first time of all."""
        return self.begin == START or self.begin.date() < self.end.date()


def stretches(days: int) -> Iterator[Stretch]:
    """Yield the replay's stretches, day by day, without gaps."""
    begin = START
    for day in range(days):
        for end in (START + timedelta(days=day) + offset for offset in _STRETCH_ENDS):
            yield Stretch(begin, end)
            begin = end
