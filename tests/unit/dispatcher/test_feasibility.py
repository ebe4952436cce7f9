"""Parcels that no van can take are named, with the reason."""

import pytest
from tests.unit.dispatcher.examples import HOUR, parcel, problem, van

from dispatcher.domain.feasibility import feasible, refusal
from dispatcher.domain.problem import Parcel


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (parcel("a"), None),
        (parcel("a", grams=100_001), "too heavy: 100001 g, the largest vehicle takes 100000 g"),
        (parcel("a", window_s=(0, 7 * HOUR)), "is outside every shift"),
        (parcel("a", window_s=(17 * HOUR, 20 * HOUR)), "is outside every shift"),
        (parcel("a", window_s=(33 * HOUR, 40 * HOUR)), "2017-01-03 09:00 to 2017-01-03 16:00"),
        (parcel("a", 200), "too far: 260.0 km by road"),
        (parcel("a", 100, window_s=(8 * HOUR, 9 * HOUR)), "too far: 130.0 km by road"),
        (parcel("a", 5, window_s=(16 * HOUR + 3300, 17 * HOUR)), "too far"),
    ],
    ids=["fine", "heavy", "before", "after", "tomorrow", "far", "far for its window", "late back"],
)
def test_the_reason_is_the_first_that_keeps_every_van_away(
    asked: Parcel, reason: str | None
) -> None:
    found = refusal(problem(asked), asked)
    assert (found is None) == (reason is None)
    assert (reason or "") in (found or "")


def test_a_van_that_is_large_and_one_that_works_late_do_not_make_one_that_is_both() -> None:
    heavy_and_late = parcel("a", grams=50_000, window_s=(18 * HOUR, 20 * HOUR))
    vans = (van("large"), van("late", capacity_grams=10_000, shift_s=14 * HOUR))
    found = refusal(problem(heavy_and_late, vans=vans), heavy_and_late)
    assert found is not None
    assert "outside every shift" in found


def test_a_warehouse_without_vans_refuses_all() -> None:
    possible, refused = feasible(problem(parcel("a"), parcel("b"), vans=()))
    assert possible == ()
    assert [(one.allocation, one.reason) for one in refused] == [
        ("a", "no vehicle at this warehouse"),
        ("b", "no vehicle at this warehouse"),
    ]
