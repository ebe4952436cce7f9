"""`Idempotency-Key`: the answer that was given first, to the byte, for the same request."""

import asyncio
from typing import Any

import httpx
import pytest
from tests.integration.order_ingest.sample import Ingest, on_shards, order

from restock_common.contracts.ledger import OrderPlaced
from restock_common.postgres import Database

pytestmark = pytest.mark.kafka

_KEY = "Idempotency-Key"


async def post(ingest: Ingest, path: str, body: Any, key: str) -> httpx.Response:
    return await ingest.http.post(path, json=body, headers={_KEY: key})


async def test_the_same_again_is_answered_as_the_first_time(ingest: Ingest) -> None:
    """Also where the world has changed: the command waited then, and would not wait now."""
    first = await post(ingest, "/v1/orders/id-1/cancel", {}, "k-1")
    assert first.json()["waiting"] is True
    placed = await post(ingest, "/v1/orders", order("id-1"), "k-2")
    again = await post(ingest, "/v1/orders/id-1/cancel", {}, '"k-1"')
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in placed.headers
    assert "waiting" not in (await ingest.http.post("/v1/orders/id-1/cancel", json={})).json()


async def test_a_refusal_is_not_kept(ingest: Ingest) -> None:
    """It has done nothing, and repeats what was sent."""
    early = order("id-2", lines=[{"sku": "new-tea", "quantity": 1}])
    first = await post(ingest, "/v1/orders", early, "k-3")
    await ingest.http.put("/v1/products/new-tea", json={"supplier": "acme"})
    again = await post(ingest, "/v1/orders", early, "k-3")
    assert (first.status_code, again.status_code) == (422, 202)


async def test_what_an_answer_repeats_of_a_request_is_kept_unreadably(ingest: Ingest) -> None:
    mail = "x" * 201 + "@example.org"
    bad = order("id-12", recipient={"mail": mail})
    body = {"orders": [order("id-11"), bad]}
    first = await post(ingest, "/v1/orders:batch", body, "k-mixed")
    assert (first.status_code, "xxxx" in first.text) == (207, True)
    database = Database(ingest.database_url, max_connections=1)
    await database.open()
    async with database.connection() as connection:
        kept = await connection.fetchval("SELECT body FROM answers WHERE key = 'k-mixed'")
    await database.close()
    assert b"xxxx" not in kept
    again = await post(ingest, "/v1/orders:batch", body, "k-mixed")
    assert (again.status_code, again.content) == (first.status_code, first.content)


async def test_a_new_key_is_told_once_and_kept_nowhere(ingest: Ingest) -> None:
    asked = {"name": "till", "actions": ["orders"]}
    first = await post(ingest, "/v1/keys", asked, "k-secret")
    again = await post(ingest, "/v1/keys", asked, "k-secret")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["key"] != again.json()["key"]


async def test_what_a_key_is_not_good_for_is_not_answered_again(ingest: Ingest) -> None:
    first = await post(ingest, "/v1/orders", order("id-10"), "k-scoped")
    assert first.status_code == 202
    made = await ingest.http.post("/v1/keys", json={"name": "gate", "actions": ["warehouse"]})
    headers = {_KEY: "k-scoped", "X-API-Key": made.json()["key"]}
    again = await ingest.http.post("/v1/orders", json=order("id-10"), headers=headers)
    assert again.status_code == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/orders", order("id-3", customer="someone else")),
        ("/v1/orders:batch", {"orders": [order("id-3")]}),
    ],
)
async def test_a_key_stands_for_one_request(ingest: Ingest, path: str, body: Any) -> None:
    await post(ingest, "/v1/orders", order("id-3"), "k-5")
    answer = await post(ingest, path, body, "k-5")
    assert answer.status_code == 422
    assert "'k-5'" in answer.json()["detail"]
    assert "id-4" not in str(await on_shards(ingest, OrderPlaced, customer="someone else"))


@pytest.mark.parametrize("key", ["", '""', "k" * 256])
async def test_what_is_no_key(ingest: Ingest, key: str) -> None:
    answer = await post(ingest, "/v1/orders", order("id-4"), key)
    assert answer.status_code == 400
    assert _KEY in answer.json()["detail"]
    assert await on_shards(ingest, OrderPlaced, order="demo:id-4") == []


async def test_of_many_at_once_one_is_answered_and_the_others_are_told_to_wait(
    ingest: Ingest,
) -> None:
    answers = await asyncio.gather(
        *(post(ingest, "/v1/orders", order("id-5"), "k-6") for _ in range(20))
    )
    statuses = {one.status_code for one in answers}
    assert 202 in statuses
    assert statuses <= {202, 409}
    assert len({one.content for one in answers if one.status_code == 202}) == 1
    assert all("retry-after" in one.headers for one in answers if one.status_code == 409)
    assert (await post(ingest, "/v1/orders", order("id-5"), "k-6")).status_code == 202
    assert len(await on_shards(ingest, OrderPlaced, order="demo:id-5")) == 1


async def test_nobody_without_a_key_of_the_door_leaves_anything_behind(ingest: Ingest) -> None:
    stranger = {"X-API-Key": "not a key", _KEY: "k-7"}
    refused = await ingest.http.post("/v1/orders", json=order("id-6"), headers=stranger)
    assert refused.status_code == 401
    assert (await post(ingest, "/v1/orders", order("id-6"), "k-7")).status_code == 202
