"""The review: at a cut in event time, every open need becomes a line of a purchase order."""

from collections.abc import Iterator
from datetime import date
from itertools import groupby
from typing import ClassVar

from replenisher.domain.assessment import Assessment, assess, revise_needs
from replenisher.domain.model import NeedState, Place, Review, WorkingSet
from replenisher.domain.terms import TermsBook
from restock_common.contracts.envelope import derive_id
from restock_common.contracts.event import Event
from restock_common.contracts.replenishment import PurchaseOrderLine, PurchaseOrderPlaced
from restock_common.contracts.topics import STOCK, Topic
from restock_common.units import Timestamp

MAX_LINES = 500
"""Lines of one purchase order: half a megabyte with their reasons, under the topic's limit."""


class ReviewDue(Event):
    """Every source has spoken up to `cut_at`, which lies in a day not yet reviewed.

    From within, decided on the first partition of stock, never published.
    """

    topic: ClassVar[Topic] = STOCK

    review_date: date
    cut_at: Timestamp


def make_review(state: WorkingSet, book: TermsBook, due: ReviewDue) -> list[PurchaseOrderPlaced]:
    """Assess every place at the cut and place one order a supplier and location, in that order.

    A date that has been reviewed gives nothing: what was ordered then is never recomputed.

    Args:
        state: Every place that could be in need; what is ordered is booked in it.
        book: The terms at the cut.
        due: Which review.
    """
    if due.review_date in state.reviewed:
        return []
    positions = [state.positions[place] for place in sorted(state.positions)]
    assessment = assess(positions, book)
    revise_needs(assessment, [due.cut_at] * len(positions))
    needs = [position.need for position in positions]
    wanted = [
        index
        for index, need in enumerate(needs)
        if need is not None and need.state is NeedState.OPEN
    ]
    orders = list(_orders(assessment, wanted, due))
    for order in orders:
        _book(state, order)
    state.review = Review(
        review_date=due.review_date,
        cut_at=due.cut_at,
        purchase_orders=len(orders),
        order_lines=len(wanted),
        deferred=sum(need is not None for need in needs) - len(wanted),
    )
    return orders


def _orders(
    assessment: Assessment, wanted: list[int], due: ReviewDue
) -> Iterator[PurchaseOrderPlaced]:
    def counterparty(index: int) -> tuple[str, str]:
        return assessment.terms[index].supplier, assessment.positions[index].place.location

    # The sort is stable and positions are sorted: lines stand in the order of their skus.
    for (supplier, location), group in groupby(sorted(wanted, key=counterparty), counterparty):
        indexes = list(group)
        for part, start in enumerate(range(0, len(indexes), MAX_LINES)):
            parts = (part,) if part else ()
            identity = derive_id("purchase-order", supplier, location, due.review_date, *parts)
            yield PurchaseOrderPlaced(
                supplier=supplier,
                purchase_order=identity,
                location=location,
                placed_at=due.cut_at,
                lines=tuple(
                    _line(assessment, index, identity)
                    for index in indexes[start : start + MAX_LINES]
                ),
            )


def _line(assessment: Assessment, index: int, purchase_order: str) -> PurchaseOrderLine:
    position = assessment.positions[index]
    assert position.need is not None, f"{position.place} is ordered for without a need"
    return PurchaseOrderLine(
        order_line=derive_id(purchase_order, position.place.sku),
        need=position.need.id,
        sku=position.place.sku,
        quantity=int(assessment.order_quantity[index]),
        reason=assessment.reason(index),
    )


def _book(state: WorkingSet, placed: PurchaseOrderPlaced) -> None:
    """Cover each need by its line and count the units as on order."""
    state.placed.append(placed)
    for line in placed.lines:
        position = state.positions[Place(line.sku, placed.location)]
        position.need = None
        position.on_order += line.quantity
        position.lines_placed += 1
        position.changed = True
