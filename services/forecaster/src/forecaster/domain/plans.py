"""What is planned to be sold how: promotions and prices, by day, as told ahead."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from forecaster.domain.history import FloatArray
from forecaster.domain.learner import Key

EVERYWHERE = ""
"""The location of a plan for all of them."""
_KEPT_DAYS = 60


class Plan(NamedTuple):
    """One sku's promotion on whole days, at one location or at all of them.

    Attributes:
        first_day: Its first day.
        last_day: Its last.
        display: How widely it is displayed, in [0, 1].
        mailing: How widely it is mailed, in [0, 1].
        discount: Below the regular price, as a share of it, in [0, 1).
    """

    first_day: int
    last_day: int
    display: float
    mailing: float
    discount: float


class _Strip(NamedTuple):
    """The plans of one key laid side by side."""

    first_day: int
    shares: FloatArray


@dataclass(slots=True)
class Plans:
    """Every plan that is not long past: by (sku, location), then by its own id."""

    by_key: dict[Key, dict[str, Plan]] = field(default_factory=dict)
    _strips: dict[Key, _Strip] = field(default_factory=dict)

    def put(self, key: Key, identity: str, plan: Plan | None) -> None:
        """Take a plan's latest version; None where it is cancelled."""
        known = self.by_key.setdefault(key, {})
        if plan is None:
            known.pop(identity, None)
        else:
            known[identity] = plan
        self._strips.pop(key, None)
        if not known:
            del self.by_key[key]

    def forget(self, day: int) -> None:
        """Let go of what ended long before a day."""
        for key in list(self.by_key):
            for identity, plan in list(self.by_key[key].items()):
                if plan.last_day < day - _KEPT_DAYS:
                    self.put(key, identity, None)

    def shares(self, keys: Sequence[Key], first_day: int, days: int) -> FloatArray:
        """Return display, mailing and discount by day: (3, n, days), the strongest where several.

        Args:
            keys: Whose; plans for all locations of their skus count as well.
            first_day: Of the stretch.
            days: Its length.
        """
        found = np.zeros((3, len(keys), days))
        if not self.by_key:
            return found
        for row, key in enumerate(keys):
            for place in (key, Key(key.sku, EVERYWHERE)):
                if place in self.by_key:
                    strip = self._strip(place)
                    start = max(strip.first_day - first_day, 0)
                    end = min(strip.first_day + strip.shares.shape[1] - first_day, days)
                    if start < end:
                        offset = first_day - strip.first_day
                        told = strip.shares[:, start + offset : end + offset]
                        stretch = found[:, row, start:end]
                        np.maximum(stretch, told, out=stretch)
        return found

    def _strip(self, key: Key) -> _Strip:
        strip = self._strips.get(key)
        if strip is None:
            plans = list(self.by_key[key].values())
            first = min(plan.first_day for plan in plans)
            shares = np.zeros((3, max(plan.last_day for plan in plans) - first + 1))
            for plan in plans:
                stretch = shares[:, plan.first_day - first : plan.last_day - first + 1]
                np.maximum(stretch, np.array(plan[2:])[:, None], out=stretch)
            strip = self._strips[key] = _Strip(first, shares)
        return strip
