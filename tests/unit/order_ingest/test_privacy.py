"""What events tell of a customer: a token, and a place near by."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.order_ingest.sample import CHICAGO, PRIVACY, known, request

from order_ingest.domain.privacy import Privacy
from order_ingest.domain.sourcing import distance_km, rank_pools
from order_ingest.handlers import take_order
from restock_common.contracts.ledger import Place

PERSON = {
    "name": "Anna Lovelace",
    "mail": "anna@example.org",
    "phone": "+44 20 7946 0000",
    "street": "12 Long Street",
    "postal_code": "W1",
    "city": "London",
    "country": "GB",
}


def test_a_token_is_the_same_for_the_same_customer_alone() -> None:
    other = Privacy("another secret of so many characters", 3)
    tokens = {
        PRIVACY.token("one", "anna@example.org"),
        PRIVACY.token("one", "bert@example.org"),
        PRIVACY.token("two", "anna@example.org"),
        PRIVACY.token("o", "ne\x1fanna@example.org"),
        other.token("one", "anna@example.org"),
    }
    assert len(tokens) == 5
    assert PRIVACY.token("one", "anna@example.org") in tokens
    assert all("anna" not in token for token in tokens)


def test_a_token_stands_for_itself() -> None:
    token = PRIVACY.token("one", "anna@example.org")
    assert PRIVACY.token("one", token) == token


@given(st.floats(-90, 90), st.floats(-180, 180), st.integers(0, 7))
def test_a_place_moves_no_farther_than_its_decimals_say(
    latitude: float, longitude: float, decimals: int
) -> None:
    place = Place(latitude=latitude, longitude=longitude)
    near = Privacy("", decimals).coarsen(place)
    widest_km = 111.32 * 10**-decimals / math.sqrt(2)
    assert distance_km(place, near) <= widest_km * 1.01 + 1e-3
    assert Privacy("", decimals).coarsen(near) == near


def test_an_order_tells_neither_who_nor_where_exactly() -> None:
    home = Place(latitude=41.87654321, longitude=-87.65432109)
    asked = request(customer="anna@example.org", destination=home, recipient=PERSON)
    placement = take_order("shop", asked, known(), PRIVACY)
    told = placement.event.model_dump_json()
    assert placement.event.destination == Place(latitude=41.877, longitude=-87.654)
    for secret in (*PERSON.values(), "41.8765", "87.6543"):
        assert json.dumps(secret)[1:-1] not in told
    assert placement.event.sourcing == rank_pools(known().catalogue, placement.event.destination)


def test_what_a_repeat_must_say_again_does_not_hang_on_the_settings() -> None:
    """Else a repeat would be refused after a setting has been changed."""
    other = Privacy("another secret of so many characters", 1)
    first = take_order("shop", request(), known(), PRIVACY)
    assert take_order("shop", request(), known(), other).digest == first.digest
    assert take_order("shop", request(recipient=PERSON), known(), PRIVACY).digest == first.digest
    assert take_order("shop", request(customer="d"), known(), PRIVACY).digest != first.digest


@pytest.mark.parametrize(("decimals", "metres"), [(2, 790), (3, 79), (4, 8)])
def test_what_the_settings_say_in_metres_is_so(decimals: int, metres: int) -> None:
    half = 0.5 * 10**-decimals * 0.999
    corner = Place(latitude=half, longitude=half)
    moved_m = 1000 * distance_km(corner, Privacy("", decimals).coarsen(corner))
    assert moved_m == pytest.approx(metres, rel=0.03)
    assert Privacy("", 3).coarsen(CHICAGO) == CHICAGO
