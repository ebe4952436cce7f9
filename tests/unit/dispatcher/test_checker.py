"""The checker finds each way in which a plan can be wrong."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.unit.dispatcher.examples import HOUR, parcel, problem, van

from dispatcher.domain.checker import faults
from dispatcher.domain.problem import Plan, Tour, Unserved
from dispatcher.domain.schedule import schedule

A = parcel("a", 10, window_s=(9 * HOUR, 12 * HOUR))
B = parcel("b", 20)
ASKED = problem(A, B)


def right() -> Tour:
    tour = schedule(ASKED, ASKED.vans[0], ASKED.parcels)
    assert tour is not None
    return tour


def test_a_right_plan_has_no_faults() -> None:
    assert faults(ASKED, Plan((right(),), ())) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda tour: replace(tour, calls=tour.calls[:1]), "answered 0 times"),
        (lambda tour: replace(tour, calls=(*tour.calls, tour.calls[0])), "answered 2 times"),
        (lambda tour: replace(tour, grams=1), "carries 2000 g, the plan says 1 g"),
        (lambda tour: replace(tour, vehicle="v9"), "v9 is not of this warehouse"),
        (lambda tour: replace(tour, departs_s=0), "leaves before its shift"),
        (lambda tour: replace(tour, returns_s=18 * HOUR), "returns after its shift"),
        (lambda tour: replace(tour, returns_s=tour.calls[1].begins_s), "cannot be back in time"),
        (lambda tour: replace(tour, departs_s=tour.departs_s + 9), "cannot be at a in time"),
        (lambda tour: replace(tour, metres=tour.metres - 1), "m, not"),
        (
            lambda tour: replace(
                tour, calls=(replace(tour.calls[0], begins_s=13 * HOUR), tour.calls[1])
            ),
            "a is called on outside its window",
        ),
        (
            lambda tour: replace(tour, calls=(replace(tour.calls[0], metres=1), tour.calls[1])),
            "the way to a is",
        ),
    ],
)
def test_each_fault_is_named(spoil: Callable[[Tour], Tour], said: str) -> None:
    found = faults(ASKED, Plan((spoil(right()),), ()))
    assert any(said in fault for fault in found), found


def test_a_van_drives_one_tour_and_within_its_capacity() -> None:
    small = problem(A, B, vans=(van(capacity_grams=1500),))
    assert faults(small, Plan((right(),), ())) == ["vehicle v1 carries 2000 g of 1500 g"]
    [one, two] = [schedule(ASKED, ASKED.vans[0], [each]) for each in ASKED.parcels]
    assert one is not None
    assert two is not None
    assert faults(ASKED, Plan((one, two), ())) == ["vehicle v1 drives 2 tours at once"]


def test_left_out_parcels_need_a_reason_and_are_not_served_too() -> None:
    found = faults(ASKED, Plan((right(),), (Unserved("a", ""),)))
    assert found == [
        "parcel a was asked 1 times and answered 2 times",
        "parcel a has no reason",
    ]
