"""Risks: what may go wrong, how likely, what it would cost, and what could be done first.

Looked at in each review of a supplier: raised where a risk is new or its class has changed, cleared
where it is gone. The matrix, by probability (rows) and impact in money (columns):

                 < 50      < 500     < 5,000   more
    < 10 %       -         -         low       medium
    < 30 %       -         low       medium    high
    < 60 %       low       medium    high      critical
    more         low       high      critical  critical

What has no class is not raised. What is held out of planning always is, as high at least.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from scipy.special import gammaincc
from scipy.stats import norm

from replenisher.domain.assessment import Assessment
from replenisher.domain.model import NeedState, StandingRisk, WorkingSet
from replenisher.domain.plan.value import expected_shortage, is_spread
from replenisher.domain.protection import Demand, FloatArray, HorizonGrid
from replenisher.domain.terms import Terms, TermsBook
from restock_common.contracts.envelope import derive_id
from restock_common.contracts.event import Event
from restock_common.contracts.insights import (
    RiskClass,
    RiskCleared,
    RiskKind,
    RiskRaised,
    RiskResponse,
)

PROBABILITIES = (0.1, 0.3, 0.6)
IMPACTS = (50.0, 500.0, 5_000.0)
_LOW, _MEDIUM, _HIGH, _CRITICAL = RiskClass
MATRIX: tuple[tuple[RiskClass | None, ...], ...] = (
    (None, None, _LOW, _MEDIUM),
    (None, _LOW, _MEDIUM, _HIGH),
    (_LOW, _MEDIUM, _HIGH, _CRITICAL),
    (_LOW, _HIGH, _CRITICAL, _CRITICAL),
)
OVERSTOCK_DAYS = 112
"""Stock for longer than the longest horizon that forecasts tell."""
LATE_FACTOR = 1.5
"""A lead time that is this much longer than usual is what a second source would be for."""
_LONGEST_REASON = 480


@dataclass(frozen=True, slots=True)
class _Finding:
    """A risk of one kind at n places, with its probability and impact: (n,) each."""

    kind: RiskKind
    probability: FloatArray
    impact: FloatArray
    figures: FloatArray
    words: str


def risk_class(probability: float, impact: float) -> RiskClass | None:
    """Return the class by the matrix; None where there is nothing to tell."""
    row = int(np.searchsorted(PROBABILITIES, probability, side="right"))
    column = int(np.searchsorted(IMPACTS, impact, side="right"))
    return MATRIX[row][column]


def review_risks(
    state: WorkingSet,
    assessment: Assessment,
    book: TermsBook,
    suppliers: Sequence[str],
    at: datetime,
) -> list[Event]:
    """Return what is raised and cleared of the suppliers that are reviewed."""
    found = {one.risk: one for one in _found(state, assessment, book, suppliers, at)}
    events: list[Event] = []
    for name, risk in sorted(found.items()):
        known = state.risks.get(name)
        if known is None or known.risk_class is not risk.risk_class:
            state.changed_risks[name] = risk
            events.append(_raised(risk, at))
    for name, risk in sorted(state.risks.items()):
        if name not in found:
            state.changed_risks[name] = None
            events.append(
                RiskCleared(
                    risk=name,
                    kind=risk.kind,
                    supplier=risk.supplier,
                    sku=risk.sku,
                    location=risk.location,
                    at=at,
                )
            )
    return events


def probability_above(demand: Demand, level: FloatArray) -> FloatArray:
    """Return P(D > y) for gamma demand with these moments: (n,)."""
    known = is_spread(demand)
    mean = np.where(known, demand.mean, 1.0)
    variance = np.where(known, demand.variance, 1.0)
    above = gammaincc(mean**2 / variance, np.maximum(level, 0.0) * mean / variance)
    certain = (level < 0) | (~known & (demand.mean > level))
    return np.where(certain, 1.0, np.where(known, above, 0.0))


def _found(
    state: WorkingSet,
    assessment: Assessment,
    book: TermsBook,
    suppliers: Sequence[str],
    at: datetime,
) -> Iterator[StandingRisk]:
    for finding in _at_places(assessment):
        candidates = (finding.probability >= PROBABILITIES[0]) | (finding.impact >= IMPACTS[1])
        for index in np.flatnonzero(candidates & (finding.impact > 0)).tolist():
            probability = min(1.0, float(finding.probability[index]))
            impact = float(finding.impact[index])
            classified = risk_class(probability, impact)
            if classified is not None:
                words = finding.words.format(finding.figures[index], impact)
                yield _standing(
                    finding.kind, assessment, index, (probability, impact), classified, words, at
                )
    yield from _held_out(assessment, at)
    places: dict[str, list[int]] = {}
    for index, terms in enumerate(assessment.terms):
        if terms.deferral is None:
            places.setdefault(terms.supplier, []).append(index)
    for supplier in suppliers:
        yield from _of_supplier(state, assessment, book, supplier, places.get(supplier, []), at)


def _at_places(assessment: Assessment) -> Iterator[_Finding]:
    """Yield what each place risks, by the demand until goods that are ordered now arrive."""
    if not assessment.positions:
        return
    terms = assessment.terms
    grid = HorizonGrid.of([position.forecast.horizons for position in assessment.positions])
    lead = np.array([one.lead_time.mean_days for one in terms])
    spread = np.array([one.lead_time.sd_days for one in terms])
    loss = np.array([_loss(one) for one in terms])
    cost = np.array([one.unit_cost for one in terms])
    until_arrival = grid.protection_demand(lead, spread)
    held = assessment.inventory_position.astype(np.float64)
    yield _Finding(
        RiskKind.STOCKOUT,
        probability_above(until_arrival, held),
        expected_shortage(until_arrival, held) * loss,
        held,
        "{0:.0f} units until new goods arrive; the expected shortage costs {1:.2f}",
    )
    shelf = np.array([position.on_hand - position.unsellable for position in assessment.positions])
    shelf = shelf.astype(np.float64)
    long = grid.demand_over(np.full(len(terms), float(OVERSTOCK_DAYS)))
    over = np.maximum(shelf - long.mean, 0.0) + expected_shortage(long, shelf)
    rate = assessment.policy.holding_rate_per_year
    yield _Finding(
        RiskKind.OVERSTOCK,
        1.0 - probability_above(long, shelf),
        np.where(shelf > long.mean, over * cost * rate, 0.0),
        shelf,
        "{0:.0f} units, more than 112 days' demand; what lies for a year costs {1:.2f}",
    )
    life = np.array([float(one.shelf_life_days or 0) for one in terms])
    sold = grid.demand_over(life)
    left = np.maximum(shelf - sold.mean, 0.0) + expected_shortage(sold, shelf)
    yield _Finding(
        RiskKind.EXPIRY,
        1.0 - probability_above(sold, shelf),
        np.where((life > 0) & (shelf > 0), left * cost, 0.0),
        shelf,
        "{0:.0f} units, of which {1:.2f} in money is not sold within the shelf life",
    )


def _held_out(assessment: Assessment, at: datetime) -> Iterator[StandingRisk]:
    for index, position in enumerate(assessment.positions):
        if position.need is None or position.need.state is not NeedState.DEFERRED:
            continue
        reason = assessment.deferral(index, at)
        if reason is None:
            continue
        impact = max(0, -position.inventory_position) * _loss(assessment.terms[index])
        classified = risk_class(1.0, impact)
        if classified is not RiskClass.CRITICAL:
            classified = RiskClass.HIGH
        words = f"held out of planning: {reason}"
        yield _standing(RiskKind.HELD_OUT, assessment, index, (1.0, impact), classified, words, at)


def _of_supplier(
    state: WorkingSet,
    assessment: Assessment,
    book: TermsBook,
    supplier: str,
    places: Sequence[int],
    at: datetime,
) -> Iterator[StandingRisk]:
    late = state.late.get(supplier)
    if late is not None:
        orders, value = late
        yield from _supplier_risk(
            RiskKind.LATE_SUPPLIER,
            supplier,
            (1.0, value),
            RiskResponse.EXPEDITE,
            f"{orders} purchase orders worth {value:.2f} are late",
            at,
        )
    alone = [index for index in places if book.single_source(assessment.positions[index].place.sku)]
    if not alone:
        return
    lead_time = assessment.terms[alone[0]].lead_time
    sd = max(lead_time.sd_days, 1e-9)
    probability = float(norm.sf((LATE_FACTOR - 1.0) * lead_time.mean_days / sd))
    demand = assessment.protection_demand.mean[alone]
    loss = np.array([_loss(assessment.terms[index]) for index in alone])
    yield from _supplier_risk(
        RiskKind.SINGLE_SOURCE,
        supplier,
        (probability, float((demand * loss).sum()) * (LATE_FACTOR - 1.0)),
        RiskResponse.SECOND_SOURCE,
        f"{len(alone)} places have no other supplier; its lead time is "
        f"{lead_time.mean_days:.1f} days (sd {lead_time.sd_days:.1f})",
        at,
    )


def _supplier_risk(
    kind: RiskKind,
    supplier: str,
    weight: tuple[float, float],
    response: RiskResponse,
    words: str,
    at: datetime,
) -> Iterator[StandingRisk]:
    classified = risk_class(*weight)
    if classified is not None:
        name = derive_id("risk", kind.value, supplier)
        yield StandingRisk(
            name, kind, supplier, None, None, *weight, classified, response, words, at
        )


def _standing(
    kind: RiskKind,
    assessment: Assessment,
    index: int,
    weight: tuple[float, float],
    classified: RiskClass,
    words: str,
    at: datetime,
) -> StandingRisk:
    position, terms = assessment.positions[index], assessment.terms[index]
    response = _RESPONSES[kind]
    if kind is RiskKind.STOCKOUT and position.on_order:
        response = RiskResponse.EXPEDITE
    return StandingRisk(
        risk=derive_id("risk", kind.value, *position.place),
        kind=kind,
        supplier=terms.supplier,
        sku=position.place.sku,
        location=position.place.location,
        probability=weight[0],
        impact=weight[1],
        risk_class=classified,
        response=response,
        reason=words[:_LONGEST_REASON],
        raised_at=at,
    )


_RESPONSES = {
    RiskKind.STOCKOUT: RiskResponse.EMERGENCY_STOCK,
    RiskKind.OVERSTOCK: RiskResponse.MARKDOWN,
    RiskKind.EXPIRY: RiskResponse.MARKDOWN,
    RiskKind.HELD_OUT: RiskResponse.CORRECT_DATA,
}


def _loss(terms: Terms) -> float:
    """Return what a unit that is missing costs: its margin, or its cost where no price is known."""
    if terms.unit_price is None:
        return terms.unit_cost
    return max(0.0, terms.unit_price - terms.unit_cost)


def _raised(risk: StandingRisk, at: datetime) -> RiskRaised:
    return RiskRaised(
        risk=risk.risk,
        kind=risk.kind,
        supplier=risk.supplier,
        sku=risk.sku,
        location=risk.location,
        probability=round(risk.probability, 6),
        impact=round(risk.impact, 2),
        risk_class=risk.risk_class,
        response=risk.response,
        reason=risk.reason,
        at=at,
    )
