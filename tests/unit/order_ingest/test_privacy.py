"""What events tell of a customer: a token, and a place near by."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.order_ingest.channels.sample import shop
from tests.unit.order_ingest.sample import CHICAGO, PRIVACY, known, request

from order_ingest.domain.findings import Conflict
from order_ingest.domain.orders import settle
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


@pytest.mark.parametrize(
    "spelled",
    [
        "Anna@Example.org",
        " anna@example.org\t",
        "ANNA@EXAMPLE.ORG",
        "\uff41nna@example.org",  # full-width
        "anna\uff20example.org\u3000",
    ],
)
def test_a_mail_address_is_one_customer_however_it_is_spelled(spelled: str) -> None:
    """So whoever asks to be forgotten is found, whichever door has taken which spelling."""
    assert PRIVACY.token("one", spelled) == PRIVACY.token("one", "anna@example.org")


def test_a_shops_own_id_is_taken_as_it_is() -> None:
    """Saleor's are base64, of which two differ in case alone."""
    ids = ["VXNlcjox", "vxnlcjox", "cus_1", "CUS_1", "17"]
    assert len({PRIVACY.token("one", one) for one in ids}) == len(ids)
    assert PRIVACY.token("one", " cafe\u0301 ") == PRIVACY.token("one", "caf\u00e9")


def test_a_token_stands_for_itself() -> None:
    token = PRIVACY.token("one", "anna@example.org")
    assert PRIVACY.token("one", token) == PRIVACY.token("two", f" {token} ") == token


@given(st.text(min_size=1))
def test_a_customer_is_called_the_same_by_every_door(customer: str) -> None:
    """Webhooks make tokens before the order is placed, by which it is a token already."""
    one = shop("shopify")
    by_webhook = one.token(customer)
    assert one.privacy.token(one.name, by_webhook) == by_webhook
    assert one.privacy.token(one.name, customer) == by_webhook


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


HOME = {"latitude": 41.87654321, "longitude": -87.65432109}


@pytest.mark.parametrize(
    ("changes", "decimals"),
    [
        ({}, 3),
        ({"recipient": PERSON}, 3),
        ({"customer": "Anna@example.org "}, 3),
        *(({}, decimals) for decimals in range(8)),
    ],
)
def test_a_repeat_is_the_same_order(changes: dict[str, Any], decimals: int) -> None:
    """Also after places are told with more decimals or less: a repeat may be what saves it."""
    said = {"customer": "anna@example.org", "destination": HOME}
    first = take_order("shop", request(**said), known(), PRIVACY)
    privacy = Privacy(PRIVACY.secret, decimals)
    again = take_order("shop", request(**{**said, **changes}), known(), privacy)
    assert settle(first, again) is first


@pytest.mark.parametrize(
    "changes",
    [
        {"customer": "bert@example.org"},
        {"destination": {**HOME, "latitude": 41.88}},
        {"destination": {**HOME, "longitude": -87.66}},
        {"value": 1.0},
    ],
)
def test_what_says_something_else_is_no_repeat(changes: dict[str, Any]) -> None:
    said = {"customer": "anna@example.org", "destination": HOME}
    first = take_order("shop", request(**said), known(), PRIVACY)
    with pytest.raises(Conflict):
        settle(first, take_order("shop", request(**{**said, **changes}), known(), PRIVACY))


def test_a_digest_tells_nothing_that_the_event_does_not() -> None:
    """Nobody finds a mail address or a house by trying, with the secret or without."""
    there = {"latitude": 41.8766, "longitude": -87.6544}
    first = take_order("shop", request(customer="anna@example.org"), known(), PRIVACY)
    near = take_order(
        "shop", request(customer="anna@example.org", destination=HOME), known(), PRIVACY
    )
    next_door = request(customer="anna@example.org", destination=there)
    assert near.digest == take_order("shop", next_door, known(), PRIVACY).digest == first.digest
    other = Privacy("another secret of so many characters", 3)
    by_token = request(customer=first.event.customer)
    assert take_order("shop", by_token, known(), PRIVACY).digest == first.digest
    assert take_order("shop", by_token, known(), other).digest != first.digest


@pytest.mark.parametrize(("decimals", "metres"), [(2, 790), (3, 79), (4, 8)])
def test_what_the_settings_say_in_metres_is_so(decimals: int, metres: int) -> None:
    half = 0.5 * 10**-decimals * 0.999
    corner = Place(latitude=half, longitude=half)
    moved_m = 1000 * distance_km(corner, Privacy("", decimals).coarsen(corner))
    assert moved_m == pytest.approx(metres, rel=0.03)
    assert Privacy("", 3).coarsen(CHICAGO) == CHICAGO
