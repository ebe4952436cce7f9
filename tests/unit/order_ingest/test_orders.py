"""Names, digests and repeats of orders."""

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.order_ingest.sample import (
    CHICAGO,
    HOUSTON,
    NOW,
    PRIVACY,
    catalogue,
    known,
    request,
)

from order_ingest.domain import orders
from order_ingest.domain.findings import Conflict, Refused
from order_ingest.domain.orders import Placement
from order_ingest.domain.requests import CancelRequest, ReturnRequest
from order_ingest.domain.sourcing import rank_pools
from order_ingest.handlers import take_order
from restock_common.contracts.catalogue import Catalogue, Product
from restock_common.contracts.ledger import (
    CandidateLocation,
    CartHeld,
    Condition,
    HoldLine,
    OrderLine,
    Sourcing,
)
from restock_common.contracts.topics import LEDGER
from restock_common.errors import Transient

SOURCING = rank_pools(catalogue(), CHICAGO)
MILK = {"sku": "milk", "quantity": 1}


def place(sourcing: tuple[Sourcing, ...] = SOURCING, **changes: Any) -> Placement:
    """Place the sample order with changes; every sku that it names is known."""
    asked = request(**changes)
    known = catalogue()
    for line in asked.lines:
        known.products.setdefault(line.sku, Product(sku=line.sku, supplier="acme"))
    return orders.place("s", asked, known, sourcing, PRIVACY)


def test_an_order_is_called_by_its_shop_and_number() -> None:
    assert orders.shops_id("shop", "7") == "shop:7"
    assert orders.shops_id("shop", "shop:7") == "shop:7"
    assert orders.shops_id("shop", "shopping:7") == "shop:shopping:7"
    assert orders.shops_id("shop", "other:7") == "shop:other:7"


def test_a_placement_carries_its_home() -> None:
    placement = take_order("shop", request(), known(), PRIVACY)
    assert (placement.order, placement.pool, placement.shard) == ("shop:1", "north", 1)
    assert [line.line for line in placement.event.lines] == ["1", "2"]


def test_what_the_door_adds_is_not_part_of_the_digest() -> None:
    far = rank_pools(catalogue(), HOUSTON)
    one, other = place(), orders.place("s", request(), catalogue(), far, PRIVACY)
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
        {"hold": "cart"},
        {"ship_complete": True},
        {"channel": "amazon"},
        {"customer_tier": "gold"},
        {"promised_by": NOW + timedelta(days=2)},
        {"value": 9.5},
        {"lines": [{"sku": "tea", "quantity": 2, "preorder": True}, MILK]},
        {"lines": [{"sku": "tea", "quantity": 2, "split": False}, MILK]},
    ],
)
def test_whatever_the_shop_says_otherwise_is_a_conflict(changes: dict[str, Any]) -> None:
    first = place()
    with pytest.raises(Conflict, match="'s:1'"):
        orders.settle(first, place(**changes))


def test_an_order_that_no_record_can_hold_is_refused() -> None:
    lines = [
        {"sku": "\U0001f375" * 128, "line": f"{n:04}" + "\U0001f375" * 124, "quantity": 1}
        for n in range(1000)
    ]
    with pytest.raises(Refused, match="900000"):
        place(lines=lines)


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
    placement = place(sourcing, lines=lines)
    assert len(placement.event.model_dump_json().encode()) < LEDGER.max_message_bytes


def test_a_cancellation_without_a_time_was_now() -> None:
    placement = place()
    assert orders.cancel(placement, CancelRequest(), NOW).cancelled_at == NOW
    said = CancelRequest(cancelled_at=NOW - timedelta(days=1), reason="late")
    event = orders.cancel(placement, said, NOW)
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
        take_order("shop", request(), bare, PRIVACY)


def test_what_an_order_is_ranked_by_reaches_the_ledger() -> None:
    said: dict[str, Any] = {
        "ship_complete": True,
        "channel": "amazon",
        "customer_tier": "gold",
        "promised_by": NOW + timedelta(days=2),
        "value": 9.5,
    }
    event = place(hold="cart", **said).event
    assert event.hold == "s:cart"
    assert {name: getattr(event, name) for name in said} == said


def test_a_field_that_is_added_later_changes_no_digest() -> None:
    """Digests are kept for ever: what was said is hashed without what was left at its default."""
    said = place().event.model_dump_json(exclude={"sourcing", "destination"}, exclude_defaults=True)
    assert sorted(json.loads(said)) == ["customer", "lines", "order", "placed_at"]
    assert place().digest == PRIVACY.digest(said.encode())


def cart(pool: str) -> CartHeld:
    [sourcing] = [one for one in SOURCING if one.pool == pool]
    return CartHeld(
        hold="s:cart",
        sourcing=sourcing,
        held_at=NOW,
        expires_at=NOW + timedelta(minutes=5),
        lines=(HoldLine(sku="tea", quantity=1),),
    )


def test_an_order_goes_where_its_cart_was_held_and_the_rest_keeps_its_rank() -> None:
    near = place(hold="cart")
    assert [one.pool for one in near.event.sourcing] == ["north", "south"]
    far = orders.follow_hold(near, {"s:cart": cart("south")})
    assert [one.pool for one in far.event.sourcing] == ["south", "north"]
    assert (far.pool, far.shard, far.digest) == ("south", 2, near.digest)
    assert orders.follow_hold(near, {"s:cart": cart("north")}) == near
    assert orders.follow_hold(place(), {}) == place()


def test_a_pool_that_only_the_cart_knows_is_home_all_the_same() -> None:
    first = place(SOURCING[:1], hold="cart")
    far = orders.follow_hold(first, {"s:cart": cart("south")})
    assert [one.pool for one in far.event.sourcing] == ["south", "north"]


def test_a_cart_that_was_never_held_cannot_become_an_order() -> None:
    with pytest.raises(Refused, match="hold: was never taken here: 's:cart'"):
        orders.follow_hold(place(hold="cart"), {})


def came_back(**changes: Any) -> ReturnRequest:
    return ReturnRequest.model_validate(
        {
            "returned": "r1",
            "order": "1",
            "location": "n2",
            "returned_at": NOW,
            "lines": [{"line": "1", "sku": "tea", "quantity": 1, "condition": "damaged"}],
            **changes,
        }
    )


def test_a_return_belongs_to_the_shop_and_to_where_it_came_back() -> None:
    instead = (OrderLine(line="1b", sku="milk", quantity=1),)
    event = orders.give_back("s", place(), came_back(), "north", instead)
    assert (event.returned, event.order, event.pool) == ("s:r1", "s:1", "north")
    assert event.lines[0].condition is Condition.DAMAGED
    assert event.replacements == instead


def test_goods_that_come_back_elsewhere_are_not_replaced_from_there() -> None:
    orders.check_replacements(place(), came_back(), "south")
    instead = came_back(replacements=[{"line": "1b", "sku": "tea", "quantity": 1}])
    orders.check_replacements(place(), instead, "north")
    with pytest.raises(Refused, match="replacements: are sent from pool 'north'"):
        orders.check_replacements(place(), instead, "south")


def test_what_is_sent_instead_is_another_line() -> None:
    twice = came_back(replacements=[{"line": "2", "sku": "milk", "quantity": 1}])
    with pytest.raises(Refused, match=r"replacements\.0\.line: is a line of the order: '2'"):
        orders.check_replacements(place(), twice, "north")
