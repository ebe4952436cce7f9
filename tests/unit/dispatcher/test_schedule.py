"""When a van that calls in a given order is where."""

from tests.unit.dispatcher.examples import DEPOT, HOUR, parcel, problem, van

from dispatcher.domain.checker import faults
from dispatcher.domain.geography import road_matrix, road_metres
from dispatcher.domain.problem import Plan
from dispatcher.domain.schedule import schedule
from restock_common.contracts.ledger import Place


def test_the_road_is_the_great_circle_times_the_factor() -> None:
    paris = Place(latitude=48.8566, longitude=2.3522)
    london = Place(latitude=51.5074, longitude=-0.1278)
    assert abs(road_metres(paris, london, 1.0) - 343_556) < 100
    assert abs(road_metres(paris, london, 1.3) - 1.3 * 343_556) < 130


def test_the_matrix_and_the_single_leg_agree() -> None:
    places = [DEPOT, *(parcel(str(n), n * 3.7, -n * 1.3).destination for n in range(9))]
    matrix = road_matrix(places, 1.3)
    for i, here in enumerate(places):
        for j, there in enumerate(places):
            assert abs(matrix[i, j] - road_metres(here, there, 1.3)) <= 1


def test_a_tour_without_windows_leaves_with_the_shift_and_never_waits() -> None:
    one = parcel("a", 10)
    tour = schedule(problem(one), van(), [one])
    assert tour is not None
    assert tour.departs_s == 8 * HOUR
    assert tour.calls[0].begins_s == 8 * HOUR + 1300  # 13 km by road at 36 km/h
    assert tour.returns_s == 8 * HOUR + 1300 + 240 + 1300


def test_a_late_window_is_met_by_leaving_late() -> None:
    one = parcel("a", 10, window_s=(12 * HOUR, 16 * HOUR))
    tour = schedule(problem(one), van(), [one])
    assert tour is not None
    assert tour.departs_s == 12 * HOUR - 1300
    assert tour.calls[0].begins_s == 12 * HOUR


def test_the_van_leaves_as_late_as_its_first_window_lets_it() -> None:
    early = parcel("early", 10, window_s=(8 * HOUR, 9 * HOUR))
    late = parcel("late", 10, window_s=(12 * HOUR, 16 * HOUR))
    tour = schedule(problem(early, late), van(), [early, late])
    assert tour is not None
    assert tour.calls[0].begins_s == 9 * HOUR
    assert tour.calls[1].begins_s == 12 * HOUR
    assert faults(problem(early, late), Plan((tour,), ())) == []


def test_a_tour_that_misses_a_window_or_the_end_of_the_shift_is_none() -> None:
    missed = parcel("a", 30, window_s=(8 * HOUR, 9 * HOUR))
    assert schedule(problem(missed), van(), [missed]) is None
    far = parcel("b", 30)
    assert schedule(problem(far), van(shift_s=2 * HOUR), [far]) is None
