"""Webhooks over HTTP: readers as processes, and a receiver that answers as it is told to.

The tests of a file share one log, which each reads anew: so each names its own skus.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from tests.integration.stock_ledger.harness import open_ledger
from tests.integration.stock_ledger.processes import Running, running
from tests.integration.stock_ledger.receiver import (
    Received,
    Receiver,
    Shard,
    accept,
    hook,
    serving,
    state,
)
from tests.support import until
from tests.unit.stock_ledger.building import counted

from restock_common.contracts.topics import STOCK
from restock_common.postgres import Database
from restock_common.settings import KafkaSettings

pytestmark = pytest.mark.kafka


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with serving() as made:
        yield made


@pytest.fixture
async def run(
    kafka: KafkaSettings, database_url: str, tmp_path: Path
) -> AsyncIterator[Callable[..., Awaitable[Running]]]:
    async with AsyncExitStack() as stack:

        async def start(**settings: str) -> Running:
            return await stack.enter_async_context(
                running(kafka, database_url, tmp_path, **settings)
            )

        yield start


_shards = iter(range(100, 1000))


@pytest.fixture
def shard(kafka: KafkaSettings) -> Shard:
    """Return a shard that no other test of the file speaks for."""
    return Shard(kafka, next(_shards))


async def settled(reader: Any) -> Any:
    """Wait until what was accepted is forgotten, which the receiver can see no sooner."""

    async def nothing_waits() -> Any:
        found = await state(reader)
        return found if found["waiting"] == 0 else None

    return await until(nothing_waits, what="nothing waits for the webhook")


async def test_a_change_in_the_books_arrives_signed(
    kafka: KafkaSettings, database_url: str, run: Any, receiver: Receiver
) -> None:
    async with open_ledger(kafka, database_url) as ledger:
        await ledger.stream.start()
        await ledger.ready()
        await ledger.send(0, counted("1", "n1", ("tea", 5), ("milk", 1)))
        await ledger.quiet()
        reader = await run()
        secret = await hook(reader, receiver.url, skus=["tea"], pools=["north"])
        await ledger.send(0, counted("2", "n1", ("tea", 4), ("milk", 9)))
        await ledger.send(1, counted("3", "s1", ("tea", 7), pool="south"))
        await ledger.send(0, counted("4", "n2", ("tea", 3)))
        await receiver.until_accepted(("tea", 4), ("tea", 3))
    for one in receiver.received:
        assert one.headers["content-type"] == "application/json"
        body = Webhook(secret).verify(one.body, one.headers)
        assert body["type"] == "stock.level_changed"
        assert body["data"]["pool"] == "north"
        assert body["data"]["available"] == body["data"]["on_hand"]
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(one.body + b" ", one.headers)
    assert [one.place for one in receiver.received] == [("tea", "n1"), ("tea", "n2")]
    found = await settled(reader)
    assert (found["state"], found["failures"]) == ("active", 0)
    assert found["last_success_at"] is not None
    assert "secret" not in found


async def test_what_fails_is_sent_again_under_the_same_id(
    run: Any, receiver: Receiver, shard: Shard
) -> None:
    answers = iter([500, 302, 0, 404])

    async def answer(_: Received) -> int:
        status = next(answers, 200)
        await asyncio.sleep(0 if status else 60)
        return status

    receiver.answer = answer
    reader = await run(WEBHOOKS_TIMEOUT_S="0.5")
    await hook(reader, receiver.url, skus=["cup"])
    await shard.tell(("cup", 1))
    await receiver.until_accepted(("cup", 1))
    assert len(receiver.received) == 5
    assert len({one.message for one in receiver.received}) == 1
    assert len({one.body for one in receiver.received}) == 1
    found = await settled(reader)
    assert found["failures"] == 0
    assert found["last_error"] == "404 Not Found"
    failed = await reader.metric('restock_webhook_attempts_total{outcome="failed"}')
    assert failed == 4
    log = reader.log.read_text()
    assert "500 Internal Server Error" in log
    assert "302 Found" in log
    assert "no answer within 0.5 s" in log


async def test_while_a_receiver_is_away_only_the_latest_of_each_place_waits(
    run: Any, receiver: Receiver, shard: Shard
) -> None:
    answer = [503]

    async def away(_: Received) -> int:
        return answer[0]

    receiver.answer = away
    reader = await run(WEBHOOKS_RETRY_S="1,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2")
    skus = [f"jar{n}" for n in range(8)]
    await hook(reader, receiver.url, skus=skus)
    for n in range(40):
        await shard.tell(*((sku, n) for sku in skus))
        assert (await state(reader))["waiting"] <= len(skus)

    async def failing() -> bool:
        found = await state(reader)
        return bool(found["failures"] and found["waiting"] == len(skus))

    await until(failing, what="it is failing")
    assert (await state(reader))["next_attempt_at"] is not None
    answer[0] = 200
    await receiver.until_accepted(*((sku, 39) for sku in skus))
    assert len(receiver.accepted) == len(skus)


async def test_a_process_that_is_killed_loses_nothing(
    run: Any, receiver: Receiver, shard: Shard, database_url: str
) -> None:
    """Killed with the cursor committed and the messages on their way, but not delivered."""

    async def never(_: Received) -> int:
        await asyncio.sleep(60)
        return 200

    receiver.answer = never
    first = await run(WEBHOOKS_TIMEOUT_S="1")
    await hook(first, receiver.url, skus=["pot", "lid"])
    await shard.tell(("pot", 1), ("lid", 2))

    async def under_way() -> bool:
        return len(receiver.received) == 2

    await until(under_way, what="both are on their way")
    progress = (await first.door.get("/v1/progress")).json()["offsets"][STOCK.name]
    await first.kill()
    receiver.answer = accept
    database = Database(database_url)
    await database.open()
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT partition, next_offset FROM cursors")
        assert {str(row["partition"]): row["next_offset"] for row in rows} == progress
    await database.close()
    await run()
    await receiver.until_accepted(("pot", 1), ("lid", 2))
    sent = {one.message for one in receiver.received[:2]}
    assert {one.message for one in receiver.accepted} == sent, "under the ids they had"


async def test_two_readers_share_the_work_and_never_send_one_twice_at_once(
    run: Any, receiver: Receiver, shard: Shard
) -> None:
    async def slowly(_: Received) -> int:
        await asyncio.sleep(0.02)
        return 200

    receiver.answer = slowly
    readers: Sequence[Running] = [await run(), await run()]

    async def shared() -> bool:
        owned = [(await one.door.get("/v1/progress")).json()["offsets"] for one in readers]
        return all(len(one.get(STOCK.name, {})) == STOCK.partitions // 2 for one in owned)

    await until(shared, what="they share the partitions", timeout_s=60)
    changes = [(f"nut{n}", n) for n in range(200)]
    await hook(readers[0], receiver.url, skus=[sku for sku, _ in changes])
    await shard.tell(*changes)
    await shard.tell(*((sku, number + 1000) for sku, number in changes))
    await receiver.until_accepted(*((sku, number + 1000) for sku, number in changes))
    assert receiver.twice_at_once == []
    assert len({one.message for one in receiver.received}) == len(receiver.received)
    delivered = [
        await one.metric('restock_webhook_attempts_total{outcome="delivered"}') for one in readers
    ]
    assert min(delivered) > 0
    assert receiver.most_under_way <= 2 * 4


async def test_a_slow_receiver_does_not_hold_others_up(
    run: Any, receiver: Receiver, shard: Shard
) -> None:
    async def answer(one: Received) -> int:
        if one.data["sku"].startswith("slow"):
            await asyncio.sleep(60)
        return 200

    receiver.answer = answer
    reader = await run()
    slow = [f"slow{n}" for n in range(20)]
    await hook(reader, receiver.url, "slow", skus=slow)
    await hook(reader, receiver.url, "quick", skus=[f"quick{n}" for n in range(20)])
    await shard.tell(*((sku, 1) for sku in slow), *((f"quick{n}", n) for n in range(20)))
    await receiver.until_accepted(*((f"quick{n}", n) for n in range(20)))
    assert sum(one.data["sku"].startswith("slow") for one in receiver.received) <= 4


async def test_who_is_gone_is_told_nothing_more_until_asked_for_again(
    run: Any, receiver: Receiver, shard: Shard
) -> None:
    async def gone(_: Received) -> int:
        return 410

    receiver.answer = gone
    reader = await run()
    await hook(reader, receiver.url, skus=["oil"])
    await shard.tell(("oil", 1))

    async def disabled() -> bool:
        return bool((await state(reader))["state"] == "gone")

    await until(disabled, what="the webhook is disabled")
    assert await reader.metric('restock_webhooks_disabled_total{reason="gone"}') == 1
    assert "webhook_disabled" in reader.log.read_text()
    await shard.tell(("oil", 2))
    await hook(reader, receiver.url, "other", skus=["end"])
    receiver.answer = accept
    await shard.tell(("end", 1))
    await receiver.until_accepted(("end", 1))
    assert [one.change for one in receiver.received] == [("oil", 1), ("end", 1)]
    assert (await state(reader))["waiting"] == 0

    again = await reader.door.put("/v1/webhooks/shop", json={"url": receiver.url, "skus": ["oil"]})
    assert (again.status_code, again.json()["state"]) == (200, "active")
    assert "secret" not in again.json()
    await shard.tell(("oil", 3))
    await receiver.until_accepted(("oil", 3))


async def test_who_never_answers_well_is_disabled_after_the_last_retry(
    run: Any, receiver: Receiver, shard: Shard
) -> None:
    async def broken(_: Received) -> int:
        return 500

    receiver.answer = broken
    reader = await run(WEBHOOKS_RETRY_S="0.1,0.2")
    await hook(reader, receiver.url, skus=["rye"])
    await shard.tell(("rye", 1))

    async def disabled() -> bool:
        return bool((await state(reader))["state"] == "failing")

    await until(disabled, what="the webhook is disabled")
    assert len(receiver.received) == 3
    found = await state(reader)
    assert (found["waiting"], found["last_error"]) == (0, "500 Internal Server Error")


async def test_one_message_that_is_never_taken_is_given_up_and_the_others_go_on(
    run: Any, receiver: Receiver, shard: Shard
) -> None:
    async def picky(one: Received) -> int:
        return 422 if one.data["sku"] == "bad" else 200

    receiver.answer = picky
    reader = await run(WEBHOOKS_RETRY_S="0.2,0.4")
    await hook(reader, receiver.url, skus=["bad", *(f"good{n}" for n in range(1000))])
    await shard.tell(("bad", 1))
    sent = 0

    async def given_up() -> bool:
        nonlocal sent
        sent += 1
        await shard.tell((f"good{sent}", sent))
        return bool(await reader.metric('restock_webhook_attempts_total{outcome="given_up"}'))

    await until(given_up, what="the bad one is given up", every_s=0.1)
    await receiver.until_accepted(*((f"good{n}", n) for n in range(1, sent + 1)))
    assert (await state(reader))["state"] == "active"
    assert [one.change for one in receiver.received].count(("bad", 1)) == 3


async def test_while_a_secret_is_replaced_old_and_new_verify(
    run: Any, receiver: Receiver, shard: Shard
) -> None:
    reader = await run()
    old = await hook(reader, receiver.url, skus=["fig"])
    answer = await reader.door.post("/v1/webhooks/shop/secret")
    new = answer.json()["secret"]
    assert old != new
    await shard.tell(("fig", 1))
    await receiver.until_accepted(("fig", 1))
    (one,) = receiver.received
    assert one.headers["webhook-signature"].count("v1,") == 2
    for secret in (old, new):
        Webhook(secret).verify(one.body, one.headers)


async def test_private_addresses_are_refused_at_the_door_and_at_each_attempt(
    run: Any, receiver: Receiver, shard: Shard, database_url: str
) -> None:
    allowing = await run()
    await hook(allowing, receiver.url.replace("http:", "https:"), skus=["gin"])
    await allowing.end()
    reader = await run(WEBHOOKS_ALLOW_PRIVATE="false")
    for url in (receiver.url, "https://127.0.0.1/hook", "https://localhost/hook"):
        refused = await reader.door.put("/v1/webhooks/other", json={"url": url})
        assert refused.status_code == 422, url
        assert refused.json()["detail"].startswith("url: "), refused.text
    await shard.tell(("gin", 1))

    async def failed() -> bool:
        return "127.0.0.1 is not a public address" in ((await state(reader))["last_error"] or "")

    await until(failed, what="the attempt is refused")
    assert receiver.received == []


async def test_webhooks_are_for_who_has_the_key(run: Any, receiver: Receiver) -> None:
    reader = await run()
    for key, status in (("", 401), ("the admin's kez", 401), ("the admin's key", 200)):
        answer = await reader.door.get("/v1/webhooks", headers={"X-API-Key": key})
        assert answer.status_code == status
    without = await reader.door.put(
        "/v1/webhooks/shop", json={"url": receiver.url}, headers={"X-API-Key": "x"}
    )
    assert without.status_code == 401
    assert (await reader.door.get("/v1/webhooks")).json() == {"webhooks": []}
    for body, field in (
        ({"url": "nowhere"}, "url"),
        ({"url": receiver.url, "sku": ["tea"]}, "sku"),
        ({"url": receiver.url, "secret": "whsec_short"}, "secret"),
        ({}, "url"),
    ):
        refused = await reader.door.put("/v1/webhooks/shop", json=body)
        assert refused.status_code == 422
        assert refused.json()["detail"].startswith(f"{field}: ")
    for method, path in (
        ("GET", "/none"),
        ("DELETE", "/none"),
        ("POST", "/none/secret"),
    ):
        assert (await reader.door.request(method, f"/v1/webhooks{path}")).status_code == 404
    assert (await reader.door.get("/v1/webhooks/a.b")).status_code == 422
    await hook(reader, receiver.url)
    assert (await reader.door.delete("/v1/webhooks/shop")).status_code == 204

    off = await run(ADMIN_KEY="")
    answer = await off.door.get("/v1/webhooks")
    assert answer.status_code == 403
    assert "RESTOCK_ADMIN_KEY" in answer.json()["detail"]
