"""Lots, adjustments, policies, expected receipts and transfers through the HTTP door."""

from datetime import date
from typing import Any

import pytest
from tests.integration.order_ingest.sample import PLACED_AT, Ingest, on_shards, refused

from restock_common.contracts.envelope import derive_id
from restock_common.contracts.ledger import (
    AdjustedLine,
    Condition,
    GoodsReceived,
    ReceiptExpected,
    StockAdjusted,
    StockCounted,
    StockPolicySet,
    TransferCancelled,
    TransferEnd,
    TransferLine,
    TransferOrdered,
    TransferReceived,
    TransferShipped,
)

pytestmark = pytest.mark.kafka

_AT = PLACED_AT.isoformat()
_LATE = "2099-01-01T00:00:00Z"
_TEA: dict[str, Any] = {"sku": "tea", "quantity": 2}


async def test_a_receipt_with_all_that_is_known_of_the_goods(ingest: Ingest) -> None:
    line = {
        **_TEA,
        "order_line": "pl-1",
        "lot": "L1",
        "expires_on": "2017-03-01",
        "serials": ["s1", "s2"],
        "condition": "damaged",
    }
    body = {"receipt": "lots-1", "location": "n1", "received_at": _AT, "lines": [line]}
    assert (await ingest.http.post("/v1/receipts", json=body)).status_code == 202
    [(shard, event)] = await on_shards(ingest, GoodsReceived, receipt="lots-1")
    [told] = event.lines
    assert (shard, told.lot, told.expires_on) == (1, "L1", date(2017, 3, 1))
    assert (told.serials, told.condition) == (("s1", "s2"), Condition.DAMAGED)


async def test_a_count_of_lots_and_conditions(ingest: Ingest) -> None:
    lines = [_TEA, {**_TEA, "lot": "L1"}, {**_TEA, "condition": "damaged"}]
    body = {"count": "lots-1", "location": "s1", "counted_at": _AT, "lines": lines}
    assert (await ingest.http.post("/v1/counts", json=body)).status_code == 202
    [(shard, event)] = await on_shards(ingest, StockCounted, count="lots-1")
    assert shard == 2
    assert [(one.lot, one.condition.value) for one in event.lines] == [
        (None, "sellable"),
        ("L1", "sellable"),
        (None, "damaged"),
    ]


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ({**_TEA, "serials": ["s1"]}, "lines.0", None),
        ({**_TEA, "expires_on": "2017-03-01"}, "lines.0", None),
        ({**_TEA, "condition": "rotten"}, "lines.0.condition", "rotten"),
        ({**_TEA, "sku": "breakfast"}, "lines.0.sku", "breakfast"),
    ],
)
async def test_a_wrong_receipt(
    ingest: Ingest, line: dict[str, Any], field: str, value: str | None
) -> None:
    body = {"receipt": "lots-bad", "location": "n1", "received_at": _AT, "lines": [line]}
    [(named, shown)] = refused(await ingest.http.post("/v1/receipts", json=body))
    assert named == field
    assert value in (None, shown)


async def test_an_adjustment(ingest: Ingest) -> None:
    lines = [
        {**_TEA, "source": "sellable", "target": "damaged", "lot": "L1"},
        {**_TEA, "source": "outside", "target": "quality_hold"},
        {**_TEA, "source": "damaged", "target": "outside"},
    ]
    body: dict[str, Any] = {"adjustment": "ad-1", "location": "s1", "adjusted_at": _AT}
    answer = await ingest.http.post(
        "/v1/adjustments", json={**body, "reason": "dropped", "lines": lines}
    )
    assert answer.status_code == 202
    event_id = derive_id("stock-adjusted", "ad-1")
    assert answer.json() == {"adjustment": "ad-1", "event": event_id, "pool": "south"}
    [(shard, event)] = await on_shards(ingest, StockAdjusted, adjustment="ad-1")
    assert (shard, event.reason, event.pool) == (2, "dropped", "south")
    assert event.lines == tuple(AdjustedLine.model_validate(line) for line in lines)
    for line, field, value in (
        ({**_TEA, "source": "moon", "target": "damaged"}, "lines.0.source", "moon"),
        ({**_TEA, "source": "damaged", "target": "damaged"}, "lines.0.target", "damaged"),
        ({**_TEA, "quantity": 0, "source": "damaged", "target": "outside"}, "lines.0.quantity", 0),
    ):
        wrong = await ingest.http.post("/v1/adjustments", json={**body, "lines": [line]})
        assert refused(wrong) == [(field, value)]


async def test_a_policy_is_set_as_a_whole(ingest: Ingest) -> None:
    body = {
        "safety_buffer": 2,
        "channel_buffers": {"amazon": 3},
        "safety_stock": 10,
        "overstock_above": 900,
    }
    answer = await ingest.http.put("/v1/policies/a%2Fb:1/n1", json=body)
    assert answer.status_code == 202
    assert answer.json()["policy"] == "a/b:1/n1"
    assert (await ingest.http.put("/v1/policies/a%2Fb:1/n1", json={})).status_code == 202
    (shard, first), (_, second) = await on_shards(ingest, StockPolicySet, sku="a/b:1")
    assert (shard, first.location, first.pool) == (1, "n1", "north")
    assert first.model_dump(include=set(body)) == body
    assert (second.safety_buffer, second.channel_buffers, second.overstock_above) == (0, {}, None)
    for path, wrong, found in (
        ("coffee/n1", {}, ("sku", "coffee")),
        ("tea/mars", {}, ("location", "mars")),
        ("tea/n1", {"safety_buffer": -1}, ("safety_buffer", -1)),
        ("tea/n1", {"channel_buffers": {"amazon": 1.5}}, ("channel_buffers.amazon", 1.5)),
        ("tea/n1", {"buffer": 1}, ("buffer", 1)),
    ):
        assert refused(await ingest.http.put(f"/v1/policies/{path}", json=wrong)) == [found]


async def test_an_expected_receipt_may_change_and_vanish(ingest: Ingest) -> None:
    body: dict[str, Any] = {
        "location": "s1",
        "sku": "tea",
        "quantity": 12,
        "expected_at": "2017-02-01T00:00:00Z",
    }
    for quantity in (12, 0):
        answer = await ingest.http.put(
            "/v1/expected-receipts/po-1%2F1", json={**body, "quantity": quantity}
        )
        assert answer.status_code == 202
        assert answer.json()["expected"] == "po-1/1"
    told = await on_shards(ingest, ReceiptExpected, expected="po-1/1")
    assert [(shard, one.pool, one.quantity) for shard, one in told] == [
        (2, "south", 12),
        (2, "south", 0),
    ]
    for elsewhere in ({"location": "n1"}, {"sku": "milk"}):
        moved = await ingest.http.put("/v1/expected-receipts/po-1%2F1", json={**body, **elsewhere})
        assert moved.status_code == 409
        assert "'po-1/1'" in moved.json()["detail"]
    for changes, found in (
        ({"expected_at": _LATE}, ("expected_at", "2099-01-01T00:00:00+00:00")),
        ({"sku": "breakfast"}, ("sku", "breakfast")),
        ({"location": "mars"}, ("location", "mars")),
        ({"quantity": -1}, ("quantity", -1)),
    ):
        wrong = await ingest.http.put("/v1/expected-receipts/po-2", json={**body, **changes})
        assert refused(wrong) == [found]


def transfer(name: str, **changes: Any) -> dict[str, Any]:
    lines = [
        {"line": "1", "sku": "tea", "quantity": 4},
        {"line": "2", "sku": "milk", "quantity": 1},
    ]
    ends = {"source": "n1", "target": "s1", "ordered_at": _AT}
    return {"transfer": name, **ends, "lines": lines, **changes}


async def test_a_transfer_is_ordered_shipped_and_received_on_the_shard_that_has_to_know(
    ingest: Ingest,
) -> None:
    answers = [await ingest.http.post("/v1/transfers", json=transfer("t/1")) for _ in range(2)]
    assert {one.status_code for one in answers} == {202}
    assert answers[0].json() == {
        "transfer": "t/1",
        "event": derive_id("transfer-ordered", "t/1"),
        "pool": "north",
    }
    (shard, ordered), _ = await on_shards(ingest, TransferOrdered, transfer="t/1")
    assert shard == 1
    assert ordered.source == TransferEnd(location="n1", pool="north", shard=1)
    assert ordered.target == TransferEnd(location="s1", pool="south", shard=2)
    line = {"line": "1", "sku": "tea", "quantity": 3}
    truck = {"shipment": "truck-1", "shipped_at": _AT, "lines": [line]}
    shipped = await ingest.http.post("/v1/transfers/t%2F1/shipments", json=truck)
    assert (shipped.status_code, shipped.json()["shipment"]) == (202, "truck-1")
    dock = {"receipt": "dock-1", "received_at": _AT, "lines": [line], "complete": True}
    received = await ingest.http.post("/v1/transfers/t%2F1/receipts", json=dock)
    assert (received.status_code, received.json()["pool"]) == (202, "south")
    assert (await ingest.http.delete("/v1/transfers/t%2F1")).status_code == 202
    told = TransferLine.model_validate(line)
    [(shard, left)] = await on_shards(ingest, TransferShipped, transfer="t/1")
    assert (shard, left.shipment, left.lines) == (1, "truck-1", (told,))
    [(shard, arrived)] = await on_shards(ingest, TransferReceived, transfer="t/1")
    assert (shard, arrived.location, arrived.pool) == (2, "s1", "south")
    assert (arrived.lines, arrived.complete) == ((told,), True)
    [(shard, _)] = await on_shards(ingest, TransferCancelled, transfer="t/1")
    assert shard == 1


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"source": "mars"}, "source", "mars"),
        ({"target": "n1"}, "target", "n1"),
        ({"lines": []}, "lines", "[]"),
        ({"lines": [{"sku": "tea", "quantity": 1}]}, "lines.0.line", None),
        ({"lines": [{"line": "1", "sku": "breakfast", "quantity": 1}]}, "lines.0.sku", "breakfast"),
        ({"ordered_at": _LATE}, "ordered_at", "2099-01-01T00:00:00+00:00"),
    ],
)
async def test_a_wrong_transfer(
    ingest: Ingest, changes: dict[str, Any], field: str, value: object
) -> None:
    answer = await ingest.http.post("/v1/transfers", json=transfer("t-bad", **changes))
    assert refused(answer) == [(field, value)]
    assert await on_shards(ingest, TransferOrdered, transfer="t-bad") == []


async def test_what_follows_a_transfer_is_checked_against_it(ingest: Ingest) -> None:
    await ingest.http.post("/v1/transfers", json=transfer("t-2"))
    changed = await ingest.http.post("/v1/transfers", json=transfer("t-2", target="n2"))
    assert changed.status_code == 409
    truck: dict[str, Any] = {"shipment": "truck-2", "shipped_at": _AT}
    strange = {**truck, "lines": [{"line": "9", "sku": "tea", "quantity": 1}]}
    wrong = await ingest.http.post("/v1/transfers/t-2/shipments", json=strange)
    assert refused(wrong) == [("lines.0.line", "9")]
    nothing = {"receipt": "dock-2", "received_at": _AT}
    silent = await ingest.http.post("/v1/transfers/t-2/receipts", json=nothing)
    assert refused(silent) == [("lines", None)]
    for method, path, body in (
        ("POST", "/v1/transfers/never/shipments", truck),
        ("POST", "/v1/transfers/never/receipts", {**nothing, "complete": True}),
        ("DELETE", "/v1/transfers/never", None),
    ):
        answer = await ingest.http.request(method, path, json=body)
        assert answer.status_code == 404, path
        assert "'never'" in answer.json()["detail"]
