"""Whatever is asked, the plan keeps every rule and answers every parcel."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.dispatcher.examples import HOUR, parcel, problem

from dispatcher.domain.checker import faults
from dispatcher.domain.feasibility import feasible, refusal
from dispatcher.domain.problem import Parcel, Plan, Problem, Van
from dispatcher.domain.routing import Effort, plan
from dispatcher.domain.rules import Rules
from dispatcher.domain.schedule import schedule
from dispatcher.domain.sectors import sectors, within_reach

KM = st.floats(-60, 60, allow_nan=False)
WINDOWS = st.tuples(st.integers(0, 20), st.integers(1, 8)).map(
    lambda drawn: (drawn[0] * HOUR, (drawn[0] + drawn[1]) * HOUR)
)


@st.composite
def problems(draw: st.DrawFn, most: int = 12) -> Problem:
    count = draw(st.integers(0, most))
    parcels: list[Parcel] = [
        parcel(
            f"p{n}",
            draw(KM),
            draw(KM),
            grams=draw(st.integers(1, 60_000)),
            window_s=draw(WINDOWS),
            penalty=draw(st.integers(1, 5)) * 1_000_000_000,
        )
        for n in range(count)
    ]
    vans = []
    for n in range(draw(st.integers(0, 3))):
        start_s = draw(st.integers(5, 12)) * HOUR
        vans.append(
            Van(
                vehicle=f"v{n}",
                capacity_grams=draw(st.integers(1000, 100_000)),
                start_s=start_s,
                end_s=start_s + draw(st.integers(1, 12)) * HOUR,
                metres_per_hour=draw(st.integers(10_000, 90_000)),
                cost_per_km=draw(st.integers(0, 1_000_000)),
                fixed_cost=draw(st.integers(0, 50_000_000)),
            )
        )
    rules = Rules(sector_stops=draw(st.integers(3, 20)))
    return problem(*parcels, vans=tuple(vans), rules=rules)


@settings(max_examples=60, deadline=None)
@given(problems())
def test_every_plan_is_valid_and_the_same_again(asked: Problem) -> None:
    effort = Effort(solutions=5)
    found = plan(asked, effort)
    assert faults(asked, found) == []
    assert plan(asked, effort) == found


@settings(max_examples=150, deadline=None)
@given(problems(most=5))
def test_a_schedule_is_none_or_keeps_every_rule_but_the_load(asked: Problem) -> None:
    for van in asked.vans:
        tour = schedule(asked, van, asked.parcels)
        if tour is not None and asked.parcels:
            found = faults(asked, Plan((tour,), ()))
            assert [fault for fault in found if " g of " not in fault] == []


@settings(max_examples=150, deadline=None)
@given(problems(most=4))
def test_a_parcel_is_refused_exactly_where_no_van_could_take_it_alone(asked: Problem) -> None:
    for one in asked.parcels:
        able = [
            van
            for van in asked.vans
            if one.grams <= van.capacity_grams and schedule(asked, van, [one]) is not None
        ]
        assert (refusal(asked, one) is None) == bool(able)


@settings(max_examples=150, deadline=None)
@given(problems(most=40))
def test_sectors_share_nothing_and_leave_nothing_out(asked: Problem) -> None:
    possible, refused = feasible(asked)
    reachable, left_out = within_reach(
        Problem(asked.day, asked.depot, possible, asked.vans, asked.rules)
    )
    parts = list(sectors(reachable))
    parcels = [one.allocation for part in parts for one in part.parcels]
    told = [one.allocation for one in (*refused, *left_out)]
    assert sorted(parcels + told) == sorted(one.allocation for one in asked.parcels)
    vans = [van.vehicle for part in parts for van in part.vans]
    assert sorted(vans) == sorted(van.vehicle for van in asked.vans)
    for part in parts:
        for one in part.parcels:
            assert refusal(part, one) is None, "it is with vans that cannot take it"
