"""AssortmentListed and StockPolicySet: what there is, and how it is kept."""

import pytest
from tests.unit.stock_ledger.building import Ledger, counted, order, received
from tests.unit.stock_ledger.saying import listed

from restock_common.errors import Permanent


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
