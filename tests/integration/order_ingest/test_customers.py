"""People on a running service: told to drivers, unreadable for all others, and forgotten."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr
from tests.integration.order_ingest.sample import Ingest, on_shards, order
from tests.support import publish_raw, read_records, until

from order_ingest.domain.channels import ShopSettings
from order_ingest.domain.requests import CancelRequest, Recipient
from order_ingest.domain.waiting import command_on_order
from order_ingest.handlers import Answer, Delivery
from order_ingest.store import (
    PostgresAnswers,
    PostgresRecipients,
    PostgresShopBook,
    PostgresWaitingRoom,
)
from restock_common.contracts.ledger import OrderPlaced
from restock_common.contracts.topics import LEDGER, STOREFRONT_ORDERS, TOPICS
from restock_common.errors import Transient
from restock_common.postgres import Database
from restock_common.sealing import Seal
from restock_common.transact import Outgoing

pytestmark = pytest.mark.kafka

PERSON = {"name": "Anna Lovelace", "mail": "anna@example.org", "street": "12 Long Street"}


@pytest.fixture
async def database(ingest: Ingest) -> AsyncIterator[Database]:
    opened = Database(ingest.database_url, max_connections=2)
    await opened.open()
    yield opened
    await opened.close()


def to(number: str, customer: str, **person: str) -> dict[str, Any]:
    return order(number, customer=customer, recipient={**PERSON, **person})


async def place(ingest: Ingest, asked: dict[str, Any]) -> str:
    """Place an order; return the token that its event has for the customer."""
    answer = await ingest.http.post("/v1/orders", json=asked)
    assert answer.status_code == 202, answer.text
    [(_, event), *_] = await on_shards(ingest, OrderPlaced, order=answer.json()["order"])
    token: str = event.customer
    return token


async def told(ingest: Ingest, *orders: str) -> list[Any]:
    answer = await ingest.http.post("/v1/manifest", json={"orders": orders})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return [one["recipient"] for one in answer.json()["orders"]]


async def whole_database(database: Database) -> str:
    """Return every row of every table as text, binary columns as hex digits."""
    async with database.connection() as connection:
        names = await connection.fetch(
            "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        rows = [
            row["one"]
            for name in names
            for row in await connection.fetch(f"SELECT t::text AS one FROM {name['name']} AS t")
        ]
    return "\n".join(rows)


async def test_a_driver_is_told_what_nobody_else_can_read(
    ingest: Ingest, database: Database
) -> None:
    token = await place(ingest, to("m-1", "anna@example.org"))
    assert token.startswith("c-")
    [answer] = (await ingest.http.post("/v1/manifest", json={"orders": ["m-1"]})).json()["orders"]
    assert answer == {"order": "demo:m-1", "customer": token, "recipient": PERSON}
    assert await told(ingest, "demo:m-1", "never-placed") == [PERSON, None]
    kept = await whole_database(database)
    records = [record for topic in TOPICS for record in await read_records(ingest.kafka, topic)]
    seen = b"".join((one.value or b"") + (one.key or b"") for one in records).decode() + kept
    for secret in (*PERSON.values(), "anna@example.org"):
        assert secret not in seen
        assert secret.encode().hex() not in seen


async def test_a_token_leads_to_the_newest_order(ingest: Ingest) -> None:
    token = await place(ingest, to("t-1", "mover", street="1 Old Street"))
    assert await place(ingest, to("t-2", "mover", street="2 New Street")) == token
    answer = await ingest.http.post("/v1/manifest", json={"customers": [token, "c-nobody"]})
    [found, missing] = answer.json()["customers"]
    assert (found["order"], found["recipient"]["street"]) == ("demo:t-2", "2 New Street")
    assert missing == {"customer": "c-nobody", "recipient": None}


async def test_the_manifest_has_a_scope_of_its_own(ingest: Ingest) -> None:
    await place(ingest, to("s-1", "scoped"))
    keys = {}
    for action in ("manifest", "orders", "customers"):
        made = await ingest.http.post("/v1/keys", json={"name": "n", "actions": [action]})
        keys[action] = {"X-API-Key": made.json()["key"]}
    async with httpx.AsyncClient(base_url=ingest.url) as http:
        body = {"orders": ["s-1"]}
        asked = [await http.post("/v1/manifest", json=body, headers=keys[one]) for one in keys]
        assert [one.status_code for one in asked] == [200, 403, 403]
        erased = [await http.delete("/v1/customers/x", headers=keys[one]) for one in keys]
        assert [one.status_code for one in erased] == [403, 403, 204]


async def test_an_erased_customer_is_gone_and_may_begin_anew(
    ingest: Ingest, database: Database
) -> None:
    first = to("e-1", "leaver/1")
    token = await place(ingest, first)
    await place(ingest, to("e-2", "stayer"))
    async with database.connection() as connection:
        before = await connection.fetchrow("SELECT * FROM recipients WHERE order_id = 'demo:e-1'")
        wrapped = await connection.fetchval("SELECT wrapped FROM customers WHERE token = $1", token)
    assert before is not None
    for _ in range(2):
        assert (await ingest.http.delete("/v1/customers/leaver/1")).status_code == 204
    assert await told(ingest, "e-1", "e-2") == [None, PERSON]
    kept = await whole_database(database)
    assert wrapped.hex() not in kept
    assert before["sealed"].hex() not in kept

    assert await place(ingest, first) == token, "a late repeat is answered"
    assert await told(ingest, "e-1") == [None], "and brings nobody back"
    assert await place(ingest, to("e-3", "leaver/1")) == token
    assert await told(ingest, "e-1", "e-3") == [None, PERSON]
    assert (await ingest.http.delete(f"/v1/customers/{token}")).status_code == 204
    assert await told(ingest, "e-3") == [None]


async def amend(ingest: Ingest, number: str, revision: int, **person: str) -> None:
    lines = [{"line": "1", "sku": "tea", "quantity": 1}]
    body = {"revision": revision, "lines": lines, "recipient": {**PERSON, **person}}
    answer = await ingest.http.post(f"/v1/orders/{number}/amendments", json=body)
    assert answer.status_code == 202, answer.text


async def street(ingest: Ingest, number: str) -> str | None:
    [recipient] = await told(ingest, number)
    return recipient and str(recipient["street"])


async def test_a_corrected_address_reaches_the_driver(ingest: Ingest, database: Database) -> None:
    await place(ingest, to("a-1", "mistyped"))
    await amend(ingest, "a-1", 5, street="5 Right Street")
    await amend(ingest, "a-1", 4, street="4 Older Street")
    await place(ingest, to("a-1", "mistyped"))
    assert await street(ingest, "a-1") == "5 Right Street"
    await amend(ingest, "a-1", 6, street="6 Newest Street")
    assert await street(ingest, "a-1") == "6 Newest Street"
    assert "6 Newest Street" not in await whole_database(database)

    await place(ingest, order("a-2", customer="mistyped"))
    await amend(ingest, "a-2", 1, street="1 Told Later")
    assert await street(ingest, "a-2") == "1 Told Later"

    assert (await ingest.http.delete("/v1/customers/mistyped")).status_code == 204
    await amend(ingest, "a-1", 7, street="7 Late Street")
    assert await street(ingest, "a-1") is None, "what comes late brings nobody back"


async def test_a_correction_that_comes_before_its_order_waits_unreadably(
    ingest: Ingest, database: Database
) -> None:
    await amend(ingest, "a-3", 2, street="2 Early Street")
    kept = await whole_database(database)
    assert "2 Early Street" not in kept
    assert b"2 Early Street".hex() not in kept
    await place(ingest, to("a-3", "early"))
    assert await street(ingest, "a-3") == "2 Early Street"


async def test_a_customer_is_forgotten_by_any_spelling(ingest: Ingest) -> None:
    token = await place(ingest, to("sp-1", "Zoe@Example.org"))
    assert await place(ingest, to("sp-2", "zoe@example.ORG")) == token
    assert (await ingest.http.delete("/v1/customers/ZOE@example.org")).status_code == 204
    assert await told(ingest, "sp-1", "sp-2") == [None, None]


async def test_orders_by_kafka_keep_their_recipients_too(ingest: Ingest) -> None:
    body = json.dumps(to("k-1", "by kafka", name="Kafka")).encode()
    other = json.dumps(to("k-1", "someone else", name="Other")).encode()
    header = [("shop", b"demo")]
    await publish_raw(
        ingest.kafka,
        [Outgoing(STOREFRONT_ORDERS.name, 0, None, header, one) for one in (body, other)],
    )

    async def kept() -> bool:
        return (await told(ingest, "k-1"))[0] is not None

    await until(kept, what="it is kept")
    assert (await told(ingest, "k-1"))[0]["name"] == "Kafka"
    assert not [r for r in await read_records(ingest.kafka, LEDGER) if b"Long" in (r.value or b"")]


async def test_many_orders_of_one_customer_at_once_while_they_leave(ingest: Ingest) -> None:
    asked = [to(f"r-{n}", "racer") for n in range(20)]
    answers = await asyncio.gather(
        *(ingest.http.post("/v1/orders", json=one) for one in asked),
        *(ingest.http.delete("/v1/customers/racer") for _ in range(3)),
    )
    assert {one.status_code for one in answers} == {202, 204}
    assert (await ingest.http.delete("/v1/customers/racer")).status_code == 204
    assert await told(ingest, *(f"r-{n}" for n in range(20))) == [None] * 20


@pytest.mark.parametrize(
    ("recipient", "field"),
    [
        ({}, "recipient"),
        ({"name": 7}, "recipient.name"),
        ({"street": "x" * 501}, "recipient.street"),
        ({"ssn": "1"}, "recipient.ssn"),
    ],
)
async def test_a_wrong_recipient_is_refused(
    ingest: Ingest, recipient: dict[str, Any], field: str
) -> None:
    answer = await ingest.http.post("/v1/orders", json=order("w-1", recipient=recipient))
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]


async def test_a_new_master_key_opens_what_an_old_one_could(database_url: str) -> None:
    """And the old one is not needed any more: what a backup holds under it is gone with it."""
    old, new = base64.b64encode(bytes(32)).decode(), base64.b64encode(os.urandom(32)).decode()
    database = Database(database_url, max_connections=2)
    await database.open()
    await database.migrate(["restock_common", "order_ingest"])
    old_master, new_master = Seal({"old": bytes(32)}), Seal({"new": base64.b64decode(new)})
    before = PostgresRecipients(old_master)
    deliveries = [
        Delivery("shop", f"shop:{n}", f"c-{uuid4().hex}", Recipient(name=f"Anna {n}"))
        for n in range(1200)
    ]
    answer = Answer(207, "application/json", b"{}")
    command = command_on_order("shop", "shop:1", CancelRequest(), datetime.now(UTC))
    told = ShopSettings(channel="shopify", secrets=(SecretStr("hush-hush"),))
    answers = PostgresAnswers(database, old_master)
    assert (await answers.claim("shop", "key", b"digest")).mine
    await answers.keep("shop", "key", answer)
    async with database.transaction() as connection:
        await before.keep(connection, deliveries)
        await PostgresShopBook(old_master).put(connection, "shop", told)
        await PostgresWaitingRoom(old_master).add(connection, [command])
        await connection.execute(
            "INSERT INTO waiting (about, subject, event, shop, command, body, reason, came_at)"
            " SELECT about, 'shop:older', event, shop, command, '{}', reason, came_at FROM waiting"
        )

    def rewrap() -> str:
        restock = str(Path(sys.executable).parent / "restock")
        options = ["--database-url", database_url, "--master-keys", f"new={new},old={old}"]
        done = subprocess.run(
            [restock, "customers", "rewrap", *options], capture_output=True, text=True, check=True
        )
        return done.stdout

    for number, one in ((1200, 1), (0, 0)):
        assert (await asyncio.to_thread(rewrap)) == (
            f"{number} customers' keys, {one} shops' secrets, {one} answers, {one} waiting commands"
            " are under another master key now\n"
        )
    after = PostgresRecipients(new_master)
    again = await PostgresAnswers(database, new_master).claim("shop", "key", b"digest")
    assert again.answer == answer
    async with database.connection() as connection:
        found = await after.of_orders(connection, "shop", [one.order for one in deliveries])
        assert [found[one.order] for one in deliveries] == deliveries
        with pytest.raises(Transient, match="'new', which is not given"):
            await before.of_orders(connection, "shop", ["shop:1"])
        assert await PostgresShopBook(new_master).find(connection, "shop") == told
        [waits] = await PostgresWaitingRoom(new_master).of(connection, "order", "shop:1")
        assert waits.body == command.body
        [older] = await PostgresWaitingRoom(new_master).of(connection, "order", "shop:older")
        assert older.body == "{}", "it has waited since before what waits was sealed"
        assert await PostgresWaitingRoom(old_master).of(connection, "order", "shop:1") == []
        assert await after.of_orders(connection, "other", ["shop:1"]) == {}
    await database.close()
