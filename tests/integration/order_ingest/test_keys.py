"""Keys on a running service and its database: made, scoped, rotated, ended."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.integration.order_ingest.sample import CATALOGUE, Ingest, on_shards, order
from tests.support import publish_raw, until

from restock_common.contracts.ledger import OrderPlaced
from restock_common.contracts.topics import STOREFRONT_ORDERS
from restock_common.transact import Outgoing

pytestmark = pytest.mark.kafka


async def restock(ingest: Ingest, *arguments: str) -> Any:
    """Run `restock keys` on the service's database; return its JSON, or its words and its code."""
    command = [str(Path(sys.executable).parent / "restock"), "keys", *arguments]
    url = ingest.database_url

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, "--database-url", url], capture_output=True, text=True, check=False
        )

    done = await asyncio.to_thread(run)
    return json.loads(done.stdout) if done.returncode == 0 else (done.returncode, done.stderr)


async def issue(ingest: Ingest, *actions: str, **more: Any) -> dict[str, Any]:
    answer = await ingest.http.post("/v1/keys", json={"name": "n", "actions": actions, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def holding(ingest: Ingest, key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=ingest.url, headers={"X-API-Key": key}, timeout=30)


async def test_a_key_is_good_for_its_actions_alone(ingest: Ingest) -> None:
    made = await issue(ingest, "orders")
    assert made["key"].startswith(f"rsk_{made['id']}_")
    async with holding(ingest, made["key"]) as http:
        answer = await http.post("/v1/orders", json=order("by-key"))
        assert answer.status_code == 202
        assert answer.json()["order"] == "demo:by-key"
        assert answer.headers["ratelimit"].startswith('"key";r=')
        product = CATALOGUE["products"][0]
        for method, path, body in (
            ("PUT", f"/v1/products/{product['sku']}", product),
            ("POST", "/v1/counts", {}),
            ("POST", "/v1/transfers", {}),
            ("POST", "/v1/clock", {}),
            ("GET", "/v1/keys", None),
            ("POST", "/v1/keys", {"name": "n", "actions": ["orders"]}),
            ("DELETE", f"/v1/keys/{made['id']}", None),
        ):
            answer = await http.request(method, path, json=body)
            assert answer.status_code == 403, (method, path, answer.text)
            assert "not good for" in answer.json()["detail"]


async def test_nobody_gives_what_he_has_not(ingest: Ingest) -> None:
    orders, keeper = await issue(ingest, "orders"), await issue(ingest, "keys", "catalogue")
    async with holding(ingest, keeper["key"]) as http:
        more = await http.post("/v1/keys", json={"name": "n", "actions": ["manifest"]})
        assert (more.status_code, "manifest" in more.json()["detail"]) == (403, True)
        rotated = await http.post(f"/v1/keys/{orders['id']}/rotate")
        assert (rotated.status_code, "orders" in rotated.json()["detail"]) == (403, True)
        less = await http.post("/v1/keys", json={"name": "n", "actions": ["catalogue"]})
        assert less.status_code == 201


async def test_nobody_gives_more_time_than_he_has(ingest: Ingest) -> None:
    end, later = "2098-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00"
    orders = await issue(ingest, "orders")
    keeper = await issue(ingest, "keys", "orders", ends_at=end)
    async with holding(ingest, keeper["key"]) as http:
        for asked in (
            http.post("/v1/keys", json={"name": "n", "actions": ["orders"], "ends_at": later}),
            http.post(f"/v1/keys/{orders['id']}/rotate"),
        ):
            answer = await asked
            assert (answer.status_code, end in answer.json()["detail"]) == (403, True)
        made = await http.post("/v1/keys", json={"name": "n", "actions": ["orders"]})
        rotated = await http.post(f"/v1/keys/{keeper['id']}/rotate")
        assert [one.json()["ends_at"] for one in (made, rotated)] == [end, end]
        assert [one.status_code for one in (made, rotated)] == [201, 201]


async def test_what_is_shown_of_keys_holds_no_secret(ingest: Ingest) -> None:
    made = await issue(ingest, "orders", ends_at="2099-01-01T00:00:00Z")
    secret = made["key"].rpartition("_")[2]
    answer = await ingest.http.get("/v1/keys")
    [mine] = [one for one in answer.json()["keys"] if one["id"] == made["id"]]
    assert mine == {name: value for name, value in made.items() if name != "key"}
    assert secret not in answer.text
    async with holding(ingest, made["key"]) as http:
        await http.post("/v1/orders", json={})

    async def told_used() -> bool:
        keys = (await ingest.http.get("/v1/keys")).json()["keys"]
        return any(one["id"] == made["id"] and one["last_used_at"] is not None for one in keys)

    await until(told_used, what="its use is noted")


async def test_a_rotated_key_is_good_until_the_overlap_ends(ingest: Ingest) -> None:
    old = await issue(ingest, "orders")
    answer = await ingest.http.post(f"/v1/keys/{old['id']}/rotate", json={"overlap_s": 3600})
    new = answer.json()
    assert (answer.status_code, new["replaces"], new["actions"]) == (201, old["id"], ["orders"])
    for key in (old["key"], new["key"]):
        async with holding(ingest, key) as http:
            assert (await http.post("/v1/orders", json={})).status_code == 422
    assert (
        await ingest.http.post(f"/v1/keys/{old['id']}/rotate", json={"overlap_s": 0})
    ).is_success
    async with holding(ingest, old["key"]) as http:
        assert (await http.post("/v1/orders", json={})).status_code == 401
    again = await ingest.http.post(f"/v1/keys/{old['id']}/rotate")
    assert again.status_code == 409


async def test_a_revoked_key_is_good_for_nothing(ingest: Ingest) -> None:
    made = await issue(ingest, "orders")
    async with holding(ingest, made["key"]) as http:
        assert (await http.post("/v1/orders", json={})).status_code == 422
        for _ in range(2):
            assert (await ingest.http.delete(f"/v1/keys/{made['id']}")).status_code == 204
        assert (await http.post("/v1/orders", json={})).status_code == 401
    assert (await ingest.http.delete(f"/v1/keys/{'0' * 16}")).status_code == 404
    assert (await ingest.http.delete("/v1/keys/nonsense")).status_code == 422


async def test_a_key_that_is_revoked_while_the_body_comes_is_good_for_nothing(
    ingest: Ingest,
) -> None:
    made = await issue(ingest, "orders")

    async def body() -> AsyncIterator[bytes]:
        yield b" " * 200_000
        assert (await ingest.http.delete(f"/v1/keys/{made['id']}")).status_code == 204
        await asyncio.sleep(0.6)
        yield json.dumps(order("too-late")).encode()

    headers = {"Content-Type": "application/json"}
    async with holding(ingest, made["key"]) as http:
        answer = await http.post("/v1/orders", content=body(), headers=headers)
    assert (answer.status_code, "ended meanwhile" in answer.text) == (401, True)
    assert await on_shards(ingest, OrderPlaced, order="demo:too-late") == []


async def test_the_command_works_beside_the_service(ingest: Ingest) -> None:
    """What one process ends, another one believes for some seconds at most."""
    made = await restock(
        ingest, "create", "--shop", "corner", "--name", "till", "--action", "orders", "--json"
    )
    async with holding(ingest, made["key"]) as http:
        answer = await http.post("/v1/orders", json=order("1"))
        assert (answer.status_code, answer.json()["order"]) == (202, "corner:1")
        assert made["id"] not in (await ingest.http.get("/v1/keys")).text, "another shop's"
        assert (await ingest.http.delete(f"/v1/keys/{made['id']}")).status_code == 404
        new = await restock(ingest, "rotate", made["id"], "--overlap-hours", "0", "--json")

        async def is_out() -> bool:
            return (await http.post("/v1/orders", json={})).status_code == 401

        await until(is_out, what="the other process knows", timeout_s=20)
    raw = json.dumps(order("by-kafka")).encode()
    record = Outgoing(STOREFRONT_ORDERS.name, 0, None, [("shop", b"corner")], raw)
    await publish_raw(ingest.kafka, [record])
    await until(
        lambda: on_shards(ingest, OrderPlaced, order="corner:by-kafka"), what="its order by Kafka"
    )
    listed = await restock(ingest, "list", "--shop", "corner", "--json")
    assert [one["id"] for one in listed] == [new["id"], made["id"]]
    assert listed[1]["last_used_at"] is not None


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--shop", "corner", "--action", "fly"), "actions.0"),
        (("--shop", "Corner!", "--action", "orders"), "shop's name"),
    ],
)
async def test_the_command_refuses_what_is_no_key(
    ingest: Ingest, arguments: tuple[str, ...], complaint: str
) -> None:
    code, said = await restock(ingest, "create", "--name", "n", *arguments)
    assert code == 2
    assert complaint in said
