"""What another target, lead time or budget would order; nothing is written."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Protocol

from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict, Field

from replenisher.domain.lead_time import LeadTime, LeadTimeRecord
from replenisher.domain.model import Cause, NeedState, Position, WorkingSet
from replenisher.domain.review import ReviewDue, make_review
from replenisher.domain.terms import Policy, Terms, TermsBook
from restock_common.contracts.catalogue import Catalogue, SupplierTerms
from restock_common.units import Identifier


class Whatif(BaseModel):
    """What is to be different in the next review of one supplier; what is left out stays.

    Attributes:
        supplier: Whose review.
        cycle_service_level: Another target.
        lead_time_days_mean: Another lead time, believed without a doubt.
        lead_time_days_sd: And its spread.
        weekly_budget: What may be ordered in the week.
        cover_days: How long one order should last.
    """

    model_config = ConfigDict(extra="forbid")

    supplier: Identifier
    cycle_service_level: Annotated[float, Field(ge=0.5, lt=1)] | None = None
    lead_time_days_mean: Annotated[float, Field(gt=0, le=365)] | None = None
    lead_time_days_sd: Annotated[float, Field(ge=0, le=365)] | None = None
    weekly_budget: Annotated[float, Field(ge=0)] | None = None
    cover_days: Annotated[float, Field(gt=0, le=90)] | None = None


class Ordered(BaseModel):
    """What a review would order now.

    Attributes:
        lines: Order lines.
        units: Over all of them.
        value: In money.
        deferred: Needs that would stay without a line.
        expected_cost: Holding and shortage of what is ordered until the next order.
    """

    lines: int
    units: int
    value: float
    deferred: int
    expected_cost: float


class WhatifLine(BaseModel):
    """A place where something else would be ordered."""

    sku: str
    location: str
    units: int
    units_now: int
    constraint: str | None


class WhatifAnswer(BaseModel):
    """What would be ordered as things are, and as they might be."""

    supplier: str
    now: Ordered
    then: Ordered
    lines: list[WhatifLine]


class Source(Protocol):
    """What is looked at."""

    async def lead_times(self) -> dict[str, LeadTimeRecord]:
        """Return what was observed, by supplier."""

    async def reviewable(self, skus: Sequence[str]) -> list[Position]:
        """Return the positions of some skus."""

    async def spent(self, supplier: str, since: datetime) -> float:
        """Return what was ordered of a supplier since a time, in money."""

    async def reviewed_until(self) -> datetime:
        """Return the time of the last review's cut."""


class _OtherBook(TermsBook):
    """The terms as they might be."""

    __slots__ = ("asked",)

    asked: Whatif

    def of(self, sku: str) -> Terms:
        terms = TermsBook.of(self, sku)
        asked = self.asked
        if asked.cycle_service_level is not None:
            terms = replace(terms, cycle_service_level=asked.cycle_service_level)
        mean, sd = asked.lead_time_days_mean, asked.lead_time_days_sd
        if mean is not None or sd is not None:
            known = terms.lead_time
            other = LeadTime(
                known.mean_days if mean is None else mean, known.sd_days if sd is None else sd
            )
            terms = replace(terms, lead_time=other)
        return terms

    def conditions(self, supplier: str, sku: str | None = None) -> SupplierTerms:
        told = TermsBook.conditions(self, supplier, sku)
        if self.asked.weekly_budget is None:
            return told
        return told.model_copy(update={"weekly_budget": self.asked.weekly_budget})


async def answer(
    asked: Whatif, source: Source, catalogue: Catalogue, policy: Policy
) -> WhatifAnswer:
    """Return what the next review of a supplier would order, as things are and as asked."""
    if asked.supplier not in catalogue.suppliers:
        raise HTTPException(404, f"there is no supplier {asked.supplier!r}")
    skus = [sku for sku, one in catalogue.products.items() if one.supplier == asked.supplier]
    lead_times = await source.lead_times()
    cut_at = await source.reviewed_until() + timedelta(seconds=1)
    midnight = cut_at.replace(hour=0, minute=0, second=0, microsecond=0)
    spent = await source.spent(asked.supplier, midnight - timedelta(days=midnight.weekday()))
    books = TermsBook(catalogue, lead_times, policy), _OtherBook(catalogue, lead_times, policy)
    other = books[1]
    assert isinstance(other, _OtherBook)
    other.asked = asked
    if asked.cover_days is not None:
        other.policy = replace(policy, cover_days=asked.cover_days)
    results = []
    for book in books:
        # Each trial has positions of its own: a review books what it orders in them.
        state = WorkingSet(spent={asked.supplier: spent})
        state.positions = {one.place: one for one in await source.reviewable(skus)}
        make_review(
            state,
            book,
            ReviewDue(
                review_date=cut_at.date(), cut_at=cut_at, suppliers={asked.supplier: tuple(skus)}
            ),
            Cause(cut_at, "whatif"),
        )
        results.append(state)
    now, then = results
    units = [_units(state) for state in results]
    constraints = {
        (line.sku, order.location): line.reason.constraint
        for order, lines in then.placed
        for line in lines
    }
    return WhatifAnswer(
        supplier=asked.supplier,
        now=_summed(now),
        then=_summed(then),
        lines=[
            WhatifLine(
                sku=place[0],
                location=place[1],
                units=units[1].get(place, 0),
                units_now=units[0].get(place, 0),
                constraint=constraints.get(place),
            )
            for place in sorted({*units[0], *units[1]})
            if units[0].get(place) != units[1].get(place)
        ],
    )


def _units(state: WorkingSet) -> dict[tuple[str, str], int]:
    return {
        (line.sku, order.location): line.quantity for order, lines in state.placed for line in lines
    }


def _summed(state: WorkingSet) -> Ordered:
    lines = [line for _, some in state.placed for line in some]
    needs = [position.need for position in state.positions.values()]
    costs = [line.reason.alternative for line in lines]
    return Ordered(
        lines=len(lines),
        units=sum(line.quantity for line in lines),
        value=round(sum(order.value for order, _ in state.placed), 2),
        deferred=sum(need is not None and need.state is NeedState.DEFERRED for need in needs),
        expected_cost=round(sum(one.chosen_expected_cost for one in costs if one is not None), 2),
    )
