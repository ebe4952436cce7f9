"""`restock dead-letters`: what could not be taken is seen, mended and taken, once."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.integration.order_ingest.sample import Ingest, on_shards, order
from tests.support import publish, publish_raw, read_letters, read_records, until

from restock_common.contracts.ledger import OrderAmended, OrderPlaced
from restock_common.contracts.topics import DEAD_LETTERS, STOREFRONT_ORDERS
from restock_common.transact import Outgoing
from restock_local.letterbox import Filter, Letterbox

pytestmark = pytest.mark.kafka

CLOCK = "live"
NAME = "Anna Lovelace"


async def restock(ingest: Ingest, *arguments: str, **environment: str) -> Any:
    """Run `restock dead-letters` and return its JSON; where it fails, its words and its code."""
    command = [str(Path(sys.executable).parent / "restock"), "dead-letters", *arguments, "--json"]
    env = {
        **os.environ,
        "RESTOCK_KAFKA_BOOTSTRAP": ingest.kafka.kafka_bootstrap,
        "RESTOCK_KAFKA_IDEMPOTENT": str(ingest.kafka.kafka_idempotent),
        **environment,
    }

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    done = await asyncio.to_thread(run)
    return json.loads(done.stdout) if done.returncode == 0 else (done.returncode, done.stderr)


async def refuse(ingest: Ingest, number: str) -> str:
    """Send an order of a sku that nobody has, on partition 3; return its letter's id."""
    before = len(await read_records(ingest.kafka, DEAD_LETTERS))
    body = json.dumps(order(number, lines=[{"sku": f"{NAME}'s mug", "quantity": 2}])).encode()
    headers = [("shop", b"demo"), ("x-own", b"\xff")]
    await publish_raw(ingest.kafka, [Outgoing(STOREFRONT_ORDERS.name, 3, b"k", headers, body)])

    async def told() -> bool:
        return len(await read_records(ingest.kafka, DEAD_LETTERS)) > before

    await until(told, what="the letter is there")
    record = (await read_records(ingest.kafka, DEAD_LETTERS))[-1]
    return dict(record.headers)["ce_id"].decode()


async def test_a_letter_is_seen_mended_and_taken_once(ingest: Ingest, tmp_path: Path) -> None:
    letter_id = await refuse(ingest, "mug-1")
    [listed] = await restock(ingest, "list", "--field", "lines.0.sku")
    assert listed["id"] == letter_id
    assert listed["reason"] == f'is not in the catalogue: "{NAME}\'s mug"'
    assert (listed["consumer"], listed["source_partition"]) == ("order-ingest", 3)
    assert "body" not in listed

    shown = await restock(ingest, "show", letter_id[:8])
    assert json.loads(shown["body"])["order"] == "mug-1"
    assert shown["headers"] == [["shop", "demo"], ["x-own", "\\xff"]]

    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\nsed -i "s/{NAME}\'s mug/tea/" $1\n')
    editor.chmod(0o700)
    [first] = await restock(ingest, "replay", letter_id, "--edit", EDITOR=str(editor))
    assert (first["topic"], first["partition"], first["new"]) == (STOREFRONT_ORDERS.name, 3, True)

    async def placed() -> bool:
        return len(await on_shards(ingest, OrderPlaced, order="demo:mug-1")) == 1

    await until(placed, what="the order is taken")
    [again] = await restock(ingest, "replay", letter_id)
    assert again == {**first, "new": False}
    records = [r for r in await read_records(ingest.kafka, STOREFRONT_ORDERS) if r.partition == 3]
    assert len(records) == 2
    assert records[1].key == b"k"
    sent = [("shop", b"demo"), ("x-own", b"\xff"), ("restock-replay-of", letter_id.encode())]
    assert list(map(tuple, records[1].headers)) == sent


async def test_a_command_that_was_set_aside_is_said_again_and_counts_once(ingest: Ingest) -> None:
    """Its order did not bear it out: mended, it is the event that it would have been."""
    number = "w/1 ü"
    said = {"revision": 1, "lines": [{"line": "1", "sku": "milk", "quantity": 9}]}
    waits = await ingest.http.post(f"/v1/orders/{quote(number)}/amendments", json=said)
    assert waits.json()["waiting"] is True
    assert (await ingest.http.post("/v1/orders", json=order(number))).status_code == 202
    box = Letterbox(ingest.kafka)
    [letter] = await box.letters(Filter(topic="order-ingest/waiting"))
    mended, key = letter.body.replace(b"milk", b"tea"), ingest.http.headers["X-API-Key"]
    for _ in range(2):
        sent = await box.deliver(letter, mended, ingest.url, key)
        assert (sent.shop, sent.status) == ("demo", 202)
        assert json.loads(sent.answer)["event"] == waits.json()["event"]
    amended = await on_shards(ingest, OrderAmended, order=f"demo:{number}")
    assert {(event.revision, event.lines[0].quantity) for _, event in amended} == {(1, 9)}


async def test_letters_are_filtered(ingest: Ingest) -> None:
    letter_id = await refuse(ingest, "mug-2")
    for wanted, found in (
        (("--topic", STOREFRONT_ORDERS.name, "--service", "order-ingest"), True),
        (("--topic", "restock.ledger.v1"), False),
        (("--service", "dispatcher"), False),
        (("--since", "2099-01-01"), False),
    ):
        listed = await restock(ingest, "list", *wanted)
        assert (letter_id in [one["id"] for one in listed]) is found, wanted


async def test_without_the_right_key_nothing_about_people_is_told(ingest: Ingest) -> None:
    letter_id = await refuse(ingest, "mug-3")
    other = {"RESTOCK_DEAD_LETTER_KEYS": f"other={'A' * 43}="}
    listed = await restock(ingest, "list", **other)
    [mine] = [one for one in listed if one["id"] == letter_id]
    assert mine["reason"] == "is not in the catalogue"
    assert await restock(ingest, "show", letter_id, **other) == (
        2,
        "it was sealed with the key 'test', which is not given\n",
    )
    assert await restock(ingest, "show", "nobody") == (
        2,
        "0 dead letters have an id that begins with 'nobody'\n",
    )
    for record in await read_records(ingest.kafka, DEAD_LETTERS):
        assert b"Lovelace" not in (record.value or b"")
        assert b"Lovelace" not in b"".join(value for _, value in record.headers)
    assert "Lovelace" in (await read_letters(ingest.kafka))[-1][1].reason


async def test_what_a_letter_does_not_hold_is_read_where_it_came_from(ingest: Ingest) -> None:
    """As with one that was written without a key."""
    letter_id = await refuse(ingest, "mug-4")
    sealed = [letter for letter, _ in await read_letters(ingest.kafka)][-1]
    bare = sealed.model_copy(update={"sealed": None, "consumer": "keyless"})
    gone = bare.model_copy(update={"source_offset": 10**9})
    await publish(ingest.kafka, [bare, gone])
    [first, second] = await restock(ingest, "list", "--service", "keyless")
    assert letter_id not in {first["id"], second["id"]}
    assert {one["reason"] for one in (first, second)} == {"is not in the catalogue"}
    bodies = {}
    for one in (first, second):
        shown = await restock(ingest, "show", one["id"])
        bodies[shown["source_offset"]] = shown.get("body")
    assert json.loads(bodies[sealed.source_offset])["order"] == "mug-4"
    assert bodies[10**9] is None
    lost = first if first["source_offset"] == 10**9 else second
    code, said = await restock(ingest, "replay", lost["id"])
    assert (code, "is gone" in said) == (2, True)
