"""The same messages lead to the same events, wherever a batch ends and books are loaded anew."""

import pytest
from tests.unit.stock_ledger.building import TWO_POOLS, Ledger, order, time

from restock_common.contracts.ledger import LineOffered, ShipmentDispatched
from stock_ledger.domain.books import Books


def reloaded(books: Books) -> Books:
    """Return the books as a database hands them out: claims by order and offer."""
    fresh = Books(books.shard, clock=books.clock)
    claims = [one for of_order in books.orders.values() for one in of_order.values()]
    fresh.store(
        balances=[one.copy() for one in books.balances.values()],
        claims=sorted((one.copy() for one in claims), key=lambda one: one.key),
        allocations=books.allocations.values(),
    )
    return fresh


def south(offers: list[LineOffered]) -> Ledger:
    """Return a ledger that was offered two lines, and can serve both."""
    ledger = Ledger(1)
    for sku in ("tea", "cup"):
        ledger.stock("s1", sku, 5, pool="south")
    for offer in offers:
        ledger.tell(offer)
    return ledger


@pytest.fixture(params=range(9))
def offers(request: pytest.FixtureRequest) -> list[LineOffered]:
    """Return two offers, whose names come in one order or the other."""
    home = Ledger()
    home.tell(order(f"o{request.param}", ("tea", 1), ("cup", 1), pools=TWO_POOLS))
    return home.emitted(LineOffered)


def test_two_offers_are_answered_in_the_same_order(offers: list[LineOffered]) -> None:
    told = []
    for reload in (False, True):
        ledger = south(offers)
        if reload:
            ledger.books = reloaded(ledger.books)
        ledger.tell(time(), message_id="tick")
        told.append(ledger.emissions)
    assert told[0] == told[1]


def test_two_offers_in_one_parcel_ship_in_the_same_order(offers: list[LineOffered]) -> None:
    told = []
    for reload in (False, True):
        ledger = south(offers)
        ledger.tell(time(), message_id="tick")
        if reload:
            ledger.books = reloaded(ledger.books)
        parcel = ledger.parcel(offers[0].order, offers[0].offer)
        ledger.tell(
            ShipmentDispatched(
                allocation=parcel,
                order=offers[0].order,
                location="s1",
                route="r",
                dispatched_at=offers[0].placed_at,
            )
        )
        told.append(ledger.emissions)
    assert told[0] == told[1]
