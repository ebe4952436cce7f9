"""Commands that come before the order or cart that they are about, by HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from tests.integration.order_ingest.sample import PLACED_AT, Ingest, order
from tests.integration.order_ingest.test_changes import came_back, cart
from tests.support import read_letters, read_messages

from restock_common.contracts.envelope import derive_id
from restock_common.contracts.ledger import OrderCancelled
from restock_common.contracts.topics import LEDGER

pytestmark = pytest.mark.kafka

_AT = PLACED_AT.isoformat()


async def told(ingest: Ingest, prefix: str) -> list[Any]:
    """Return what the ledger was told of orders, returns and carts of a name, each once."""
    found: dict[str, Any] = {}
    for one in await read_messages(ingest.kafka, LEDGER):
        name = getattr(one.event, "order", None) or getattr(one.event, "hold", None) or ""
        if name.startswith(f"demo:{prefix}"):
            assert found.setdefault(one.id, one.event) == one.event, "a repeat is the same"
    return list(found.values())


def names(events: list[Any]) -> list[str]:
    return [type(one).__name__ for one in events]


async def test_all_that_waits_for_an_order_follows_it_in_order(ingest: Ingest) -> None:
    amendment = {"revision": 1, "lines": [{"line": "1", "sku": "tea", "quantity": 9}]}
    sent = [
        ("/v1/orders/w-1/amendments", amendment),
        ("/v1/returns", came_back("rt-w", "w-1")),
        ("/v1/orders/demo:w-1/cancel", {"reason": "changed my mind"}),
    ]
    answers = [await ingest.http.post(path, json=body) for path, body in sent for _ in range(2)]
    assert {answer.status_code for answer in answers} == {202}
    assert [answer.json() for answer in answers[::2]] == [
        {"order": "demo:w-1", "event": derive_id("order-amended", "demo:w-1", 1), "waiting": True},
        {
            "returned": "demo:rt-w",
            "event": derive_id("order-returned", "demo:rt-w"),
            "waiting": True,
        },
        {"order": "demo:w-1", "event": derive_id("order-cancelled", "demo:w-1"), "waiting": True},
    ]
    assert await told(ingest, "w-1") == []
    placed = await ingest.http.post("/v1/orders", json=order("w-1"))
    assert placed.status_code == 202
    events = await told(ingest, "w-1")
    assert names(events) == ["OrderPlaced", "OrderAmended", "OrderReturned", "OrderCancelled"]
    assert events[1].lines[0].quantity == 9
    again = await ingest.http.post("/v1/orders/w-1/cancel", json={})
    assert again.json()["pool"] == "north", "it waits no more"


async def test_what_waits_is_checked_as_far_as_can_be_told(ingest: Ingest) -> None:
    amendment = {"revision": 1, "lines": [{"line": "1", "sku": "coffee", "quantity": 9}]}
    answer = await ingest.http.post("/v1/orders/w-2/amendments", json=amendment)
    assert answer.status_code == 422
    late = await ingest.http.post(
        "/v1/orders/w-2/cancel", json={"cancelled_at": "2099-01-01T00:00:00Z"}
    )
    assert late.status_code == 422


async def test_what_its_order_does_not_bear_out_becomes_a_dead_letter(ingest: Ingest) -> None:
    amendment = {"revision": 1, "lines": [{"line": "1", "sku": "milk", "quantity": 9}]}
    assert (await ingest.http.post("/v1/orders/w-3/amendments", json=amendment)).is_success
    assert (await ingest.http.post("/v1/orders/w-3/cancel", json={})).is_success
    assert (await ingest.http.post("/v1/orders", json=order("w-3"))).status_code == 202
    assert names(await told(ingest, "w-3")) == ["OrderPlaced", "OrderCancelled"]
    letters = await read_letters(ingest.kafka)
    [(letter, held)] = [one for one in letters if "milk" in one[1].reason]
    assert (letter.source_topic, letter.field) == ("order-ingest/waiting", "lines.0.sku")
    assert ("command", b"amend") in held.headers


async def test_a_release_waits_for_its_cart(ingest: Ingest) -> None:
    for _ in range(2):
        answer = await ingest.http.delete("/v1/holds/w-cart")
        assert (answer.status_code, answer.json()["waiting"]) == (202, True)
    assert (await ingest.http.post("/v1/holds", json=cart("w-cart"))).status_code == 202
    assert names(await told(ingest, "w-cart")) == ["CartHeld", "CartReleased"]


async def test_what_can_never_come_is_not_found(ingest: Ingest) -> None:
    lines = [{"line": "1", "sku": "tea", "quantity": 1}]
    never = "n" * 100
    for method, path, body in (
        ("POST", f"/v1/orders/{never}/amendments", {"revision": 1, "lines": lines}),
        ("POST", f"/v1/orders/{never}/cancel", {}),
        ("POST", "/v1/returns", came_back("rt-0", never)),
        ("DELETE", f"/v1/holds/{never}", None),
    ):
        answer = await ingest.http.request(method, path, json=body)
        assert answer.status_code == 404, path
        assert "is not known" in answer.json()["detail"]


async def test_the_first_of_two_cancellations_counts(ingest: Ingest) -> None:
    early = (PLACED_AT + timedelta(minutes=1)).isoformat()
    for said in (early, _AT):
        await ingest.http.post("/v1/orders/w-4/cancel", json={"cancelled_at": said})
    await ingest.http.post("/v1/orders", json=order("w-4"))
    [cancelled] = [one for one in await told(ingest, "w-4") if isinstance(one, OrderCancelled)]
    assert cancelled.cancelled_at.isoformat() == early
