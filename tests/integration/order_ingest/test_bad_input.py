"""Whatever is sent, the answer is a problem that names the field, and the door stays open."""

import asyncio
from typing import Any

import httpx
import pytest
from tests.integration.order_ingest.sample import Ingest, order
from tests.support import read_records

from restock_common.contracts.topics import LEDGER

pytestmark = pytest.mark.kafka

_LINE = {"sku": "tea", "quantity": 1}


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail"} <= set(told)
    assert told["status"] == status
    return told


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"customer": 7}, "customer", 7),
        ({"customer": ""}, "customer", ""),
        ({"customer": "x\x00y"}, "customer", "x\x00y"),
        ({"order": "x" * 96}, "order", "x" * 80 + "..."),
        ({"lines": [{"sku": "coffee", "quantity": 1}]}, "lines.0.sku", "coffee"),
        ({"lines": [{"sku": "", "quantity": 1}]}, "lines.0.sku", ""),
        ({"lines": [{"sku": None, "quantity": 1}]}, "lines.0.sku", None),
        ({"lines": [_LINE, {"sku": "tea", "quantity": 0}]}, "lines.1.quantity", 0),
        ({"lines": [{"sku": "tea", "quantity": -3}]}, "lines.0.quantity", -3),
        ({"lines": [{"sku": "tea", "quantity": "2"}]}, "lines.0.quantity", "2"),
        ({"lines": [{"sku": "tea", "quantity": 1.5}]}, "lines.0.quantity", 1.5),
        ({"lines": [{"sku": "tea", "quantity": True}]}, "lines.0.quantity", True),
        ({"lines": [{"sku": "tea", "quantity": 100_001}]}, "lines.0.quantity", 100_001),
        ({"lines": [{"sku": "tea", "quantity": 10**30}]}, "lines.0.quantity", str(10**30)),
        ({"lines": [{**_LINE, "line": "2"}, _LINE]}, "lines.1.line", "2"),
        ({"lines": []}, "lines", "[]"),
        ({"lines": [{**_LINE, "price": 3}]}, "lines.0.price", 3),
        ({"discount": "10%"}, "discount", "10%"),
        ({"destination": {"latitude": 91, "longitude": 0}}, "destination.latitude", 91),
        ({"destination": {"latitude": 0}}, "destination.longitude", None),
        ({"placed_at": "2099-01-01T00:00:00Z"}, "placed_at", "2099-01-01T00:00:00+00:00"),
        ({"placed_at": "1970-01-01T00:00:00Z"}, "placed_at", "1970-01-01T00:00:00+00:00"),
        ({"placed_at": "2017-01-02T09:00:00"}, "placed_at", "2017-01-02T09:00:00"),
        ({"placed_at": "0001-01-01T00:00:00+14:00"}, "placed_at", "0001-01-01T00:00:00+14:00"),
        ({"placed_at": "yesterday"}, "placed_at", "yesterday"),
        ({"placed_at": 1483228800}, "placed_at", 1483228800),
        (
            {"window": {"earliest": "2017-01-03T09:00:00Z", "latest": "2099-01-03T09:00:00Z"}},
            "window.latest",
            "2099-01-03T09:00:00+00:00",
        ),
    ],
)
async def test_a_wrong_field_is_named(
    ingest: Ingest, changes: dict[str, Any], field: str, value: object
) -> None:
    answer = await ingest.http.post("/v1/orders", json=order("bad", **changes))
    [error] = problem(answer, 422)["errors"]
    assert (error["field"], error["value"]) == (field, value)
    assert error["reason"]


async def test_every_wrong_field_is_named_at_once(ingest: Ingest) -> None:
    answer = await ingest.http.post("/v1/orders", json={"order": 1, "lines": [{"quantity": "x"}]})
    fields = [error["field"] for error in problem(answer, 422)["errors"]]
    assert fields == [
        "order",
        "customer",
        "placed_at",
        "destination",
        "lines.0.sku",
        "lines.0.quantity",
    ]


async def test_a_window_that_ends_before_it_begins(ingest: Ingest) -> None:
    window = {"earliest": "2017-01-03T12:00:00Z", "latest": "2017-01-03T08:00:00Z"}
    answer = await ingest.http.post("/v1/orders", json=order("bad", window=window))
    assert problem(answer, 422)["errors"][0]["field"] == "window"


@pytest.mark.parametrize(
    "body", [b"", b"not JSON", b'{"order": ', b"\xff\xfe", b'{"a": NaN}', b"[" * 500, b"9" * 5000]
)
@pytest.mark.parametrize("path", ["/v1/orders", "/v1/orders:batch", "/v1/receipts"])
async def test_a_body_that_is_not_json(ingest: Ingest, path: str, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = await ingest.http.post(path, content=body, headers=headers)
    told = problem(answer, answer.status_code)
    # A bare NaN is let through by the first reader: what it is refused for is that field.
    assert answer.status_code == (422 if body == b'{"a": NaN}' else 400)
    assert told["errors"]


@pytest.mark.parametrize("body", [b"[]", b"null", b'"order"', b"7"])
async def test_json_that_is_not_an_object(ingest: Ingest, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = await ingest.http.post("/v1/orders", content=body, headers=headers)
    assert problem(answer, 422)["errors"][0]["field"] == "body"


async def test_a_large_body_is_refused_by_its_length(ingest: Ingest) -> None:
    body = b'{"order": "' + b"x" * 2_000_000 + b'"}'
    headers = {"content-type": "application/json"}
    answer = await ingest.http.post("/v1/orders", content=body, headers=headers)
    assert "1000000" in problem(answer, 413)["detail"]


async def answer_to_endless_body(ingest: Ingest, key: str) -> bytes:
    """Send a body that never ends; return what a reader that stops reading answers."""
    host, port = ingest.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"POST /v1/orders HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {key}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    writer.write(head.encode())
    for _ in range(20):
        writer.write(b"10000\r\n" + b" " * 65_536 + b"\r\n")
    try:
        return await asyncio.wait_for(reader.readline(), timeout=30)
    finally:
        writer.close()


async def test_an_endless_body_is_refused_in_the_middle(ingest: Ingest) -> None:
    assert b" 413 " in await answer_to_endless_body(ingest, ingest.http.headers["X-API-Key"])


async def test_an_endless_body_without_a_good_key_is_not_read(ingest: Ingest) -> None:
    assert b" 401 " in await answer_to_endless_body(ingest, "wrong")


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", ""])
async def test_a_body_of_another_type(ingest: Ingest, content_type: str) -> None:
    headers = {"content-type": content_type}
    answer = await ingest.http.post("/v1/orders", content=b"{}", headers=headers)
    problem(answer, 415)


async def test_a_charset_may_be_named(ingest: Ingest) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    answer = await ingest.http.post("/v1/orders", content=b"{}", headers=headers)
    problem(answer, 422)


@pytest.mark.parametrize("key", ["", "wrong", "demo", "\u00e9"])
async def test_a_wrong_key(ingest: Ingest, key: str) -> None:
    headers = [(b"X-API-Key", key.encode())]
    answer = await ingest.http.post("/v1/orders", json=order("k-1"), headers=headers)
    problem(answer, 401)
    assert "www-authenticate" in answer.headers


async def test_a_missing_key(ingest: Ingest) -> None:
    async with httpx.AsyncClient(base_url=ingest.url) as stranger:
        for method, path in (
            ("POST", "/v1/orders"),
            ("PUT", "/v1/products/tea"),
            ("POST", "/v1/clock"),
            ("POST", "/v1/orders/1/cancel"),
        ):
            told = problem(await stranger.request(method, path, json={}), 401)
            assert "X-API-Key" in told["detail"]


async def test_an_unknown_address_and_a_wrong_method(ingest: Ingest) -> None:
    problem(await ingest.http.get("/v1/nothing"), 404)
    answer = await ingest.http.delete("/v1/orders")
    problem(answer, 405)
    assert answer.headers["allow"] == "POST"


async def test_a_cancellation_with_control_characters(ingest: Ingest) -> None:
    told = problem(await ingest.http.post("/v1/orders/a%00b/cancel", json={}), 422)
    assert told["errors"][0]["field"] == "order"


async def test_a_cancellation_from_the_future(ingest: Ingest) -> None:
    await ingest.http.post("/v1/orders", json=order("f-1"))
    body = {"cancelled_at": "2099-01-01T00:00:00Z"}
    told = problem(await ingest.http.post("/v1/orders/f-1/cancel", json=body), 422)
    assert told["errors"][0]["field"] == "cancelled_at"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"orders": []}, "orders"),
        ({"orders": [{}] * 1001}, "orders"),
        ({"orders": {}}, "orders"),
        ({}, "orders"),
        ({"orders": [{}], "more": 1}, "more"),
    ],
)
async def test_a_batch_that_is_none(ingest: Ingest, body: dict[str, Any], field: str) -> None:
    told = problem(await ingest.http.post("/v1/orders:batch", json=body), 422)
    assert field in {error["field"] for error in told["errors"]}


async def test_nothing_refused_was_published(ingest: Ingest) -> None:
    await ingest.http.post("/v1/orders", json=order("bad", customer=1))
    records = await read_records(ingest.kafka, LEDGER)
    assert not [one for one in records if b"demo:bad" in (one.value or b"")]
    answer = await ingest.http.post("/v1/orders", json=order("good"))
    assert answer.status_code == 202
