"""When a shop's orders usually come: a rate for each hour of the week, learned as time goes by.

Orders of an hour are counted as a Poisson number whose rate is that hour's usual one times a mood
of the shop, which is Gamma distributed around 1: days are better or worse than usual by more than
chance alone makes them, and a shop that was seen for a short time only may be any. The chance that
nothing comes is then in closed form (the zero of the negative binomial distribution).
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

HOURS: Final = 168
"""Of a week."""

KEPT_A_WEEK = 0.8
"""What an hour of the week before counts, beside this week's: half of it is of the last three."""

PRIOR_ORDERS = 0.5
"""The shop's mean over all hours counts as much as so many orders in each hour of the week."""

MOOD_ORDERS = 8.0
"""The mood is never known better than from so many orders: days differ by a third, 1 / sqrt(8)."""

_HOUR = timedelta(hours=1)
_LONGEST = 52 * HOURS
"""What lies further back counts for less than 0.8^52 = 0.001 percent."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How many orders come in each hour of the week (UTC), and since when that is watched.

    Attributes:
        hour: The hour that is running; it ends before it counts.
        running: Orders in it so far.
        orders: (168,) orders in each hour of the week, weighted by age.
        hours: (168,) how often each was watched, weighted in the same way.
    """

    hour: datetime
    running: int = 0
    orders: tuple[float, ...] = (0.0,) * HOURS
    hours: tuple[float, ...] = (0.0,) * HOURS

    @classmethod
    def begun(cls, now: datetime) -> "Rhythm":
        """Return the rhythm of a shop that is watched from now on."""
        return cls(_floor(now))

    def after(self, now: datetime, orders: int = 0) -> "Rhythm":
        """Return the rhythm as it is later.

        Args:
            now: The time; where it goes back, the hour that runs goes on.
            orders: That have come since the last time, 0 or more.
        """
        passed = max((_floor(now) - self.hour) // _HOUR, 0)
        if passed == 0:
            return replace(self, running=self.running + orders)
        counts, weights = list(self.orders), list(self.hours)
        hour, came = self.hour, float(self.running)
        if passed > _LONGEST:
            hour, passed = _floor(now) - _LONGEST * _HOUR, _LONGEST
        for _ in range(passed):
            cell = _cell(hour)
            counts[cell] = counts[cell] * KEPT_A_WEEK + came
            weights[cell] = weights[cell] * KEPT_A_WEEK + 1.0
            hour, came = hour + _HOUR, 0.0
        return Rhythm(hour, orders, tuple(counts), tuple(weights))

    def expected(self, since: datetime, until: datetime) -> float:
        """Return the orders that usually come between two times."""
        mean = sum(self.orders) / max(sum(self.hours), 1.0)
        rates = [self._rate(cell, mean) for cell in range(HOURS)]
        weeks = max(until - since, timedelta()) // (HOURS * _HOUR)
        total, at = weeks * sum(rates), since + weeks * HOURS * _HOUR
        while at < until:
            end = min(_floor(at) + _HOUR, until)
            total += rates[_cell(at)] * ((end - at) / _HOUR)
            at = end
        return total

    def chance_of_nothing(self, since: datetime, now: datetime) -> float:
        """Return how likely it is that nothing comes for so long, in [0, 1].

        1 until a whole week was watched: nobody knows yet whether nights and Sundays are quiet.
        """
        known = min(sum(self.orders), MOOD_ORDERS)
        if not all(self.hours) or known <= 0.0:
            return 1.0
        return float((known / (known + self.expected(since, now))) ** known)

    def _rate(self, cell: int, mean: float) -> float:
        """Return the orders that are usual in an hour of the week, 0 is Monday's first.

        The mean of a Gamma belief, which is the mean over all hours to begin with.
        """
        if mean <= 0.0:
            return 0.0
        return (self.orders[cell] + PRIOR_ORDERS) / (self.hours[cell] + PRIOR_ORDERS / mean)


def _floor(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _cell(moment: datetime) -> int:
    moment = moment.astimezone(UTC)
    return moment.weekday() * 24 + moment.hour
