"""Many places assessed at once: how each stands against its reorder point, with every figure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

import numpy as np
import numpy.typing as npt

from replenisher.domain.levels import levels_of
from replenisher.domain.model import Answered, Cause, Place, Position
from replenisher.domain.needs import revise
from replenisher.domain.policies.protocol import Levels
from replenisher.domain.policies.service_level import CycleService
from replenisher.domain.policy import IntArray, order_quantity
from replenisher.domain.protection import Demand, FloatArray, HorizonGrid
from replenisher.domain.terms import Policy, Terms, TermsBook
from restock_common.contracts.catalogue import Catalogue
from restock_common.contracts.replenishment import OrderReason

NOTHING_ANSWERED: Mapping[Place, Answered] = {}


@dataclass(frozen=True, slots=True)
class Assessment:
    """n places with their figures, in units; each array is (n,)."""

    positions: Sequence[Position]
    terms: Sequence[Terms]
    policy: Policy
    inventory_position: IntArray
    protection_demand: Demand
    cover_demand_mean: FloatArray
    levels: Levels
    reorder_point: IntArray
    order_up_to_level: IntArray
    order_quantity: IntArray
    capacity_units: Mapping[str, int]

    @property
    def short(self) -> npt.NDArray[np.bool_]:
        """Return where the inventory position is at or below the reorder point: (n,)."""
        return self.inventory_position <= self.reorder_point

    def deferral(self, index: int, at: datetime) -> str | None:
        """Return why a place cannot be ordered for at a time; None where it can.

        A missing forecast is no reason: without one a place is short by what it owes, and waiting
        could be for ever, since demand is observed where it arises, not where it was served.
        """
        terms, position = self.terms[index], self.positions[index]
        if terms.deferral is not None:
            return terms.deferral
        capacity = self.capacity_units.get(position.place.location)
        if capacity is not None and terms.smallest_lot > capacity:
            return (
                f"the smallest lot of {terms.smallest_lot} is above the location's capacity of "
                f"{capacity}"
            )
        learned_until = position.forecast.learned_until
        oldest = timedelta(days=self.policy.forecast_age_days_max)
        if learned_until is not None and at - learned_until > oldest:
            return f"the forecast is {(at - learned_until).days} days old"
        return None

    def reason(self, index: int) -> OrderReason:
        """Return the sum behind a place's order quantity."""
        position, terms = self.positions[index], self.terms[index]
        return OrderReason(
            formula=self._formula(index),
            inventory_position=position.inventory_position,
            on_hand=position.on_hand,
            unsellable=position.unsellable,
            reserved=position.reserved,
            backordered=position.backordered,
            in_transit=position.in_transit,
            on_order=position.on_order,
            reorder_point=int(self.reorder_point[index]),
            order_up_to_level=int(self.order_up_to_level[index]),
            protection_interval_days=round(terms.protection_interval_days, 4),
            protection_demand_mean=round(float(self.protection_demand.mean[index]), 4),
            protection_demand_sd=round(sqrt(self.protection_demand.variance[index]), 4),
            cycle_service_level=terms.cycle_service_level,
            minimum_order_quantity=terms.minimum_order_quantity,
            pack_size=terms.pack_size,
            forecast_learned_until=position.forecast.learned_until,
            policy=self._policy(index),
            level_event=position.level_event,
            forecast_event=position.forecast.event,
        )

    def _policy(self, index: int) -> str:
        return self.levels.policies[int(self.levels.formula[index])]

    def _formula(self, index: int) -> str:
        terms, name = self.terms[index], self._policy(index)
        if name != CycleService.name:
            trace = self.levels.trace(index)
            numbers = ", ".join(f"{key} {value:.6g}" for key, value in trace.numbers.items())
            return (
                f"{name}: {trace.formula}; with {numbers}; "
                f"Q = max(S - position, minimum order) in whole packs of {terms.pack_size}"
            )
        return (
            f"s = negative binomial quantile at {terms.cycle_service_level:g} of the demand over "
            f"lead time {terms.lead_time.mean_days:.2f} d (sd {terms.lead_time.sd_days:.2f}) + "
            f"review {terms.review_period_days:g} d; S = s + max(minimum order "
            f"{terms.minimum_order_quantity}, {self.policy.cover_days:g}-day demand "
            f"{float(self.cover_demand_mean[index]):.2f}); Q = max(S - position, minimum order) "
            f"in whole packs of {terms.pack_size}"
        )


def assess(positions: Sequence[Position], book: TermsBook) -> Assessment:
    """Return how each place stands now, by what is known of its demand and its supplier."""
    terms = [book.of(position.place.sku) for position in positions]
    grid = HorizonGrid.of([position.forecast.horizons for position in positions])
    interval_days = _floats(terms, lambda one: one.protection_interval_days)
    lead_time_sd_days = _floats(terms, lambda one: one.lead_time.sd_days)
    protection = grid.protection_demand(interval_days, lead_time_sd_days)
    cover = grid.demand_over(np.full(len(positions), book.policy.cover_days)).mean
    minimum = _ints(terms, lambda one: one.minimum_order_quantity)
    pack = _ints(terms, lambda one: one.pack_size)
    held = np.array([position.inventory_position for position in positions], dtype=np.int64)
    levels = levels_of([position.place.sku for position in positions], terms, grid, book)
    return Assessment(
        positions=positions,
        terms=terms,
        policy=book.policy,
        inventory_position=held,
        protection_demand=protection,
        cover_demand_mean=cover,
        levels=levels,
        reorder_point=levels.reorder_point,
        order_up_to_level=levels.order_up_to_level,
        order_quantity=order_quantity(held, levels.order_up_to_level, minimum, pack),
        capacity_units=capacities(book.catalogue),
    )


def revise_needs(
    assessment: Assessment,
    causes: Sequence[Cause],
    answered: Mapping[Place, Answered] = NOTHING_ANSWERED,
    *,
    reviewing: bool = False,
) -> None:
    """Open, defer, renew or close the need of each place.

    Args:
        assessment: n places with their figures.
        causes: (n,) What made each be looked at.
        answered: Needs whose order line has just gone.
        reviewing: Whether what is deferred may be ordered for again.
    """
    short = assessment.short
    for index, position in enumerate(assessment.positions):
        if not short[index] and position.need is None:
            continue
        changed = revise(
            position,
            short=bool(short[index]),
            deferral=assessment.deferral(index, causes[index].at) if short[index] else None,
            reviewing=reviewing,
            cause=causes[index],
            answered=answered.get(position.place),
        )
        position.changed = position.changed or changed


def capacities(catalogue: Catalogue) -> dict[str, int]:
    """Return what locations can hold, in units, where that is told."""
    return {
        name: location.storage_capacity_units
        for name, location in catalogue.locations.items()
        if location.storage_capacity_units is not None
    }


def _floats(terms: Sequence[Terms], value: Callable[[Terms], float]) -> FloatArray:
    return np.array([value(one) for one in terms], dtype=np.float64)


def _ints(terms: Sequence[Terms], value: Callable[[Terms], int]) -> IntArray:
    return np.array([value(one) for one in terms], dtype=np.int64)
