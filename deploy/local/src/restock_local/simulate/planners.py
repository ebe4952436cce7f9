"""Who decides what is ordered in a simulation: the replenisher's policies, and a yardstick."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.stats import norm

from replenisher.domain.lead_times import LeadTimes
from replenisher.domain.policies.protocol import Costs, Policy, Situation, Targets
from replenisher.domain.policies.shortage_prices import ShortagePrices
from replenisher.domain.policy import IntArray
from replenisher.domain.protection import FloatArray, HorizonGrid
from restock_local.simulate.setting import Setting

_MOVING_AVERAGE_DAYS = 56


@dataclass(frozen=True, slots=True)
class Known:
    """What is known on the morning of a review.

    Attributes:
        day: Its column.
        position: (n,) units.
        history: (n, day) units asked for so far.
        unmet: (n,) units asked for since the last review that were not served at once.
        horizons: What is forecast.
        lead_times: As learned so far.
    """

    day: int
    position: IntArray
    history: IntArray
    unmet: IntArray
    horizons: HorizonGrid
    lead_times: LeadTimes


class Planner(Protocol):
    """Decides what is ordered."""

    def order(self, known: Known, setting: Setting) -> IntArray:
        """Return what is ordered now: (n,) units."""


@dataclass(slots=True)
class ByPolicy:
    """The replenisher's domain code.

    Attributes:
        policy: Which of its policies.
    """

    policy: Policy

    def order(self, known: Known, setting: Setting) -> IntArray:
        """Return what the policy wants."""
        return self.policy.levels(self.situation(known, setting)).wanted(known.position)

    def situation(self, known: Known, setting: Setting) -> Situation:
        """Return what the policy is asked."""
        n = len(known.position)
        ones = np.ones(n, dtype=np.int64)
        return Situation(
            horizons=known.horizons,
            lead_time_days=known.lead_times.mean_days,
            lead_time_sd_days=known.lead_times.sd_days,
            review_days=np.full(n, float(setting.review_days)),
            cover_days=np.full(n, setting.cover_days),
            costs=setting.costs,
            targets=Targets(setting.cycle_service_level, setting.fill_rate),
            minimum_order_quantity=ones,
            pack_size=ones,
        )


@dataclass(slots=True)
class BySharedFillRate(ByPolicy):
    """Keeps each segment's fill rate by a price of what is unmet; see `shortage_prices`.

    Attributes:
        segment: (n,) each sku's, from 0 on.
        fill_rate: (segments,) targets.
        prices: As learned so far.
    """

    segment: IntArray
    fill_rate: FloatArray
    prices: ShortagePrices | None = None

    def order(self, known: Known, setting: Setting) -> IntArray:
        """Return what is wanted at the prices that what came before has taught."""
        situation = self.situation(known, setting)
        if self.prices is None:
            self.prices = ShortagePrices.start(situation, self.segment, self.fill_rate)
        else:
            asked = known.history[:, -setting.review_days :].sum(axis=1)
            self.prices = self.prices.after(self.segment, asked, known.unmet, setting.review_days)
        costs = replace(
            situation.costs,
            backorder=np.zeros(len(known.position)),
            lost_sale=self.prices.price[self.segment],
        )
        return self.policy.levels(replace(situation, costs=costs)).wanted(known.position)


@dataclass(frozen=True, slots=True)
class MovingAverage:
    """The yardstick: a 56-day moving average, normal safety stock, economic lots.

    s = d P + z sqrt(P sd_d^2 + d^2 sd_L^2) over P = lead time + review period, z at b / (b + h);
    S = s + sqrt(2 K d / h). It is given the same K, h, b, review and learned lead times. Fixed:
    whatever becomes of the policies, this stays as it is.

    Attributes:
        z: (n,) or one for all; None for the one of the costs.
        ratio: b / h.
    """

    ratio: float
    z: float | None = None

    def order(self, known: Known, setting: Setting) -> IntArray:
        """Return what is missing of S where the position is at s or below."""
        recent = known.history[:, -_MOVING_AVERAGE_DAYS:]
        mean, variance = recent.mean(axis=1), recent.var(axis=1, ddof=1)
        lead = known.lead_times
        protection = lead.mean_days + setting.review_days
        sd = np.sqrt(protection * variance + mean**2 * lead.sd_days**2)
        z = norm.ppf(self.ratio / (self.ratio + 1)) if self.z is None else self.z
        costs: Costs = setting.costs
        point = np.ceil(mean * protection + z * sd)
        upper = point + np.ceil(np.sqrt(2 * costs.order * mean / costs.holding))
        wanted: IntArray = np.where(
            known.position <= point, np.maximum(upper - known.position, 0), 0
        ).astype(np.int64)
        return wanted
