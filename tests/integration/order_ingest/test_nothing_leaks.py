"""Secrets and people through every door, good and bad: nothing of them in logs or traces."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from standardwebhooks import Webhook
from tests.integration.order_ingest.sample import CATALOGUE, order
from tests.support import publish_raw, read_records, until

from restock_common.contracts.topics import DEAD_LETTERS, STOREFRONT_ORDERS
from restock_common.settings import KafkaSettings
from restock_common.transact import Outgoing
from restock_local.platform.base import Platform
from restock_local.processes import free_port
from restock_local.supervisor import ServiceKind, Supervisor

pytestmark = pytest.mark.kafka

NAME = "Ottoline Featherstonehaugh"
MAIL = "ottoline@example.org"
PHONE = "+44 20 7946 0999"
STREET = "99 Unmistakable Crescent"
GUESS = "guessed-key-4711"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"hush" * 8).decode()
PERSON = {"name": NAME, "mail": MAIL, "phone": PHONE, "street": STREET}
TEXT = f"{NAME} <{MAIL}> {PHONE} {STREET}"


@dataclass
class Traces:
    """Whatever the exporter has sent: protobuf, in which strings stand as they are."""

    url: str = ""
    sent: bytearray = field(default_factory=bytearray)


@pytest.fixture
async def traces() -> AsyncIterator[Traces]:
    found = Traces()

    async def take(request: web.Request) -> web.Response:
        found.sent += await request.read()
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    found.url = f"http://127.0.0.1:{port}/v1/traces"
    yield found
    await runner.cleanup()


async def knock(http: httpx.AsyncClient, method: str, path: str) -> None:
    """Say a lot about a person at one door: well-formed, malformed, with a key that is guessed."""
    person: dict[str, Any] = {"customer": MAIL, "recipient": PERSON, "reason": TEXT, NAME: TEXT}
    there = path.replace("{order}", STREET).replace("{ref}", MAIL)
    for name in ("sku", "location", "entity", "expected", "transfer", "hold", "key_id"):
        there = there.replace("{" + name + "}", NAME)
    kind = {"Content-Type": "application/json"}
    await http.request(method, there, json=person)
    await http.request(method, there, content=json.dumps(person).encode()[:-3], headers=kind)
    await http.request(method, there, content=TEXT.encode(), headers={"Content-Type": TEXT[:20]})
    guess = {"X-API-Key": GUESS, "traceparent": TEXT, "Idempotency-Key": TEXT}
    await http.request(method, there, json=person, headers=guess, params={"name": NAME})


async def by_kafka(kafka: KafkaSettings) -> None:
    """Say it on the raw topic too: one order that is taken, and some that are not."""
    good = order("by-kafka", customer=MAIL, recipient=PERSON)
    bodies: list[Any] = [
        good,
        {**good, NAME: TEXT},
        {**good, "customer": [TEXT]},
        {**good, "lines": [{"sku": NAME, "quantity": 1}]},
        {**good, "recipient": {"name": NAME * 100}},
        {"cancel": TEXT},
        TEXT,
    ]
    headers = [("shop", b"demo"), ("x-mail", MAIL.encode())]
    await publish_raw(
        kafka,
        [
            Outgoing(STOREFRONT_ORDERS.name, 0, MAIL.encode(), headers, json.dumps(one).encode())
            for one in bodies
        ],
    )

    async def refused() -> bool:
        return len(await read_records(kafka, DEAD_LETTERS)) >= len(bodies) - 2

    await until(refused, what="the bad ones are dead letters")


async def by_webhook(http: httpx.AsyncClient) -> None:
    """Say it in signed deliveries: one that is taken, and two whose very fields tell it."""
    settings = {"channel": "standard_webhooks", "secrets": [WEBHOOK_SECRET, "short"]}
    assert (await http.put("/v1/shops/demo", json=settings)).status_code == 422
    settings = {"channel": "standard_webhooks", "secrets": [WEBHOOK_SECRET]}
    assert (await http.put("/v1/shops/demo", json=settings)).status_code == 202
    good = {**order("by-webhook", customer=MAIL), "address": {**PERSON, "country": "US"}}
    del good["destination"]
    for data, status in ((good, 202), ({**good, NAME: TEXT}, 422), ({NAME: {NAME: TEXT}}, 422)):
        raw = json.dumps({"type": "order.placed", "timestamp": "2025-01-01", "data": data})
        now = datetime.now(UTC)
        headers = {
            "webhook-id": MAIL,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(WEBHOOK_SECRET).sign(MAIL, now.replace(tzinfo=None), raw),
        }
        answer = await http.post("/v1/webhooks/demo", content=raw, headers=headers)
        assert answer.status_code == status, answer.text


async def test_nothing_of_people_or_secrets_is_logged_or_traced(
    platform: Platform, kafka: KafkaSettings, traces: Traces, tmp_path: Path
) -> None:
    service = ServiceKind("order-ingest")
    environment = {
        "RESTOCK_LOG_LEVEL": "debug",
        "RESTOCK_TRACE_ENDPOINT": traces.url,
        "RESTOCK_TRACE_RATIO": "1",
    }
    supervisor = Supervisor(
        platform, tmp_path, clock="replay", environment=environment, services=[service]
    )
    issued = ""
    async with supervisor:
        url, headers = supervisor.urls[service.name], {"X-API-Key": supervisor.api_key}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as http:
            for kind, items in CATALOGUE.items():
                await http.put(f"/v1/{kind}:batch", json={"items": items})
            good = await http.post(
                "/v1/orders", json=order("good", customer=MAIL, recipient=PERSON)
            )
            assert good.status_code == 202, good.text
            told = await http.post("/v1/manifest", json={"orders": ["good"]})
            assert told.json()["orders"][0]["recipient"] == PERSON
            made = await http.post("/v1/keys", json={"name": "n", "actions": ["orders"]})
            issued = made.json()["key"]
            await http.post("/v1/orders", json={}, headers={"X-API-Key": issued})
            doors = (await http.get("/openapi.json")).json()["paths"]
            assert len(doors) > 20
            for path, methods in doors.items():
                for method in methods:
                    await knock(http, method.upper(), path)
            await by_webhook(http)
            assert (await http.delete(f"/v1/customers/{MAIL}")).status_code == 204
        await by_kafka(kafka)
        secrets = [supervisor.api_key, supervisor.master_keys.partition("=")[2]]
    await platform.databases.drop_database(service.module)
    log = supervisor.log(service.name).read_text()
    assert "customer_erased" in log
    assert "dead_letter" in log
    assert "delivery_set_aside" in log
    assert b"POST /v1/orders" in traces.sent, "requests were traced"
    secrets += [issued, issued.rpartition("_")[2], GUESS, WEBHOOK_SECRET, NAME, MAIL, PHONE, STREET]
    for secret in secrets:
        for form in (secret, json.dumps(secret)[1:-1], secret.replace(" ", "%20")):
            assert form not in log
            assert form.encode() not in traces.sent
