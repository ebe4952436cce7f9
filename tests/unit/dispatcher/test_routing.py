"""The solver on instances whose best answer is known."""

from dataclasses import replace
from itertools import permutations

import pytest
from tests.unit.dispatcher.examples import HOUR, parcel, problem, van

from dispatcher.domain.checker import faults
from dispatcher.domain.problem import Parcel, Plan, Problem
from dispatcher.domain.routing import Effort, plan
from dispatcher.domain.rules import MICRO, Rules
from dispatcher.domain.schedule import cost, schedule

EFFORT = Effort()


def total(asked: Problem, found: Plan) -> int:
    vans = {one.vehicle: one for one in asked.vans}
    return sum(cost(asked, vans[tour.vehicle], tour) for tour in found.tours)


def spread(count: int, *, windows: bool = False) -> list[Parcel]:
    """Return parcels scattered by a fixed rule."""
    window = [(8 * HOUR, 12 * HOUR), (12 * HOUR, 16 * HOUR), (0, 24 * HOUR)]
    return [
        parcel(
            f"p{n:03}",
            ((n * 7919) % 200 - 100) / 12,
            ((n * 104_729) % 200 - 100) / 12,
            grams=500 + (n * 37) % 4000,
            window_s=window[n % 3] if windows else (0, 24 * HOUR),
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize("count", [1, 2, 4, 6])
def test_one_van_drives_the_best_order(count: int, windows: bool) -> None:
    asked = problem(*spread(count, windows=windows))
    found = plan(asked, EFFORT)
    tours = [schedule(asked, asked.vans[0], order) for order in permutations(asked.parcels)]
    best = min(cost(asked, asked.vans[0], tour) for tour in tours if tour is not None)
    assert faults(asked, found) == []
    assert total(asked, found) <= best * 1.001


def test_a_second_van_is_used_only_where_it_saves_more_than_it_costs() -> None:
    light = problem(*spread(6), vans=(van("v1"), van("v2")))
    assert len(plan(light, EFFORT).tours) == 1
    heavy = problem(*(parcel(str(n), n, grams=60_000) for n in (1, 2)), vans=(van("v1"), van("v2")))
    assert len(plan(heavy, EFFORT).tours) == 2


def test_what_does_not_fit_is_left_out_with_a_reason_and_the_longest_waiting_goes_first() -> None:
    waited = parcel("waited", 3, grams=60_000, penalty=3000 * MICRO)
    asked = problem(parcel("new", 3, grams=60_000), waited)
    found = plan(asked, EFFORT)
    assert [call.allocation for tour in found.tours for call in tour.calls] == ["waited"]
    assert [(one.allocation, one.reason) for one in found.unserved] == [
        ("new", "no room or time left on the 1 vehicles of this wave")
    ]


def test_the_same_problem_has_the_same_plan() -> None:
    asked = problem(*spread(40, windows=True), vans=(van("v1"), van("v2"), van("v3")))
    first = plan(asked, EFFORT)
    assert faults(asked, first) == []
    assert plan(asked, EFFORT) == first


def test_a_wave_of_nothing_has_an_empty_plan() -> None:
    assert plan(problem(), EFFORT) == Plan((), ())


def test_a_large_wave_is_solved_in_sectors_and_answers_every_parcel() -> None:
    rules = Rules(sector_stops=15)
    vans = tuple(van(f"v{n}", capacity_grams=40_000) for n in range(4))
    asked = problem(*spread(50), vans=vans, rules=rules)
    found = plan(asked, Effort(solutions=20))
    assert faults(asked, found) == []
    assert len(found.tours) >= 2


def test_a_parcel_goes_to_a_sector_whose_vans_can_take_it() -> None:
    rules = Rules(sector_stops=10)
    evening = (18 * HOUR, 20 * HOUR)
    late = replace(van("late"), start_s=17 * HOUR, end_s=22 * HOUR)
    parcels = [
        replace(one, earliest_s=evening[0], latest_s=evening[1]) if n % 5 == 0 else one
        for n, one in enumerate(spread(20))
    ]
    asked = problem(*parcels, vans=(van("early"), late), rules=rules)
    found = plan(asked, EFFORT)
    assert faults(asked, found) == []
    assert found.unserved == ()


def test_stops_that_take_no_time_are_all_within_reach() -> None:
    asked = problem(*spread(5), rules=Rules(service_s=0))
    found = plan(asked, EFFORT)
    assert faults(asked, found) == []
    assert found.unserved == ()


def test_more_parcels_than_calls_in_a_shift_are_cut_before_the_search() -> None:
    asked = problem(*spread(40), vans=(van(shift_s=HOUR),))
    found = plan(asked, EFFORT)
    assert faults(asked, found) == []
    assert len(found.unserved) >= 40 - HOUR // 240
