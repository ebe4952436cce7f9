"""Names, digests and repeats of orders."""

import json
from datetime import timedelta

import pytest
from tests.unit.order_ingest.sample import CHICAGO, HOUSTON, NOW, catalogue, known, request

from order_ingest.domain import orders
from order_ingest.domain.findings import Conflict, Refused, UnknownOrder
from order_ingest.domain.requests import CancelRequest
from order_ingest.domain.sourcing import rank_pools
from order_ingest.handlers import take_order
from restock_common.contracts.catalogue import Catalogue, Product
from restock_common.contracts.ledger import CandidateLocation, Sourcing
from restock_common.contracts.topics import LEDGER
from restock_common.errors import Transient

SOURCING = rank_pools(catalogue(), CHICAGO)


def test_an_order_is_called_by_its_shop_and_number() -> None:
    assert orders.order_id("shop", "7") == "shop:7"
    assert orders.order_id("shop", "shop:7") == "shop:7"
    assert orders.order_id("shop", "shopping:7") == "shop:shopping:7"
    assert orders.order_id("shop", "other:7") == "shop:other:7"


def test_a_placement_carries_its_home() -> None:
    placement = take_order("shop", request(), known())
    assert (placement.order, placement.pool, placement.shard) == ("shop:1", "north", 1)
    assert [line.line for line in placement.event.lines] == ["1", "2"]


def test_what_the_door_adds_is_not_part_of_the_digest() -> None:
    far = rank_pools(catalogue(), HOUSTON)
    one, other = orders.place("s", request(), SOURCING), orders.place("s", request(), far)
    assert one.digest == other.digest
    assert orders.settle(one, other) is one


@pytest.mark.parametrize(
    "changes",
    [
        {"customer": "other"},
        {"placed_at": NOW + timedelta(seconds=1)},
        {"destination": HOUSTON},
        {"lines": [{"sku": "tea", "quantity": 2}]},
        {"lines": [{"sku": "milk", "quantity": 1}, {"sku": "tea", "quantity": 2}]},
        {"window": {"earliest": NOW, "latest": NOW + timedelta(hours=1)}},
    ],
)
def test_whatever_the_shop_says_otherwise_is_a_conflict(changes: dict[str, object]) -> None:
    first = orders.place("s", request(), SOURCING)
    with pytest.raises(Conflict, match="'s:1'"):
        orders.settle(first, orders.place("s", request(**changes), SOURCING))


def test_an_order_that_no_record_can_hold_is_refused() -> None:
    lines = [
        {"sku": "\U0001f375" * 128, "line": f"{n:04}" + "\U0001f375" * 124, "quantity": 1}
        for n in range(1000)
    ]
    with pytest.raises(Refused, match="900000"):
        orders.place("s", request(lines=lines), SOURCING)


def test_the_largest_sourcing_of_a_large_order_fits_in_a_record() -> None:
    lines = [
        {"sku": "€" * 128, "line": f"{n:04}" + "€" * 124, "quantity": 100_000} for n in range(1000)
    ]
    sourcing = tuple(
        Sourcing(
            pool=f"{pool:0128}",
            shard=0,
            locations=tuple(
                CandidateLocation(location=f"{pool:0120}-{n}", distance_km=19_999.999)
                for n in range(4)
            ),
        )
        for pool in range(500)
    )
    placement = orders.place("s", request(lines=lines), sourcing)
    assert len(placement.event.model_dump_json().encode()) < LEDGER.max_message_bytes


def test_only_what_was_placed_can_be_cancelled() -> None:
    with pytest.raises(UnknownOrder, match="'s:1'"):
        orders.cancel("s:1", None, CancelRequest(), NOW)
    placement = orders.place("s", request(), SOURCING)
    assert orders.cancel("s:1", placement, CancelRequest(), NOW).cancelled_at == NOW
    said = CancelRequest(cancelled_at=NOW - timedelta(days=1), reason="late")
    event = orders.cancel("s:1", placement, said, NOW)
    assert json.loads(event.model_dump_json()) == {
        "order": "s:1",
        "cancelled_at": "2017-01-01T09:00:00Z",
        "reason": "late",
    }


def test_without_any_warehouse_an_order_has_to_wait() -> None:
    bare = known()
    bare = type(bare)(
        Catalogue.of([Product(sku=sku, supplier="acme") for sku in ("tea", "milk")]), bare.now
    )
    with pytest.raises(Transient, match="no pool"):
        take_order("shop", request(), bare)
