"""The door for webhooks: signed deliveries of real shops, from the socket to the topics."""

import asyncio
import base64
import hmac
import json
import subprocess
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook
from tests.integration.order_ingest.sample import Ingest, on_shards, order
from tests.integration.order_ingest.shop_server import TOKEN, ShopServer, serving
from tests.support import publish_raw, read_letters, read_messages, read_records, until
from tests.unit.order_ingest.channels.sample import case

from restock_common.contracts import TYPES
from restock_common.contracts.dead_letters import DeadLetter
from restock_common.contracts.envelope import decode
from restock_common.contracts.ledger import (
    CartHeld,
    OrderAmended,
    OrderCancelled,
    OrderPlaced,
    OrderReturned,
)
from restock_common.contracts.topics import DEAD_LETTERS, LEDGER, SANDBOX, STOREFRONT_ORDERS
from restock_common.transact import Enclosed, Outgoing
from restock_local.letterbox import Letterbox

pytestmark = pytest.mark.kafka

CLOCK = "live"
SECRET = "hush-hush-hush"


@pytest.fixture(scope="module")
def ingest_environment() -> dict[str, str]:
    return {"RESTOCK_POLL_ALLOW_PRIVATE": "true"}


async def configure(ingest: Ingest, channel: str, **changes: Any) -> None:
    body = {
        "channel": channel,
        "secrets": [SECRET],
        "country": "US",
        "return_location": "n1",
        **changes,
    }
    answer = await ingest.http.put(f"/v1/shops/{ingest.shop}", json=body)
    assert answer.status_code == 202, answer.text


async def deliver(
    ingest: Ingest, body: Any, topic: str = "orders/create", **headers: str
) -> httpx.Response:
    """Send what Shopify would; without an API key."""
    raw = json.dumps(body).encode()
    signature = base64.b64encode(hmac.digest(SECRET.encode(), raw, sha256)).decode()
    sent = {
        "content-type": "application/json",
        "x-shopify-topic": topic,
        "x-shopify-hmac-sha256": signature,
        **headers,
    }
    async with httpx.AsyncClient(base_url=ingest.url, timeout=60) as http:
        return await http.post(f"/v1/webhooks/{ingest.shop}", content=raw, headers=sent)


def shopify(number: int, name: str = "order-created", **changes: Any) -> dict[str, Any]:
    return {**case("shopify", name).body, "id": number, **changes}


async def letters(ingest: Ingest, letter: str) -> list[tuple[DeadLetter, Enclosed]]:
    ids = [one.id for one in await read_messages(ingest.kafka, DEAD_LETTERS)]
    found = await read_letters(ingest.kafka)
    return [one for at, one in zip(ids, found, strict=True) if at == letter]


async def in_sandbox(ingest: Ingest, order_id: str) -> list[tuple[int, Any]]:
    records = await read_records(ingest.kafka, SANDBOX)
    told = [(record.partition, decode(record, TYPES).event) for record in records]
    return [one for one in told if getattr(one[1], "order", None) == order_id]


async def test_an_order_goes_the_way_of_every_other(ingest: Ingest) -> None:
    await configure(ingest, "shopify")
    await ingest.http.put(f"/v1/shops/{ingest.shop}/skus", json={"skus": {"43729077": "milk"}})
    answer = await deliver(ingest, shopify(1))
    assert answer.status_code == 202, answer.text
    [item] = answer.json()["items"]
    assert (item["order"], item["pool"]) == ("demo:1", "north")
    [(shard, event)] = await on_shards(ingest, OrderPlaced, order="demo:1")
    assert shard == 1
    assert [(line.sku, line.quantity) for line in event.lines] == [("tea", 2), ("milk", 1)]
    assert event.channel == "shopify"
    raw = b"".join(record.value or b"" for record in await read_records(ingest.kafka, LEDGER))
    for personal in (b"Byron", b"Wacker", b"example.com", b"555 0100", b"207119551"):
        assert personal not in raw
    edited = shopify(1, "edited")
    assert (await deliver(ingest, edited, "orders/updated")).status_code == 202
    [(_, amended)] = await on_shards(ingest, OrderAmended, order="demo:1")
    assert [(one.sku, one.quantity) for one in amended.lines] == [("milk", 1), ("breakfast", 3)]
    back = {**case("shopify", "refund-restocked-in-two-places").body, "order_id": 1}
    answer = await deliver(ingest, back, "refunds/create")
    assert len(answer.json()["items"]) == 2
    assert len(await on_shards(ingest, OrderReturned, order="demo:1")) == 2
    cancelled = shopify(1, "cancelled")
    assert (await deliver(ingest, cancelled, "orders/cancelled")).status_code == 202
    assert len(await on_shards(ingest, OrderCancelled, order="demo:1")) == 1


async def test_an_address_that_the_shop_corrects_reaches_the_driver(ingest: Ingest) -> None:
    await configure(ingest, "shopify")
    await ingest.http.put(f"/v1/shops/{ingest.shop}/skus", json={"skus": {"43729077": "milk"}})
    assert (await deliver(ingest, shopify(30))).status_code == 202
    edited = shopify(30, "edited")
    edited["shipping_address"] = {**edited["shipping_address"], "address1": "7 Right Street"}
    assert (await deliver(ingest, edited, "orders/updated")).status_code == 202
    manifest = await ingest.http.post("/v1/manifest", json={"orders": ["30"]})
    assert "7 Right Street" in manifest.json()["orders"][0]["recipient"]["street"]


async def test_a_hundred_deliveries_at_once_have_one_effect(ingest: Ingest) -> None:
    await configure(ingest, "shopify")
    bodies = [shopify(2, "edited")] * 100
    answers = await asyncio.gather(*(deliver(ingest, one, "orders/updated") for one in bodies))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    for kind in (OrderPlaced, OrderAmended):
        events = await on_shards(ingest, kind, order="demo:2")
        assert len({(shard, event.model_dump_json()) for shard, event in events}) == 1
    ids = [
        one.id
        for one in await read_messages(ingest.kafka, LEDGER)
        if getattr(one.event, "order", None) == "demo:2"
    ]
    assert len(set(ids)) == 2, "the ledger takes each id once"


async def test_what_comes_in_the_wrong_order_ends_as_the_shop_has_it(ingest: Ingest) -> None:
    await configure(ingest, "shopify")
    newer = shopify(3, "edited")
    older = {
        **newer,
        "updated_at": "2025-03-04T11:30:00-05:00",
        "line_items": newer["line_items"][2:],
    }
    for body, topic in (
        (newer, "orders/updated"),
        (older, "orders/updated"),
        (shopify(3), "orders/create"),
    ):
        answer = await deliver(ingest, body, topic)
        assert answer.status_code == 202, answer.text
    assert "with other content" in answer.json()["items"][0]["ignored"]
    amended = [event for _, event in await on_shards(ingest, OrderAmended, order="demo:3")]
    newest = max(amended, key=lambda event: event.revision)
    assert [(one.sku, one.quantity) for one in newest.lines] == [("milk", 1), ("breakfast", 3)]


@pytest.mark.parametrize(
    "headers",
    [{"x-shopify-hmac-sha256": "AAAA"}, {"x-shopify-hmac-sha256": ""}],
)
async def test_what_is_not_signed_is_not_taken(ingest: Ingest, headers: dict[str, str]) -> None:
    await configure(ingest, "shopify")
    answer = await deliver(ingest, shopify(4), **headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert "x-shopify-hmac-sha256" in answer.json()["detail"]
    assert SECRET not in answer.text
    assert await on_shards(ingest, OrderPlaced, order="demo:4") == []


async def test_a_secret_is_changed_without_a_pause(ingest: Ingest) -> None:
    await configure(ingest, "shopify", secrets=["the-next-secret", SECRET])
    assert (await deliver(ingest, shopify(5))).status_code == 202
    await configure(ingest, "shopify", secrets=["the-next-secret"])
    assert (await deliver(ingest, shopify(5))).status_code == 401


async def test_what_nobody_can_map_is_set_aside_with_both_ids(ingest: Ingest) -> None:
    await configure(ingest, "shopify")
    for _ in range(2):
        answer = await deliver(ingest, shopify(6, "variant-nobody-knows"))
        assert answer.status_code == 202, answer.text
    [item] = answer.json()["items"]
    kept = await letters(ingest, item["dead_letter"])
    told = {letter.model_dump_json(exclude={"attempt", "sealed"}) for letter, _ in kept}
    assert len(told) == 1
    letter, held = kept[0]
    assert letter.source_topic == "webhooks/demo"
    for variant in ("99999999", "88888888"):
        assert variant in held.reason
        assert variant not in letter.reason
    assert dict(held.headers) == {"x-shopify-topic": b"orders/create"}
    assert await on_shards(ingest, OrderPlaced, order="demo:6") == []
    table = {"skus": {"99999999": "tea"}}
    await ingest.http.put(f"/v1/shops/{ingest.shop}/skus", json=table)
    box = Letterbox(ingest.kafka)
    again = await box.whole(item["dead_letter"])
    key = ingest.http.headers["X-API-Key"]
    replayed = await box.deliver(again, again.body, ingest.url, key)
    assert replayed.status == 202
    assert json.loads(replayed.answer)["items"][0]["order"] == "demo:6"
    assert len(await on_shards(ingest, OrderPlaced, order="demo:6")) == 1


async def test_variants_of_several_returns_are_all_looked_up(ingest: Ingest) -> None:
    await configure(ingest, "shopify", locations={"905684977": "n1", "24826418": "n1"})
    table = {"skus": {"43729076": "tea", "43729077": "milk"}}
    await ingest.http.put(f"/v1/shops/{ingest.shop}/skus", json=table)
    refund = shopify(9001, "refund-restocked-in-two-places", order_id=9000)
    for line in refund["refund_line_items"]:
        line["line_item"]["sku"] = ""
    answer = await deliver(ingest, refund, "refunds/create")
    assert answer.status_code == 202, answer.text
    assert [item.get("waiting") for item in answer.json()["items"]] == [True, True]


async def test_a_sku_that_the_catalogue_lacks_is_set_aside(ingest: Ingest) -> None:
    await configure(ingest, "shopify")
    answer = await deliver(ingest, shopify(7, "yen-and-another-script"))
    assert answer.status_code == 202
    [item] = answer.json()["items"]
    assert "lines.0.sku" in item["reason"]
    [(letter, _)] = await letters(ingest, item["dead_letter"])
    assert letter.field == "lines.0.sku"


async def test_what_cannot_be_read_is_refused_with_its_place_and_kept(ingest: Ingest) -> None:
    await configure(ingest, "shopify")
    answer = await deliver(ingest, {**shopify(8), "line_items": [{"id": 1, "quantity": "many"}]})
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["line_items.0.quantity"]
    assert (await deliver(ingest, "x", **{"x-shopify-topic": ""})).status_code == 422
    kept = [one.event for one in await read_messages(ingest.kafka, DEAD_LETTERS)]
    assert "line_items.0.quantity" in {letter.field for letter in kept}


async def test_a_test_order_never_reaches_the_ledger(ingest: Ingest) -> None:
    await configure(ingest, "shopify")
    answer = await deliver(ingest, shopify(9, "test-order"))
    assert answer.json()["items"][0]["order"] == "demo:test:9"
    assert await on_shards(ingest, OrderPlaced, order="demo:test:9") == []
    [(shard, event)] = await in_sandbox(ingest, "demo:test:9")
    assert (shard, type(event)) == (1, OrderPlaced)


async def test_a_sandbox_goes_through_every_door_and_not_to_the_ledger(ingest: Ingest) -> None:
    await configure(ingest, "shopify", sandbox=True)
    await deliver(ingest, shopify(10))
    assert (await ingest.http.post("/v1/orders", json=order("sand"))).status_code == 202
    assert (await ingest.http.post("/v1/orders/sand/cancel")).status_code == 202
    cart = {"hold": "sand", "destination": order("1")["destination"], "ttl_s": 60}
    lines = {"lines": [{"sku": "tea", "quantity": 1}]}
    assert (await ingest.http.post("/v1/holds", json={**cart, **lines})).status_code == 202
    raw = json.dumps(order("sand-by-kafka")).encode()
    headers = [("shop", ingest.shop.encode())]
    record = Outgoing(STOREFRONT_ORDERS.name, 0, None, headers, raw)
    await publish_raw(ingest.kafka, [record])
    await until(lambda: in_sandbox(ingest, "demo:sand-by-kafka"), what="the order by Kafka")
    kinds = [type(event) for _, event in await in_sandbox(ingest, "demo:sand")]
    assert kinds == [OrderPlaced, OrderCancelled]
    assert len(await in_sandbox(ingest, "demo:10")) == 1
    for number in ("10", "sand", "sand-by-kafka"):
        assert await on_shards(ingest, OrderPlaced, order=f"demo:{number}") == []
    assert await on_shards(ingest, CartHeld, hold="demo:sand") == []


async def test_an_order_that_must_be_fetched_is_asked_for_until_it_is_there(
    ingest: Ingest,
) -> None:
    await configure(ingest, "bigcommerce")
    thin = case("bigcommerce", "order-created").raw
    async with httpx.AsyncClient(base_url=ingest.url) as http:
        for _ in range(2):
            told = {"X-Restock-Secret": SECRET}
            answer = await http.post(f"/v1/webhooks/{ingest.shop}", content=thin, headers=told)
            assert answer.json()["items"][0]["fetch"] == "173331"
    path = f"/v1/shops/{ingest.shop}"
    [asked] = (await ingest.http.get(f"{path}/orders-to-fetch")).json()["orders"]
    assert asked["order"] == "173331"
    await ingest.http.put(f"{path}/skus", json={"skus": {"361": "milk"}})
    answer = await ingest.http.post(
        f"{path}/deliveries",
        content=case("bigcommerce", "fetched").raw,
        params={"fetched": "173331", "asked_at": asked["asked_at"]},
    )
    assert answer.status_code == 202, answer.text
    assert (await ingest.http.get(f"{path}/orders-to-fetch")).json() == {"orders": []}
    placed = await on_shards(ingest, OrderPlaced, order="demo:173331")
    assert {shard for shard, _ in placed} == {2}, "Houston is in the south"


async def test_the_generic_scheme(ingest: Ingest) -> None:
    secret = "whsec_" + base64.b64encode(b"s" * 24).decode()
    await configure(ingest, "standard_webhooks", secrets=[secret])
    body = {"type": "order.placed", "data": order("generic")}
    raw, now = json.dumps(body), datetime.now(UTC)
    async with httpx.AsyncClient(base_url=ingest.url) as http:
        for at, status in ((now, 202), (now.replace(year=now.year - 1), 401)):
            headers = {
                "webhook-id": "msg_1",
                "webhook-timestamp": str(int(at.timestamp())),
                "webhook-signature": Webhook(secret).sign("msg_1", at.replace(tzinfo=None), raw),
            }
            path = f"/v1/webhooks/{ingest.shop}"
            answer = await http.post(path, content=raw, headers=headers)
            assert answer.status_code == status, answer.text
    assert len(await on_shards(ingest, OrderPlaced, order="demo:generic")) == 1


async def test_settings_are_the_shops_own(ingest: Ingest) -> None:
    answer = await ingest.http.put("/v1/shops/another", json={"channel": "shopify"})
    assert answer.status_code == 403
    answer = await ingest.http.put(f"/v1/shops/{ingest.shop}", json={"channel": "fax"})
    assert [one["field"] for one in answer.json()["errors"]] == ["channel"]
    answer = await ingest.http.put(f"/v1/shops/{ingest.shop}", json={"chanel": "shopify"})
    assert {one["field"] for one in answer.json()["errors"]} == {"channel", "chanel"}
    hush = json.dumps({"kty": "RSA", "n": "AQ", "e": "AQ", "d": "hush"})
    for wrong, fields in (
        ({"public_keys": ["hush"]}, ["public_keys.0"]),
        ({"public_keys": [hush]}, ["public_keys.0"]),
        ({"secrets": ["hush"], "secret": "hush"}, ["secrets.0", "secret"]),
    ):
        body = {"channel": "saleor", **wrong}
        answer = await ingest.http.put(f"/v1/shops/{ingest.shop}", json=body)
        assert answer.status_code == 422
        assert [one["field"] for one in answer.json()["errors"]] == fields
        assert "hush" not in answer.text
    async with httpx.AsyncClient(base_url=ingest.url) as http:
        assert (await http.post("/v1/webhooks/nobody", content=b"{}")).status_code == 404
        assert (await http.put(f"/v1/shops/{ingest.shop}", json={})).status_code == 401


async def test_what_no_webhook_told_is_read_from_the_shop_and_shown(
    ingest: Ingest, tmp_path: Path
) -> None:
    shop = ShopServer("shopify")
    async with serving(shop):
        for number in (7001, 7002, 7003):
            await shop.sell(number)
        await configure(ingest, "shopify", api={"url": shop.url, "secret": TOKEN, "every_s": 1})

        async def found() -> dict[str, Any] | None:
            [gap] = (await ingest.http.get("/v1/gaps")).json()["gaps"]
            return gap if gap["found_by_poll"] >= 3 else None

        gap = await until(found, what="the shop is read")
        assert gap is not None
        assert (gap["shop"], gap["channel"], gap["poll"]["error"]) == ("demo", "shopify", None)
        placed = await on_shards(ingest, OrderPlaced, order="demo:1007003")
        assert len({event.model_dump_json() for _, event in placed}) == 1
        written = tmp_path / "gaps.json"
        told = await asyncio.to_thread(shown_gaps, ingest, "--shop", "demo", "--json", written)
        [same] = json.loads(written.read_text())["gaps"]
        assert same["last_number"] == gap["last_number"] == 7003
        assert "demo" in told
        await configure(ingest, "shopify")  # which is not read any more
    refused = await ingest.http.put(
        f"/v1/shops/{ingest.shop}",
        json={"channel": "shopify", "api": {"url": "ftp://shop", "secret": TOKEN}},
    )
    assert refused.status_code == 422
    assert TOKEN not in refused.text


def shown_gaps(ingest: Ingest, *arguments: str | Path) -> str:
    command = [str(Path(sys.executable).parent / "restock"), "gaps", *arguments]
    done = subprocess.run(
        [*command, "--database-url", ingest.database_url],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
