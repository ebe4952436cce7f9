"""The review: at a cut in event time, open needs become lines of purchase orders, by supplier."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import ClassVar

import numpy as np
from pydantic import Field

from replenisher.domain.assessment import Assessment, assess, revise_needs
from replenisher.domain.model import (
    Cause,
    NeedState,
    OrderState,
    PurchaseOrder,
    Review,
    WorkingSet,
)
from replenisher.domain.needs import opened
from replenisher.domain.orders import placed, proposed
from replenisher.domain.plan import Plan, PlannedLine, PlannedOrder, make_plan
from replenisher.domain.plan.orders import MAX_LINES, stakes_of
from replenisher.domain.risks import review_risks
from replenisher.domain.terms import TermsBook
from restock_common.contracts.envelope import derive_id
from restock_common.contracts.event import Event
from restock_common.contracts.replenishment import Alternative, PurchaseOrderLine
from restock_common.contracts.topics import STOCK, Topic
from restock_common.units import Timestamp

ALL = ""
"""Stands for every supplier."""


class ReviewDue(Event):
    """Every source has spoken up to `cut_at`, which lies in a day not yet reviewed.

    From within, decided on the first partition of stock, never published.

    Attributes:
        review_date: The day, UTC.
        cut_at: Up to when everything has been heard.
        suppliers: Whose goods are reviewed, and which those are; all where none is named.
        limited: Locations that can hold only so much.
    """

    topic: ClassVar[Topic] = STOCK

    review_date: date
    cut_at: Timestamp
    suppliers: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    limited: tuple[str, ...] = ()


def make_review(state: WorkingSet, book: TermsBook, due: ReviewDue, cause: Cause) -> list[Event]:
    """Assess every place at the cut, and order for each supplier what its places need together.

    A date that has been reviewed gives nothing: what was ordered then is never recomputed.

    Args:
        state: Every place that could be in need; what is ordered is booked in it.
        book: The terms at the cut.
        due: Which review.
        cause: Its message.
    """
    suppliers = [
        supplier
        for supplier in due.suppliers or {ALL: ()}
        if (supplier, due.review_date) not in state.reviewed
    ]
    if not suppliers:
        return []
    skus = {sku for supplier in suppliers for sku in due.suppliers.get(supplier, ())}
    places = (place for place in state.positions if not due.suppliers or place.sku in skus)
    positions = [state.positions[place] for place in sorted(places)]
    assessment = assess(positions, book)
    revise_needs(assessment, [cause] * len(positions), reviewing=True)
    wanted = [
        index
        for index, position in enumerate(positions)
        if position.need is not None and position.need.state is NeedState.OPEN
    ]
    plan = make_plan(assessment, wanted, book, state.spent, state.stored)
    for index, reason in plan.deferred.items():
        _defer(assessment, index, reason)
    events = [
        event
        for planned in plan.orders
        for event in _orders(state, assessment, planned, due, cause)
    ]
    events += review_risks(state, assessment, book, suppliers, cause.at)
    state.reviews += _reviews(assessment, plan, suppliers, due)
    return events


def _defer(assessment: Assessment, index: int, reason: str) -> None:
    position = assessment.positions[index]
    assert position.need is not None, f"{position.place} is deferred without a need"
    deferred = replace(position.need, state=NeedState.DEFERRED, reason=reason)
    position.changed = position.changed or deferred != position.need
    position.need = deferred


def _orders(
    state: WorkingSet,
    assessment: Assessment,
    planned: PlannedOrder,
    due: ReviewDue,
    cause: Cause,
) -> Iterator[Event]:
    """Book an order, cut into parts that fit the topic; one that is dear waits for approval."""
    alternatives = _alternatives(assessment, planned.lines)
    limit = assessment.policy.approval_limit
    for part, start in enumerate(range(0, len(planned.lines), MAX_LINES)):
        parts = (part,) if part else ()
        name = derive_id(
            "purchase-order", planned.supplier, planned.location, due.review_date, *parts
        )
        chunk = slice(start, start + MAX_LINES)
        lines = tuple(
            _line(assessment, line, alternative, name, cause)
            for line, alternative in zip(planned.lines[chunk], alternatives[chunk], strict=True)
        )
        value = sum(line.quantity * (line.reason.unit_cost or 0.0) for line in lines)
        lead_days = max(
            assessment.terms[line.index].lead_time.mean_days for line in planned.lines[chunk]
        )
        waits = limit is not None and value > limit
        order = PurchaseOrder(
            id=name,
            supplier=planned.supplier,
            location=planned.location,
            placed_at=due.cut_at,
            open_lines=len(lines),
            state=OrderState.PROPOSED if waits else OrderState.PLACED,
            value=value,
            expected_at=None if waits else due.cut_at + timedelta(days=lead_days),
            lead_days=lead_days,
        )
        _book(state, assessment, order, planned.lines[chunk], lines)
        if not waits:
            state.to_send.append(order.id)
        yield proposed(order, lines) if waits else placed(order, lines)


def _line(
    assessment: Assessment,
    planned: PlannedLine,
    alternative: Alternative,
    purchase_order: str,
    cause: Cause,
) -> PurchaseOrderLine:
    position = assessment.positions[planned.index]
    # What only shares the cost of the order has no need yet: the review opens and answers it.
    need = position.need or opened(position, cause)
    terms = assessment.terms[planned.index]
    return PurchaseOrderLine(
        order_line=derive_id(purchase_order, position.place.sku),
        need=need.id,
        need_revision=need.revision,
        sku=position.place.sku,
        quantity=planned.quantity,
        reason=assessment.reason(planned.index).model_copy(
            update={
                "wanted_quantity": planned.wanted,
                "rounding": planned.rounding,
                "constraint": planned.constraint,
                "unit_cost": round(terms.unit_cost_of(planned.quantity), 6),
                "alternative": alternative,
            }
        ),
    )


def _alternatives(assessment: Assessment, lines: Sequence[PlannedLine]) -> list[Alternative]:
    """Return the cheapest of: one pack more, one less, nothing until the next order."""
    indexes = [line.index for line in lines]
    stakes = stakes_of(assessment, indexes)
    position = assessment.inventory_position[indexes].astype(np.float64)
    quantity = np.array([line.quantity for line in lines], dtype=np.float64)
    pack = np.array([assessment.terms[index].pack_size for index in indexes])
    lot = np.array([assessment.terms[index].smallest_lot for index in indexes])
    fewer = quantity - pack
    choices = np.stack([quantity + pack, np.where(fewer >= lot, fewer, 0.0), quantity * 0.0])
    costs = np.stack([stakes.expected_cost(position + choice) for choice in choices])
    chosen = stakes.expected_cost(position + quantity)
    best = costs.argmin(axis=0)
    return [
        Alternative(
            quantity=int(choices[best[n], n]),
            expected_cost=round(float(costs[best[n], n]), 4),
            chosen_expected_cost=round(float(chosen[n]), 4),
        )
        for n in range(len(lines))
    ]


def _book(
    state: WorkingSet,
    assessment: Assessment,
    order: PurchaseOrder,
    planned: Sequence[PlannedLine],
    lines: tuple[PurchaseOrderLine, ...],
) -> None:
    """Cover each need by its line and count the units as on order."""
    state.placed.append((order, lines))
    for one, line in zip(planned, lines, strict=True):
        position = assessment.positions[one.index]
        position.need = None
        position.on_order += line.quantity
        position.lines_placed += 1
        position.changed = True


def _reviews(
    assessment: Assessment, plan: Plan, suppliers: Sequence[str], due: ReviewDue
) -> Iterator[Review]:
    """Return what is kept of the review, by supplier."""
    whole = list(suppliers) == [ALL]
    orders: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    deferred: Counter[str] = Counter()
    for order in plan.orders:
        name = ALL if whole else order.supplier
        orders[name] += -(-len(order.lines) // MAX_LINES)
        lines[name] += len(order.lines)
    for position, terms in zip(assessment.positions, assessment.terms, strict=True):
        if position.need is not None:
            deferred[ALL if whole else terms.supplier] += 1
    for supplier in suppliers:
        bounds = [one for name, one in plan.bounds.items() if whole or name == supplier]
        yield Review(
            review_date=due.review_date,
            cut_at=due.cut_at,
            purchase_orders=orders[supplier],
            order_lines=lines[supplier],
            deferred=deferred[supplier],
            supplier=supplier,
            value=sum(one.value for one in bounds) if bounds else None,
            bound=sum(one.bound for one in bounds) if bounds else None,
        )
