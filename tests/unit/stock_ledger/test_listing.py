"""AssortmentListed and StockPolicySet: what there is, and how it is kept."""

import pytest
from tests.unit.stock_ledger.building import (
    HOME_ONLY,
    TWO_POOLS,
    Ledger,
    counted,
    order,
    received,
    time,
)
from tests.unit.stock_ledger.saying import N2, back, line, listed, returned, shipped, unloaded

from restock_common.contracts.ledger import LineOffered, LineRefused
from restock_common.errors import Permanent
from stock_ledger.domain.model import PieceState


def test_a_ledger_that_was_told_of_nothing_takes_every_name() -> None:
    ledger = Ledger()
    ledger.tell(received("r", "anywhere", ("anything", 1)))
    assert ledger.level("anywhere", "anything") == (1, 0, 0)


def test_from_the_first_list_on_other_skus_are_refused() -> None:
    ledger = Ledger()
    ledger.tell(listed("tea"))
    ledger.tell(received("r1", "n1", ("tea", 1)))
    with pytest.raises(Permanent, match=r"lines.1.sku: 'cup' is not a sku known here"):
        ledger.tell(order("o", ("tea", 1), ("cup", 1)))
    ledger.tell(listed("cup"))
    ledger.tell(order("o", ("tea", 1), ("cup", 1)))


def test_from_the_first_list_on_other_locations_are_refused() -> None:
    ledger = Ledger()
    ledger.tell(listed(n1="north"))
    with pytest.raises(Permanent, match="location: 'n2' is not a location known here"):
        ledger.tell(counted("c", "n2", ("tea", 1)))


def test_a_listed_location_is_its_pools() -> None:
    ledger = Ledger()
    ledger.tell(listed(n1="north"))
    with pytest.raises(Permanent, match="pool: location 'n1' belongs to pool 'north'"):
        ledger.tell(received("r", "n1", ("tea", 1), pool="east"))
    with pytest.raises(Permanent, match=r"locations.0.pool: location 'n1' belongs to pool"):
        ledger.tell(listed(n1="east"))


def test_what_is_stocked_somewhere_stays_its_pools_whatever_is_listed_later() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 5)
    ledger.tell(listed(n1="east"))
    with pytest.raises(Permanent, match="pool: location 'n1' belongs to pool 'north', not 'east'"):
        ledger.tell(received("r", "n1", ("tea", 1), pool="east"))
    assert ledger.level("n1", "tea") == (5, 0, 0)
    ledger.tell(received("r", "n1", ("tea", 1)))
    assert ledger.level("n1", "tea") == (6, 0, 0)


def test_an_order_that_would_wait_at_another_pools_location_is_refused_at_once() -> None:
    ledger = Ledger()
    ledger.tell(listed(n1="east", n2="north"))
    field = r"sourcing.0.locations.0.location: location 'n1' belongs to pool 'east'"
    for pools in (HOME_ONLY, TWO_POOLS):
        with pytest.raises(Permanent, match=field):
            ledger.tell(order("o", ("tea", 1), pools=pools))


def test_an_order_whose_location_has_become_another_pools_does_not_stop_time() -> None:
    ledger = Ledger()
    ledger.tell(order("o", ("tea", 1), pools=TWO_POOLS))
    (offer,) = ledger.emitted(LineOffered)
    ledger.tell(received("r1", "n1", ("tea", 1), pool="east"))
    refused = LineRefused(offer=offer.offer, order="o", line="1", pool="south")
    ledger.tell(refused)
    ledger.tell(time(60))
    assert ledger.pieces("o") == [("1", 1, PieceState.BACKORDERED, "n2")]
    assert ledger.level("n1", "tea") == (1, 0, 0)


def test_an_order_all_of_whose_locations_are_gone_does_not_stop_time() -> None:
    ledger = Ledger()
    ledger.tell(order("o", ("tea", 1), pools=TWO_POOLS))
    (offer,) = ledger.emitted(LineOffered)
    for location in ("n1", "n2"):
        ledger.tell(received(location, location, ("tea", 1), pool="east"))
    refused = LineRefused(offer=offer.offer, order="o", line="1", pool="south")
    ledger.tell(refused)
    ledger.tell(time(60))
    assert ledger.pieces("o") == [("1", 1, PieceState.REFUSED, "n1")]


def test_returns_exchanges_and_transfers_name_what_is_listed() -> None:
    ledger = Ledger()
    ledger.tell(listed("tea", n1="north", n2="north"))
    ledger.stock("n1", "tea", 5)
    ledger.tell(order("o", ("tea", 2)))
    ledger.tell(shipped(ledger.parcel("o"), "o"))
    came = back("1", "tea", 1)
    with pytest.raises(Permanent, match="location: 'n9' is not a location known here"):
        ledger.tell(returned("b", "o", came, location="n9"))
    with pytest.raises(Permanent, match=r"replacements.0.sku: 'cup' is not a sku known here"):
        ledger.tell(returned("b", "o", came, replacements=[line("2", "cup", 1)]))
    elsewhere = N2.model_copy(update={"location": "n9"})
    with pytest.raises(Permanent, match="location: 'n9' is not a location known here"):
        ledger.tell(unloaded("t", ("tea", 1), end=elsewhere))
