"""What happens to orders after they were placed, and what carts keep before."""

from datetime import timedelta
from typing import Any

import pytest
from tests.integration.order_ingest.sample import (
    PLACED_AT,
    SOUTH,
    Ingest,
    on_shards,
    order,
    refused,
)

from restock_common.contracts.envelope import derive_id
from restock_common.contracts.ledger import (
    CartHeld,
    CartReleased,
    Component,
    Condition,
    HoldLine,
    OrderAmended,
    OrderPlaced,
    OrderReturned,
)

pytestmark = pytest.mark.kafka

_AT = PLACED_AT.isoformat()
_BREAKFAST = (Component(sku="tea", quantity=2), Component(sku="milk", quantity=1))


def cart(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "hold": name,
        "destination": {"latitude": 41.8, "longitude": -87.7},
        "lines": [{"sku": "tea", "quantity": 2}],
        "ttl_s": 600,
        "held_at": _AT,
        **changes,
    }


def came_back(name: str, number: str, **changes: Any) -> dict[str, Any]:
    return {
        "returned": name,
        "order": number,
        "location": "n2",
        "returned_at": _AT,
        "lines": [{"line": "1", "sku": "tea", "quantity": 1, "condition": "damaged"}],
        **changes,
    }


async def test_all_that_an_order_may_say_reaches_the_ledger(ingest: Ingest) -> None:
    sent = order(
        "full",
        lines=[
            {"sku": "breakfast", "quantity": 2, "preorder": True},
            {"sku": "tea", "quantity": 1, "split": False},
        ],
        ship_complete=True,
        channel="amazon",
        customer_tier="gold",
        promised_by="2017-01-05T00:00:00Z",
        value=49,
    )
    assert (await ingest.http.post("/v1/orders", json=sent)).status_code == 202
    [(shard, event)] = await on_shards(ingest, OrderPlaced, order="demo:full")
    assert shard == 1
    kit, tea = event.lines
    assert (kit.sku, kit.quantity, kit.components) == ("breakfast", 2, _BREAKFAST)
    assert (kit.preorder, kit.split, tea.preorder, tea.split) == (True, True, False, False)
    assert (event.ship_complete, event.channel, event.customer_tier) == (True, "amazon", "gold")
    assert (event.promised_by, event.value) == (PLACED_AT.replace(day=5, hour=0), 49.0)


async def test_an_amendment_follows_its_order(ingest: Ingest) -> None:
    await ingest.http.post("/v1/orders", json=order("am-1", destination=SOUTH))
    body = {
        "revision": 1,
        "amended_at": _AT,
        "lines": [
            {"line": "1", "sku": "tea", "quantity": 5},
            {"line": "kit", "sku": "breakfast", "quantity": 1},
        ],
    }
    answers = [await ingest.http.post("/v1/orders/am-1/amendments", json=body) for _ in range(2)]
    assert {one.status_code for one in answers} == {202}
    event_id = derive_id("order-amended", "demo:am-1", 1)
    assert answers[1].json() == {"order": "demo:am-1", "event": event_id, "pool": "south"}
    (shard, event), _ = await on_shards(ingest, OrderAmended, order="demo:am-1")
    assert (shard, event.revision, event.amended_at) == (2, 1, PLACED_AT)
    assert [(one.line, one.quantity) for one in event.lines] == [("1", 5), ("kit", 1)]
    assert event.lines[1].components == _BREAKFAST


async def test_a_kit_that_an_order_gains_stays_what_it_was(ingest: Ingest) -> None:
    def kit(sku: str) -> dict[str, Any]:
        return {"supplier": "acme", "components": [{"sku": sku, "quantity": 1}]}

    lines = [{"line": "set", "sku": "changing", "quantity": 1}]
    await ingest.http.put("/v1/products/changing", json=kit("tea"))
    await ingest.http.post("/v1/orders", json=order("am-3"))
    for revision, sku in ((1, "milk"), (2, "tea")):
        body = {"revision": revision, "lines": lines}
        answer = await ingest.http.post("/v1/orders/am-3/amendments", json=body)
        assert answer.status_code == 202
        await ingest.http.put("/v1/products/changing", json=kit(sku))
    amended = await on_shards(ingest, OrderAmended, order="demo:am-3")
    made_of = [[one.sku for one in event.lines[0].components] for _, event in amended]
    assert made_of == [["tea"], ["tea"]]
    other = [{"line": "set", "sku": "tea", "quantity": 1}]
    body = {"revision": 3, "lines": other}
    answer = await ingest.http.post("/v1/orders/am-3/amendments", json=body)
    assert refused(answer) == [("lines.0.sku", "tea")]


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"revision": 0}, "revision", 0),
        ({"revision": "1"}, "revision", "1"),
        ({"lines": [{"sku": "tea", "quantity": 1}]}, "lines.0.line", None),
        ({"lines": [{"line": "1", "sku": "coffee", "quantity": 1}]}, "lines.0.sku", "coffee"),
        ({"lines": [{"line": "1", "sku": "tea", "quantity": 0}]}, "lines.0.quantity", 0),
        ({"lines": [{"line": "1", "sku": "milk", "quantity": 1}]}, "lines.0.sku", "milk"),
        ({"amended_at": "2099-01-01T00:00:00Z"}, "amended_at", "2099-01-01T00:00:00+00:00"),
    ],
)
async def test_a_wrong_amendment(
    ingest: Ingest, changes: dict[str, Any], field: str, value: object
) -> None:
    await ingest.http.post("/v1/orders", json=order("am-2"))
    body = {"revision": 1, "lines": [], **changes}
    answer = await ingest.http.post("/v1/orders/am-2/amendments", json=body)
    assert refused(answer) == [(field, value)]
    assert await on_shards(ingest, OrderAmended, order="demo:am-2") == []


async def test_a_return_goes_to_the_shard_of_where_it_came_back(ingest: Ingest) -> None:
    await ingest.http.post("/v1/orders", json=order("rt-1"))
    instead = [{"line": "1-again", "sku": "breakfast", "quantity": 1}]
    lines = [
        {
            "line": "1",
            "sku": "tea",
            "quantity": 2,
            "condition": "quality_hold",
            "lot": "L1",
            "serials": ["s1", "s2"],
        }
    ]
    body = came_back("rt-1", "rt-1", lines=lines, replacements=instead)
    answer = await ingest.http.post("/v1/returns", json=body)
    assert answer.status_code == 202
    assert (answer.json()["returned"], answer.json()["pool"]) == ("demo:rt-1", "north")
    [(shard, event)] = await on_shards(ingest, OrderReturned, returned="demo:rt-1")
    assert (shard, event.order, event.location, event.pool) == (1, "demo:rt-1", "n2", "north")
    [line] = event.lines
    assert (line.condition, line.lot) == (Condition.QUALITY_HOLD, "L1")
    assert line.serials == ("s1", "s2")
    assert event.replacements[0].components == _BREAKFAST


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"location": "mars"}, "location", "mars"),
        ({"lines": [{"line": "1", "sku": "breakfast", "quantity": 1}]}, "lines.0.sku", "breakfast"),
        ({"lines": [{"line": "1", "sku": "tea", "quantity": -1}]}, "lines.0.quantity", -1),
        (
            {"lines": [{"line": "1", "sku": "tea", "quantity": 2, "serials": ["s"]}]},
            "lines.0.serials",
            1,
        ),
        (
            {"location": "s1", "replacements": [{"line": "9", "sku": "tea", "quantity": 1}]},
            "replacements",
            "s1",
        ),
        (
            {"replacements": [{"line": "1", "sku": "tea", "quantity": 1}]},
            "replacements.0.line",
            "1",
        ),
        ({"returned_at": "2099-01-01T00:00:00Z"}, "returned_at", "2099-01-01T00:00:00+00:00"),
    ],
)
async def test_a_wrong_return(
    ingest: Ingest, changes: dict[str, Any], field: str, value: object
) -> None:
    await ingest.http.post("/v1/orders", json=order("rt-2"))
    answer = await ingest.http.post("/v1/returns", json=came_back("rt-2", "rt-2", **changes))
    assert refused(answer) == [(field, value)]
    assert await on_shards(ingest, OrderReturned, returned="demo:rt-2") == []


async def test_a_cart_is_held_and_let_go_on_one_shard(ingest: Ingest) -> None:
    lines = [{"sku": "breakfast", "quantity": 2}, {"sku": "tea", "quantity": 1}]
    answer = await ingest.http.post("/v1/holds", json=cart("c/1", lines=lines, channel="web"))
    assert answer.status_code == 202
    assert answer.json() == {
        "hold": "demo:c/1",
        "event": derive_id("cart-held", "demo:c/1"),
        "pool": "north",
        "expires_at": (PLACED_AT + timedelta(seconds=600)).isoformat(),
        "state": "/v1/holds/demo:c%2F1",
    }
    [(shard, event)] = await on_shards(ingest, CartHeld, hold="demo:c/1")
    assert (shard, event.sourcing.pool, event.channel) == (1, "north", "web")
    assert event.lines == (HoldLine(sku="tea", quantity=5), HoldLine(sku="milk", quantity=2))
    for name in ("c%2F1", "demo:c%2F1"):
        released = await ingest.http.delete(f"/v1/holds/{name}")
        assert released.status_code == 202
        assert released.json()["event"] == derive_id("cart-released", "demo:c/1")
    let_go = await on_shards(ingest, CartReleased, hold="demo:c/1")
    assert {(shard, one.lines) for shard, one in let_go} == {(1, ())}


async def test_a_repeated_cart_has_the_first_ones_time(ingest: Ingest) -> None:
    sent = cart("c-2", held_at=None)
    answers = [await ingest.http.post("/v1/holds", json=sent) for _ in range(3)]
    assert len({one.text for one in answers}) == 1
    other = await ingest.http.post("/v1/holds", json={**sent, "ttl_s": 601})
    assert other.status_code == 409
    events = await on_shards(ingest, CartHeld, hold="demo:c-2")
    assert len(events) == 3
    assert len({event.model_dump_json() for _, event in events}) == 1


async def test_an_order_goes_where_its_cart_was_held(ingest: Ingest) -> None:
    held = await ingest.http.post("/v1/holds", json=cart("c-3", pool="south"))
    assert held.json()["pool"] == "south"
    placed = await ingest.http.post("/v1/orders", json=order("from-c-3", hold="c-3"))
    assert placed.json()["pool"] == "south"
    [(shard, event)] = await on_shards(ingest, OrderPlaced, order="demo:from-c-3")
    assert (shard, event.hold) == (2, "demo:c-3")
    assert [one.pool for one in event.sourcing] == ["south", "north"]
    cancelled = await ingest.http.post("/v1/orders/from-c-3/cancel")
    assert cancelled.json()["pool"] == "south"


async def test_an_order_of_a_cart_that_was_never_held(ingest: Ingest) -> None:
    orders = [order("from-never", hold="never"), order("from-none")]
    answer = await ingest.http.post("/v1/orders:batch", json={"orders": orders})
    assert [item["status"] for item in answer.json()["items"]] == [422, 202]
    [error] = answer.json()["items"][0]["problem"]["errors"]
    assert (error["field"], error["value"]) == ("hold", "demo:never")


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"ttl_s": 0}, "ttl_s", 0),
        ({"ttl_s": 604_801}, "ttl_s", 604_801),
        ({"lines": []}, "lines", "[]"),
        ({"lines": [{"sku": "coffee", "quantity": 1}]}, "lines.0.sku", "coffee"),
        ({"lines": [{"sku": "tea", "quantity": 2**31}]}, "lines.0.quantity", 2**31),
        ({"lines": [{"sku": "tea", "quantity": 1}] * 2}, "lines.1.sku", "tea"),
        ({"lines": [{"sku": "breakfast", "quantity": 50_001}]}, "lines", 100_002),
        ({"pool": "mars"}, "pool", "mars"),
        ({"held_at": "2099-01-01T00:00:00Z"}, "held_at", "2099-01-01T00:00:00+00:00"),
    ],
)
async def test_a_wrong_cart(
    ingest: Ingest, changes: dict[str, Any], field: str, value: object
) -> None:
    answer = await ingest.http.post("/v1/holds", json=cart("c-bad", **changes))
    assert refused(answer) == [(field, value)]
    assert await on_shards(ingest, CartHeld, hold="demo:c-bad") == []
