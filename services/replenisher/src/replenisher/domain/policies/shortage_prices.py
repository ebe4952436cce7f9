"""A fill rate shared by a segment: one price of an unmet unit, learned from what came of it.

To keep a segment's fill rate with the least stock, a unit that cannot be served must cost the same
in every sku of it: then a unit of stock lies where it is worth most. `least-cost` finds the levels
for a price; the price follows what was realised. About doubling it halves what is unmet, so its
logarithm takes a part of the logarithm of realised over allowed.
"""

from dataclasses import dataclass

import numpy as np

from replenisher.domain.policies.protocol import Situation
from replenisher.domain.policy import IntArray
from replenisher.domain.protection import FloatArray

_GAIN_A_WEEK = 0.12
_MEMORY_WEEKS = 8.0
_STEP_MAX = 0.25
_EXCESS_SHARE = 0.4
"""Of a standard deviation: the mean of what is short where something is, at the start."""


@dataclass(frozen=True, slots=True)
class ShortagePrices:
    """The price of an unmet unit in each segment; (segments,) each.

    Attributes:
        price: Money.
        allowed: Share of what is asked for that may be unmet.
        asked: Units, fading.
        unmet: Of them, fading.
    """

    price: FloatArray
    allowed: FloatArray
    asked: FloatArray
    unmet: FloatArray

    @classmethod
    def start(
        cls, situation: Situation, segment: IntArray, fill_rate: FloatArray
    ) -> "ShortagePrices":
        """Return prices from what a shortage is expected to be.

        Args:
            situation: Of all skus.
            segment: (n,) each sku's segment, from 0 on.
            fill_rate: (segments,) targets, in (0, 1).
        """
        count, allowed = len(fill_rate), 1 - fill_rate
        sd = situation.protection_demand().sd
        held = situation.costs.holding * _EXCESS_SHARE * sd
        worth = np.bincount(segment, held, count)
        rate = np.bincount(segment, situation.daily_rate(), count)
        price = worth / np.maximum(rate * allowed, 1e-12)
        nothing = np.zeros(count)
        return cls(price, allowed, nothing, nothing)

    def after(
        self, segment: IntArray, asked: IntArray, unmet: IntArray, days: float
    ) -> "ShortagePrices":
        """Return the prices after some days more.

        Args:
            segment: (n,) each sku's segment.
            asked: (n,) units asked for in these days.
            unmet: (n,) of them not served at once.
            days: How many.
        """
        count = len(self.price)
        weeks = days / 7
        kept = 0.5 ** (weeks / _MEMORY_WEEKS)
        all_asked = kept * self.asked + np.bincount(segment, asked, count)
        all_unmet = kept * self.unmet + np.bincount(segment, unmet, count)
        # As if the target had been met by as much as one week asks for: no price for nothing.
        prior = all_asked * (1 - 0.5 ** (1 / _MEMORY_WEEKS))
        wanted = self.allowed * (all_asked + prior)
        found = all_unmet + self.allowed * prior
        gap = np.log(np.maximum(found, 1e-12) / np.maximum(wanted, 1e-12))
        step = np.clip(_GAIN_A_WEEK * weeks * gap, -_STEP_MAX, _STEP_MAX)
        price = self.price * np.exp(np.where(wanted > 0, step, 0.0))
        return ShortagePrices(price, self.allowed, all_asked, all_unmet)
