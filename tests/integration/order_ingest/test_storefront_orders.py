"""The Kafka door and the live clock: bad records become dead letters, and the stream goes on."""

import json
from typing import Any

import pytest
from tests.integration.order_ingest.sample import SOUTH, Ingest, on_shards, order
from tests.support import publish_raw, read_letters, read_messages, read_records, until

from restock_common.contracts import TYPES
from restock_common.contracts.envelope import decode
from restock_common.contracts.ledger import OrderCancelled, OrderPlaced, TimeAdvanced
from restock_common.contracts.topics import DEAD_LETTERS, LEDGER, SHARDS, STOREFRONT_ORDERS
from restock_common.transact import Outgoing

pytestmark = pytest.mark.kafka

CLOCK = "live"

_GOOD = (("shop", b"demo"),)


def record(
    body: object, *, headers: tuple[tuple[str, bytes], ...] = _GOOD, partition: int = 0
) -> Outgoing:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Outgoing(STOREFRONT_ORDERS.name, partition, None, list(headers), raw)


async def ledger_events(ingest: Ingest, prefix: str) -> list[Any]:
    return [
        one.event
        for one in await read_messages(ingest.kafka, LEDGER)
        if isinstance(one.event, OrderPlaced | OrderCancelled)
        and one.event.order.startswith(f"demo:{prefix}")
    ]


async def taken(ingest: Ingest) -> None:
    """Wait until all that was sent has been decided, and what follows from it published."""
    sent = len(await read_records(ingest.kafka, STOREFRONT_ORDERS))

    async def all_taken() -> bool:
        progress = (await ingest.http.get("/v1/progress")).json()
        offsets = progress["offsets"].get(STOREFRONT_ORDERS.name, {})
        return bool(sum(offsets.values()) == sent and progress["unpublished"] == 0)

    await until(all_taken, what="the raw topic has been taken")


async def test_orders_and_cancellations_reach_their_shard(ingest: Ingest) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    traced = (*_GOOD, ("traceparent", f"00-{trace}-b7ad6b7169203331-01".encode()))
    cancelled = {"cancel": "k-1", "cancelled_at": "2017-01-02T12:00:00Z", "reason": "late"}
    records = [record(order("k-1"), headers=traced), record(cancelled), record({"cancel": "k-1"})]
    await publish_raw(ingest.kafka, records)
    await taken(ingest)
    placed, first, second = await ledger_events(ingest, "k-1")
    assert isinstance(placed, OrderPlaced)
    assert first == OrderCancelled(
        order="demo:k-1", cancelled_at="2017-01-02T12:00:00Z", reason="late"
    )
    assert isinstance(second, OrderCancelled)
    assert second.cancelled_at > first.cancelled_at, "without a time it was when it was sent"
    [message] = [one for one in await read_messages(ingest.kafka, LEDGER) if one.event == placed]
    assert (message.traceparent or "").split("-")[1] == trace
    assert message.position is not None


async def test_a_malformed_trace_context_holds_nothing_up(ingest: Ingest) -> None:
    await publish_raw(
        ingest.kafka, [record(order("trace-1"), headers=(*_GOOD, ("traceparent", b"\x00-00")))]
    )
    await taken(ingest)
    assert len(await ledger_events(ingest, "trace-1")) == 1


async def test_both_doors_remember_the_same_orders(ingest: Ingest) -> None:
    http, kafka = order("both-1"), order("both-2")
    first = await ingest.http.post("/v1/orders", json=http)
    await publish_raw(ingest.kafka, [record(http), record(kafka)])
    await taken(ingest)
    second = await ingest.http.post("/v1/orders", json=kafka)
    other = await ingest.http.post("/v1/orders", json={**kafka, "customer": "someone else"})
    assert (first.status_code, second.status_code, other.status_code) == (202, 202, 409)
    assert (await ingest.http.post("/v1/orders/both-2/cancel")).status_code == 202
    events = await ledger_events(ingest, "both-1")
    assert len(events) == 2
    assert events[0] == events[1]


async def test_a_kit_and_a_cart_by_kafka(ingest: Ingest) -> None:
    cart = {
        "hold": "by-kafka",
        "destination": SOUTH,
        "lines": [{"sku": "breakfast", "quantity": 1}],
        "ttl_s": 60,
    }
    assert (await ingest.http.post("/v1/holds", json=cart)).json()["pool"] == "south"
    lines = [{"sku": "breakfast", "quantity": 1}]
    records = [
        record(order("cart-1", hold="never", lines=lines)),
        record(order("cart-2", hold="by-kafka", lines=lines)),
    ]
    await publish_raw(ingest.kafka, records)
    await taken(ingest)
    [(shard, placed)] = await on_shards(ingest, OrderPlaced, hold="demo:by-kafka")
    assert (shard, placed.order) == (2, "demo:cart-2")
    assert [one.sku for one in placed.lines[0].components] == ["tea", "milk"]
    letters = await read_letters(ingest.kafka)
    assert [one.field for one, held in letters if "demo:never" in held.reason] == ["hold"]
    assert await ledger_events(ingest, "cart-1") == []


async def test_an_order_that_is_repeated_in_one_batch(ingest: Ingest) -> None:
    records = [record(order("twice")) for _ in range(3)]
    records.append(record(order("twice", customer="someone else")))
    await publish_raw(ingest.kafka, records)
    await taken(ingest)
    assert len(await ledger_events(ingest, "twice")) == 3
    letters = await read_letters(ingest.kafka)
    assert [one.field for one, held in letters if "demo:twice" in held.reason] == ["order"]


@pytest.mark.parametrize(
    ("sent", "field", "reason"),
    [
        (record(b"not JSON"), "body", "is not JSON"),
        (record(b""), "body", "is not JSON"),
        (record(b"[1]"), "body", "[1]"),
        (record(b"{}"), "order", "required"),
        (record(order("d-1"), headers=()), "header shop", "is missing"),
        (record(order("d-1"), headers=(("shop", b"nobody"),)), "header shop", "'nobody'"),
        (record(order("d-1"), headers=(("shop", b"\xff"),)), "header shop", "no shop"),
        (record(order("d-1", lines=[{"sku": "coffee", "quantity": 1}])), "lines.0.sku", "'coffee'"),
        (record(order("d-1", lines=[{"sku": "tea", "quantity": 0}])), "lines.0.quantity", "0"),
        (record(order("d-1", placed_at="2099-01-01T00:00:00Z")), "placed_at", "2099"),
        (record({"cancel": "n" * 120}), "order", "is not known"),
        (record({"cancel": 5}), "cancel", "5"),
        (record({"cancel": "x", "cancelled_at": "2099-01-01T00:00Z"}), "cancelled_at", "2099"),
        (record({"cancel": "x", "customer": "y"}), "customer", "'y'"),
        (record(b"?", headers=(("shop", b"\x00" * 500_000),)), "header shop", "no shop"),
    ],
)
async def test_a_bad_record_becomes_a_dead_letter(
    ingest: Ingest, sent: Outgoing, field: str, reason: str
) -> None:
    before = len(await read_records(ingest.kafka, DEAD_LETTERS))
    await publish_raw(ingest.kafka, [sent])
    await taken(ingest)
    [(letter, held)] = (await read_letters(ingest.kafka))[before:]
    assert (letter.consumer, letter.source_topic) == ("order-ingest", STOREFRONT_ORDERS.name)
    assert letter.field == field
    assert reason in held.reason
    assert (held.body, letter.body_bytes) == (sent.body, len(sent.body))


async def test_bad_records_do_not_hold_up_good_ones(ingest: Ingest) -> None:
    records = []
    for number in range(20):
        records.append(record(order(f"go-{number}"), partition=number % 4))
        records.append(record(b"\x00" * 10, partition=number % 4))
    await publish_raw(ingest.kafka, records)
    await taken(ingest)
    assert {event.order for event in await ledger_events(ingest, "go-")} == {
        f"demo:go-{number}" for number in range(20)
    }
    assert (await ingest.http.get("/health/ready")).status_code == 200


async def test_a_cancellation_waits_for_its_order_also_in_one_batch(ingest: Ingest) -> None:
    await publish_raw(ingest.kafka, [record({"cancel": "early"}), record(order("early"))])

    async def both() -> list[Any]:
        events = await ledger_events(ingest, "early")
        return events if any(isinstance(one, OrderCancelled) for one in events) else []

    kinds = [type(one) for one in await until(both, what="the cancellation")]
    assert kinds.index(OrderPlaced) < kinds.index(OrderCancelled)


async def test_the_live_clock_ticks_on_every_shard(ingest: Ingest) -> None:
    async def ticks() -> bool:
        times: dict[int, list[Any]] = {}
        for one in await read_records(ingest.kafka, LEDGER):
            event = decode(one, TYPES).event
            if isinstance(event, TimeAdvanced):
                times.setdefault(one.partition, []).append(event.until)
        assert all(of_one == sorted(of_one) for of_one in times.values())
        return len(times) == SHARDS and all(len(of_one) > 1 for of_one in times.values())

    await until(ticks, what="two ticks on every shard")
    assert (await ingest.http.post("/v1/clock", json={})).status_code == 404
