"""From wishes to orders: what is rounded, what binds, what is added so that it is worth it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from replenisher.domain.assessment import Assessment
from replenisher.domain.plan.blocks import Wish, cut
from replenisher.domain.plan.fill import Fill, fill
from replenisher.domain.plan.joint import Choice, choose
from replenisher.domain.plan.rounding import Rounded, rounded
from replenisher.domain.plan.value import Stakes, stakes
from replenisher.domain.protection import HorizonGrid
from replenisher.domain.terms import TermsBook
from restock_common.contracts.catalogue import SupplierTerms

MAX_LINES = 500
"""Lines of one purchase order: with their reasons well under the topic's limit."""
_TRUCK_SHARE = 0.75
"""From this share of a truck on it is filled up."""


@dataclass(slots=True)
class PlannedLine:
    """What is ordered of one place, by its index in the assessment.

    Attributes:
        index: Which place.
        wanted: What its policy wants, in units; 0 where it only shares the order's cost.
        quantity: What is ordered.
        rounding: How the wish became lots.
        constraint: What bound it, or why it is more than the wish.
    """

    index: int
    wanted: int
    quantity: int
    rounding: str
    constraint: str | None = None


@dataclass(slots=True)
class PlannedOrder:
    """An order to one supplier for one location."""

    supplier: str
    location: str
    lines: list[PlannedLine]


@dataclass(slots=True)
class Plan:
    """What a review orders.

    Attributes:
        orders: By supplier and location.
        deferred: Why nothing is ordered for a place that needs it, by its index.
        bounds: Of suppliers whose budget or room binds: what their choice saves, and at most could.
    """

    orders: list[PlannedOrder] = field(default_factory=list)
    deferred: dict[int, str] = field(default_factory=dict)
    bounds: dict[str, Choice] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a supplier's plan is made with."""

    assessment: Assessment
    book: TermsBook
    room: dict[str, int]
    plan: Plan

    def location(self, index: int) -> str:
        return self.assessment.positions[index].place.location

    def wish(self, index: int, quantity: int) -> Wish:
        terms = self.assessment.terms[index]
        return Wish(
            int(self.assessment.inventory_position[index]),
            quantity,
            terms.smallest_lot,
            terms.pack_size,
            terms.unit_cost_of(quantity),
        )


def make_plan(
    assessment: Assessment,
    wanted: Sequence[int],
    book: TermsBook,
    spent: Mapping[str, float],
    stored: Mapping[str, int],
) -> Plan:
    """Return the orders that cover what is wanted, as far as what binds lets them.

    Args:
        assessment: n places, sorted.
        wanted: Those to be ordered for, by index.
        book: The terms.
        spent: What was ordered this week, by supplier, in money.
        stored: What locations with a limit have or expect, in units.
    """
    room = {
        name: max(0, capacity - stored.get(name, 0))
        for name, capacity in assessment.capacity_units.items()
    }
    desk = _Desk(assessment, book, room, Plan())

    def supplier_of(index: int) -> str:
        return assessment.terms[index].supplier

    others = _others(assessment, book)
    for supplier, group in groupby(sorted(wanted, key=supplier_of), supplier_of):
        _plan_supplier(desk, supplier, list(group), others.get(supplier, []), spent)
    return desk.plan


def stakes_of(assessment: Assessment, indexes: Sequence[int]) -> Stakes:
    """Return what is at stake at some places until their next order would arrive."""
    terms = [assessment.terms[index] for index in indexes]
    days = np.array([one.protection_interval_days for one in terms]) + assessment.policy.cover_days
    grid = HorizonGrid.of([assessment.positions[index].forecast.horizons for index in indexes])
    return stakes(
        grid.protection_demand(days, np.array([one.lead_time.sd_days for one in terms])),
        np.array([one.unit_cost for one in terms]),
        np.array([one.cycle_service_level for one in terms]),
        assessment.policy.holding_rate_per_year,
        days,
    )


def _others(assessment: Assessment, book: TermsBook) -> dict[str, list[int]]:
    """Return what could be ordered along with others, by supplier; only where that has a use.

    A place is on the can-order list from where half of what is between s and S is gone.
    """
    useful = {
        supplier
        for supplier in {one.supplier for one in assessment.terms}
        if _has_targets(book.conditions(supplier))
    }
    if not useful:
        return {}
    can_order = (assessment.reorder_point + assessment.order_up_to_level) / 2
    near = (assessment.inventory_position <= can_order) & ~assessment.short
    found: dict[str, list[int]] = {}
    for index in np.flatnonzero(near).tolist():
        terms = assessment.terms[index]
        if terms.supplier in useful and terms.deferral is None:
            found.setdefault(terms.supplier, []).append(index)
    return found


def _has_targets(told: SupplierTerms) -> bool:
    return told.minimum_order_value is not None or told.truck_units is not None


def _plan_supplier(
    desk: _Desk, supplier: str, wanted: list[int], others: list[int], spent: Mapping[str, float]
) -> None:
    told = desk.book.conditions(supplier)
    wishes: list[tuple[int, Rounded]] = []
    for index in wanted:
        one = rounded(desk.assessment, index)
        if one.deferral is not None:
            desk.plan.deferred[index] = one.deferral
        else:
            wishes.append((index, one))
    budget = told.weekly_budget
    left = None if budget is None else max(0.0, budget - spent.get(supplier, 0.0))
    lines = _fitting(desk, wishes, left, budget)
    for location, group in groupby(
        sorted(lines, key=lambda line: desk.location(line.index)),
        lambda line: desk.location(line.index),
    ):
        near = [index for index in others if desk.location(index) == location]
        order = PlannedOrder(supplier, location, list(group))
        if left is not None:
            left -= _value(desk, order.lines)
        added = _fill_up(desk, order, near, told, left)
        if added is None:
            continue
        if left is not None:
            left -= added
        if location in desk.room:
            desk.room[location] -= sum(line.quantity for line in order.lines)
        desk.plan.orders.append(order)


def _fitting(
    desk: _Desk,
    wishes: list[tuple[int, Rounded]],
    left: float | None,
    budget: float | None,
) -> list[PlannedLine]:
    """Return the lines that fit into budget and room; the rest is deferred."""
    if not wishes:
        return []
    cuts = [desk.wish(index, one.quantity) for index, one in wishes]
    blocks = cut(cuts, stakes_of(desk.assessment, [index for index, _ in wishes]))
    where = [desk.location(index) for index, _ in wishes]
    choice = choose(blocks, left, where, desk.room)
    lines = []
    if not choice.chosen.all():
        desk.plan.bounds[desk.assessment.terms[wishes[0][0]].supplier] = choice
    what = _what_binds(left, budget, choice.price)
    for (index, one), units in zip(
        wishes, blocks.taken(choice.chosen, len(wishes)).tolist(), strict=True
    ):
        constraint = one.constraint
        if units < one.quantity:
            constraint = what
        if units == 0:
            desk.plan.deferred[index] = f"no room in this review: {what}"
            continue
        wish = int(desk.assessment.order_quantity[index])
        lines.append(PlannedLine(index, wish, units, one.rounding, constraint))
    return lines


def _what_binds(left: float | None, budget: float | None, price: float) -> str:
    if left is None or price == 0:
        return "the location's storage capacity"
    return (
        f"the weekly budget of {budget:.2f}, of which {left:.2f} was left; 1.00 more would save "
        f"{price:.4f}"
    )


def _value(desk: _Desk, lines: Sequence[PlannedLine]) -> float:
    terms = desk.assessment.terms
    return sum(terms[one.index].unit_cost_of(one.quantity) * one.quantity for one in lines)


def _fill_up(
    desk: _Desk, order: PlannedOrder, near: list[int], told: SupplierTerms, left: float | None
) -> float | None:
    """Add to an order what it lacks to be taken; return what that costs, None where it cannot be.

    First what could be ordered anyway soon, then more of what is needed.
    """
    before = _value(desk, order.lines)
    minimum = told.minimum_order_value or 0.0
    units = sum(line.quantity for line in order.lines)
    space = desk.room.get(order.location)
    if before < minimum:
        lacking = Fill(minimum - before, 0, f"the minimum order value of {minimum:.2f}")
        if not _filled(desk, order, near, lacking, left, space):
            reason = (
                f"the order is worth {before:.2f}, below the supplier's minimum of {minimum:.2f}"
            )
            desk.plan.deferred.update({line.index: reason for line in order.lines if line.wanted})
            return None
    truck = told.truck_units
    if truck is not None and (units % truck) >= _TRUCK_SHARE * truck:
        lacking = Fill(0.0, truck - units % truck, f"a full truck of {truck}")
        _filled(desk, order, near, lacking, left, space)
    return _value(desk, order.lines) - before


def _filled(
    desk: _Desk,
    order: PlannedOrder,
    near: list[int],
    lacking: Fill,
    left: float | None,
    space: int | None,
) -> bool:
    """Add the best blocks until nothing is lacking; return whether that was possible."""
    by_index = {line.index: line for line in order.lines}
    candidates = [*by_index, *(index for index in near if index not in by_index)]
    wishes, taken = [], []
    for index in candidates:
        line = by_index.get(index)
        have = 0 if line is None else line.quantity
        most = rounded(desk.assessment, index, times=2 if have else 1)
        wishes.append(desk.wish(index, max(have, most.quantity)))
        taken.append(have)
    blocks = cut(wishes, stakes_of(desk.assessment, candidates), taken)
    added = fill(blocks, lacking, left, space, len(candidates))
    if added is None:
        return False
    for index, units in zip(candidates, added, strict=True):
        if units:
            line = by_index.get(index)
            if line is None:
                line = PlannedLine(index, 0, 0, "ordered along with others")
                order.lines.append(line)
            line.quantity += units
            line.constraint = f"{units} units more for {lacking.what}"
    order.lines.sort(key=lambda line: line.index)
    return True
