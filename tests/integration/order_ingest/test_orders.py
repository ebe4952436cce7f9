"""Orders through the HTTP door: durable, homed, remembered, and each taken once."""

from typing import Any

import pytest
from tests.integration.order_ingest.sample import PLACED_AT, SOUTH, Ingest, order
from tests.support import read_messages, read_records

from restock_common.contracts.envelope import Message, derive_id
from restock_common.contracts.ledger import OrderCancelled, OrderPlaced
from restock_common.contracts.topics import LEDGER

pytestmark = pytest.mark.kafka


async def published(ingest: Ingest, order_id: str) -> list[Message[Any]]:
    return [
        one
        for one in await read_messages(ingest.kafka, LEDGER)
        if isinstance(one.event, OrderPlaced | OrderCancelled) and one.event.order == order_id
    ]


async def test_an_order_is_on_its_home_shard_when_it_is_answered(ingest: Ingest) -> None:
    answer = await ingest.http.post("/v1/orders", json=order("o-1"))
    assert answer.status_code == 202
    event_id = derive_id("order-placed", "demo:o-1")
    assert answer.json() == {"order": "demo:o-1", "event": event_id, "pool": "north"}
    [message] = await published(ingest, "demo:o-1")
    assert message.id == event_id
    assert message.time == PLACED_AT
    placed = message.event
    assert [(line.line, line.sku, line.quantity) for line in placed.lines] == [
        ("1", "tea", 2),
        ("2", "milk", 1),
    ]
    assert [(pool.pool, pool.shard) for pool in placed.sourcing] == [("north", 1), ("south", 2)]
    assert [near.location for near in placed.sourcing[0].locations] == ["n1", "n2"]
    records = await read_records(ingest.kafka, LEDGER)
    assert {one.partition for one in records if b"demo:o-1" in (one.value or b"")} == {1}


async def test_a_repeat_has_the_same_answer_and_the_same_event(ingest: Ingest) -> None:
    sent = order("o-2")
    answers = [await ingest.http.post("/v1/orders", json=sent) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    messages = await published(ingest, "demo:o-2")
    assert len(messages) == 3
    assert len({(one.id, one.event.model_dump_json()) for one in messages}) == 1


async def test_a_repeat_stays_where_it_was_homed_first(ingest: Ingest) -> None:
    sent = order("o-moved", destination={"latitude": 45.0, "longitude": -90.0})
    first = await ingest.http.post("/v1/orders", json=sent)
    new = {"location": "n3", "pool": "north", "place": {"latitude": 45.0, "longitude": -90.0}}
    assert (await ingest.http.put("/v1/locations/n3", json=new)).status_code == 202
    again = await ingest.http.post("/v1/orders", json=sent)
    assert again.json() == first.json()
    one, other = await published(ingest, "demo:o-moved")
    assert one.event == other.event
    assert "n3" not in one.event.model_dump_json()


async def test_a_repeat_with_other_content_is_a_conflict(ingest: Ingest) -> None:
    await ingest.http.post("/v1/orders", json=order("o-3"))
    changed = order("o-3", lines=[{"sku": "tea", "quantity": 3}])
    answer = await ingest.http.post("/v1/orders", json=changed)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert "demo:o-3" in answer.json()["detail"]
    assert len(await published(ingest, "demo:o-3")) == 1


async def test_a_default_line_name_is_the_same_as_a_written_one(ingest: Ingest) -> None:
    lines = [{"line": "2", "sku": "milk", "quantity": 1}]
    await ingest.http.post("/v1/orders", json=order("o-4", lines=[{"sku": "tea", "quantity": 2}]))
    same = [{"line": "1", "sku": "tea", "quantity": 2}]
    again = await ingest.http.post("/v1/orders", json=order("o-4", lines=same))
    other = await ingest.http.post("/v1/orders", json=order("o-4", lines=lines))
    assert (again.status_code, other.status_code) == (202, 409)


@pytest.mark.parametrize("name", ["o-5", "demo:o-5"])
async def test_a_cancellation_follows_its_order(ingest: Ingest, name: str) -> None:
    sent = order("o-5", destination=SOUTH)
    placed = (await ingest.http.post("/v1/orders", json=sent)).json()
    body = {"cancelled_at": "2017-01-02T10:00:00Z", "reason": "changed my mind"}
    answer = await ingest.http.post(f"/v1/orders/{name}/cancel", json=body)
    assert answer.status_code == 202
    assert answer.json() == {
        "order": "demo:o-5",
        "event": derive_id("order-cancelled", "demo:o-5"),
        "pool": placed["pool"],
    }
    records = [
        one
        for one in await read_records(ingest.kafka, LEDGER)
        if b"OrderCancelled" in dict(one.headers)["ce_type"] and b"demo:o-5" in (one.value or b"")
    ]
    assert {one.partition for one in records} == {2}


async def test_a_cancellation_needs_no_body(ingest: Ingest) -> None:
    await ingest.http.post("/v1/orders", json=order("o-6"))
    answer = await ingest.http.post("/v1/orders/o-6/cancel")
    assert answer.status_code == 202


async def test_a_batch_is_answered_item_by_item(ingest: Ingest) -> None:
    await ingest.http.post("/v1/orders", json=order("b-old"))
    orders = [
        order("b-1"),
        order("b-2", lines=[{"sku": "coffee", "quantity": 1}]),
        order("b-1"),
        order("b-old", customer="someone else"),
        {"order": "b-3"},
        17,
        order("b-4", lines=[{"sku": "tea", "quantity": 0}]),
        order("b-1", customer="someone else"),
    ]
    answer = await ingest.http.post("/v1/orders:batch", json={"orders": orders})
    assert answer.status_code == 207
    items = answer.json()["items"]
    assert [item["status"] for item in items] == [202, 422, 202, 409, 422, 422, 422, 409]
    assert items[0] == items[2]
    assert items[1]["problem"]["errors"] == [
        {"field": "lines.0.sku", "value": "coffee", "reason": "is not in the catalogue"}
    ]
    assert {error["field"] for error in items[4]["problem"]["errors"]} == {
        "customer",
        "placed_at",
        "destination",
        "lines",
    }
    assert items[5]["problem"]["errors"][0]["value"] == 17
    assert items[6]["problem"]["errors"][0]["field"] == "lines.0.quantity"
    assert len(await published(ingest, "demo:b-1")) == 2


async def test_a_good_batch_is_accepted(ingest: Ingest) -> None:
    orders = [order(f"g-{number}") for number in range(100)]
    answer = await ingest.http.post("/v1/orders:batch", json={"orders": orders})
    assert answer.status_code == 202
    assert [item["order"] for item in answer.json()["items"]] == [
        f"demo:g-{number}" for number in range(100)
    ]
    ids = [
        one.event.order
        for one in await read_messages(ingest.kafka, LEDGER)
        if isinstance(one.event, OrderPlaced)
    ]
    assert [one for one in ids if one.startswith("demo:g-")] == [
        f"demo:g-{number}" for number in range(100)
    ]


async def test_one_trace_goes_from_the_request_to_the_event(ingest: Ingest) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    await ingest.http.post("/v1/orders", json=order("t-1"), headers=headers)
    [message] = await published(ingest, "demo:t-1")
    assert message.traceparent is not None
    assert message.traceparent.split("-")[1] == trace
