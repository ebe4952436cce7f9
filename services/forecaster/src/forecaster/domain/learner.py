"""What every learner of demand is, behind one Protocol, and what it is shown.

A learner sees series that have been made fit to learn from (`history`): zeros are filled in, days
that nothing could be bought on are marked, outliers are clipped, a drift has already weighed the
past down. It is shown them some at a time, in key order, at the close of a day, as a `View`. What
it keeps of one series is a few bytes, which it is handed and hands back; what it knows of all
series it holds itself, and writes as bytes when a checkpoint asks for them. So a partition's state
is a function of its log, and can be written down and taken up again to the byte.

Two kinds are served by one method. A learner that knows each series by itself steps through the
days that are new to it (`View.new`). A global one learns from the rows of `View.scheduled` alone:
each series comes up once a week on a day of its own, whatever it sold, so that what is learned is
not chosen by what came.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from forecaster.domain.history import FloatArray, Histories, IntArray

HORIZONS_DAYS = (1, 3, 7, 14, 28, 56, 112)
LEARNED_DAYS = (7, 14, 28)
"""The horizons that are learned; whole weeks, so the day of the week is no matter. The others
follow from them (`grid`)."""
AHEAD_DAYS = HORIZONS_DAYS[-1]
FAMILY = "negative_binomial"


class Key(NamedTuple):
    """What a forecast is for."""

    sku: str
    location: str


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is known of the days to come: (n, AHEAD_DAYS) each, the next day first.

    Attributes:
        display: How widely it is planned to be displayed, in [0, 1].
        mailing: How widely it is planned to be mailed, in [0, 1].
        discount: Planned, as a share of the regular price, in [0, 1].
        factors: What the day's weekday multiplies demand by; 0 on a day that is closed.
    """

    display: FloatArray
    mailing: FloatArray
    discount: FloatArray
    factors: FloatArray


@dataclass(frozen=True, slots=True)
class Group:
    """Series that are sums of others, and which of them each key belongs to.

    Attributes:
        histories: Of the groups, as of the end of the same day.
        member: (n,) The group of each key.
    """

    histories: Histories
    member: IntArray


@dataclass(frozen=True, slots=True)
class View:
    """Some series at the close of a day, in key order.

    Attributes:
        day: That has ended.
        keys: (n,) Whose series they are.
        histories: Of the keys, as of its end.
        new: (n,) How many days have come since the learner saw the series last.
        scheduled: (n,) Whose day of learning it is.
        ahead: What is known of the days to come.
        groups: By "sku" (all its locations), "category", "location" and "all".
        signals: (n, RING_DAYS + AHEAD_DAYS) What else is known of each key's days, by name: its
            holidays, and the external series; NaN where a value is not known (yet).
        prices: (n,) What one unit costs; NaN where it is not known.
        derived: What has been worked out of the view, once for foretelling and explaining.
    """

    day: int
    keys: Sequence[Key]
    histories: Histories
    new: IntArray
    scheduled: NDArray[np.bool_]
    ahead: Ahead
    groups: Mapping[str, Group]
    signals: Mapping[str, FloatArray]
    prices: FloatArray
    derived: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def some(self, rows: IntArray) -> "View":
        """Return the same day of some of the keys.

        Args:
            rows: Ascending; where it is all of them, the view itself is returned.
        """
        if len(rows) == len(self.keys):
            return self
        ahead = self.ahead
        return View(
            day=self.day,
            keys=[self.keys[row] for row in rows.tolist()],
            histories=Histories(self.histories.rows[rows]),
            new=self.new[rows],
            scheduled=self.scheduled[rows],
            ahead=Ahead(
                ahead.display[rows], ahead.mailing[rows], ahead.discount[rows], ahead.factors[rows]
            ),
            groups={
                name: Group(one.histories, one.member[rows]) for name, one in self.groups.items()
            },
            signals={name: values[rows] for name, values in self.signals.items()},
            prices=self.prices[rows],
        )


@dataclass(frozen=True, slots=True)
class Forecast:
    """Total demand over each horizon, as negative binomials: (n, len(HORIZONS_DAYS)) each.

    Coherent: mean and variance ascend with the horizon. Variance = mean + mean^2 / size.

    Attributes:
        mean: Units, > 0.
        size: The negative binomial's r, > 0.
        models: (n,) Which learner foretold each; empty where it is the same for all.
    """

    mean: FloatArray
    size: FloatArray
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """What a part of what is known adds to a forecast.

    Attributes:
        feature: Its name.
        units: Of the mean over the next 14 days.
    """

    feature: str
    units: float


class Learner(Protocol):
    """Something that learns demand online.

    Attributes:
        name: Under which it is registered, and published.
        version: Of its state; another version's is not read.
    """

    name: str
    version: int

    def learn(self, states: Sequence[bytes], view: View) -> list[bytes]:
        """Learn a day; return each series' new state.

        Args:
            states: (n,) As returned last; empty for a series never seen.
            view: In key order; a day comes in several when it has many keys.
        """

    def forecast(self, states: Sequence[bytes], view: View) -> Forecast:
        """Return the distribution of what comes after the day; nothing is changed.

        Args:
            states: (n,) As returned last, which may have been some days ago.
            view: Of the same keys.
        """

    def explain(self, states: Sequence[bytes], view: View) -> list[tuple[Share, ...]]:
        """Return for each series what its mean is made of; the shares add up to it."""

    def shared(self) -> bytes:
        """Return what is known of all series together."""

    def restore(self, shared: bytes) -> None:
        """Take up again what `shared` returned."""
