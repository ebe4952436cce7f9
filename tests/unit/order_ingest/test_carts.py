"""Where a cart is held, until when, and what a repeat of it means."""

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.order_ingest.sample import CHICAGO, HOUSTON, NOW, catalogue

from order_ingest.domain import carts, register
from order_ingest.domain.findings import Conflict, Refused, Unknown
from order_ingest.domain.register import Entry
from order_ingest.domain.requests import HoldRequest
from order_ingest.domain.sourcing import rank_pools
from restock_common.contracts.ledger import CartHeld, HoldLine, Place


def hold(
    *, now: Any = NOW, near: Place = CHICAGO, shop: str = "shop", **changes: Any
) -> Entry[CartHeld]:
    request = HoldRequest.model_validate(
        {
            "hold": "cart",
            "destination": near,
            "lines": [{"sku": "breakfast", "quantity": 1}],
            "ttl_s": 300,
            **changes,
        }
    )
    ranked = rank_pools(catalogue(), request.destination)
    return carts.hold(shop, request, catalogue(), ranked, now)


def test_a_cart_is_held_near_its_destination_until_its_time() -> None:
    event = hold(channel="amazon").event
    assert (event.hold, event.sourcing.pool, event.sourcing.shard) == ("shop:cart", "north", 1)
    assert (event.held_at, event.expires_at) == (NOW, NOW + timedelta(seconds=300))
    assert event.lines == (HoldLine(sku="tea", quantity=2), HoldLine(sku="milk", quantity=1))
    assert event.channel == "amazon"
    assert hold(near=HOUSTON).event.sourcing.pool == "south"


def test_a_cart_is_held_where_it_is_asked_for() -> None:
    assert hold(pool="south").event.sourcing.pool == "south"
    with pytest.raises(Refused, match="pool: has no location: 'empty'"):
        hold(pool="empty")


def test_a_repeat_gets_the_time_of_the_first() -> None:
    first, again = hold(), hold(now=NOW + timedelta(seconds=9), hold="shop:cart")
    assert again.event.expires_at > first.event.expires_at
    assert register.settle(first, again, "hold").event is first.event


@pytest.mark.parametrize(
    "changes", [{"ttl_s": 301}, {"lines": [{"sku": "tea", "quantity": 1}]}, {"pool": "south"}]
)
def test_a_repeat_that_says_something_else_is_a_conflict(changes: dict[str, Any]) -> None:
    with pytest.raises(Conflict, match="hold 'shop:cart' was taken before"):
        register.settle(hold(), hold(**changes), "hold")


def test_two_shops_may_have_a_cart_of_one_name() -> None:
    assert hold(shop="a").id != hold(shop="b").id


def test_what_was_never_taken_is_not_known() -> None:
    with pytest.raises(Unknown, match="hold 'shop:cart' is not known"):
        register.taken("hold", "shop:cart", None)
    event = hold().event
    assert register.taken("hold", "shop:cart", event) is event
