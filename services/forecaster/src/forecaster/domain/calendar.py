"""Days in UTC, and how the days of the week differ: one profile for all keys of a partition."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

DAYS_PER_WEEK = 7
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday; Monday is 0
_HALF_LIFE_DAYS = 56.0
_DAILY_DECAY = 0.5 ** (1 / _HALF_LIFE_DAYS)
_PRIOR_WEEKS = 2.0
_PRIOR_UNITS = 50.0  # below some 50 units a weekday, differences between weekdays are noise
_FACTOR_MIN, _FACTOR_MAX = 0.3, 3.0


def day_of(moment: datetime) -> int:
    """Return the UTC day of a moment, counted from 1 January 1970."""
    return (moment - _EPOCH).days


def midnight(day: int) -> datetime:
    """Return the first moment of a day, in UTC."""
    return _EPOCH + timedelta(days=day)


def weekday(day: int) -> int:
    """Return the day of the week: 0 is Monday, 6 is Sunday."""
    return (day + _EPOCH_WEEKDAY) % DAYS_PER_WEEK


@dataclass(frozen=True, slots=True)
class WeekdayProfile:
    """Exponentially weighted demand of all keys by day of the week.

    Attributes:
        units: (7,) decayed units, Monday first.
        days: (7,) decayed number of such days.
    """

    units: tuple[float, ...] = (0.0,) * DAYS_PER_WEEK
    days: tuple[float, ...] = (0.0,) * DAYS_PER_WEEK

    def learn(self, day: int, units: float) -> "WeekdayProfile":
        """Return the profile after a day on which `units` >= 0 were asked for, over all keys."""
        today = weekday(day)
        return replace(
            self,
            units=tuple(
                past * _DAILY_DECAY + (units if index == today else 0.0)
                for index, past in enumerate(self.units)
            ),
            days=tuple(
                past * _DAILY_DECAY + (1.0 if index == today else 0.0)
                for index, past in enumerate(self.days)
            ),
        )

    def factors(self) -> tuple[float, ...]:
        """Return each weekday's demand relative to the mean day: (7,), all > 0, their sum is 7.

        Shrunk to 1 by two weeks and some 50 units of the mean day, so that a quiet partition
        has no weekdays at all.
        """
        total_units, total_days = sum(self.units), sum(self.days)
        if total_units <= 0 or total_days <= 0:
            return (1.0,) * DAYS_PER_WEEK
        mean = total_units / total_days
        prior_days = _PRIOR_WEEKS + _PRIOR_UNITS / mean
        raw = [
            min(
                max((units + prior_days * mean) / ((days + prior_days) * mean), _FACTOR_MIN),
                _FACTOR_MAX,
            )
            for units, days in zip(self.units, self.days, strict=True)
        ]
        scale = DAYS_PER_WEEK / sum(raw)
        return tuple(factor * scale for factor in raw)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The days of a horizon, each with its weekday's factor.

    Attributes:
        total: Sum of the factors; whole weeks count 7 each.
        squares: Sum of their squares.
    """

    total: float
    squares: float

    @property
    def concentration(self) -> float:
        """Return how little independent days average out: 1 / days where all are alike."""
        return self.squares / (self.total * self.total)


def stretch(factors: tuple[float, ...], after_day: int, days: int) -> Stretch:
    """Return the `days` >= 1 days that follow `after_day`."""
    weeks, rest = divmod(days, DAYS_PER_WEEK)
    odd = [factors[weekday(after_day + ahead)] for ahead in range(1, rest + 1)]
    return Stretch(
        weeks * DAYS_PER_WEEK + sum(odd),
        weeks * sum(factor * factor for factor in factors) + sum(factor * factor for factor in odd),
    )
