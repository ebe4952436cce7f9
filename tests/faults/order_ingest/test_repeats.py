"""A hundred deliveries of one thing, at once and to two replicas, have one effect."""

import asyncio
from typing import Any

import httpx
import pytest
from tests.faults.order_ingest.conftest import Replicas
from tests.integration.order_ingest.sample import NORTH, PLACED_AT, SOUTH, order
from tests.support import read_messages, until

from restock_common.contracts.ledger import OrderAmended, OrderPlaced
from restock_common.contracts.topics import LEDGER

pytestmark = pytest.mark.kafka

_TIMES = 100


async def deliver(
    replicas: Replicas, path: str, bodies: list[Any], headers: dict[str, str] | None = None
) -> list[httpx.Response]:
    """Send bodies a hundred times in all, at once, in turn to each replica."""
    return await asyncio.gather(
        *(
            replicas.doors[n % 2].post(path, json=bodies[n // 2 % len(bodies)], headers=headers)
            for n in range(_TIMES)
        )
    )


async def told(replicas: Replicas, name: str) -> list[tuple[str, int, Any]]:
    """Return id, shard and event of what the ledger was told of an order, each once."""
    found: dict[str, tuple[str, int, Any]] = {}
    for one in await read_messages(replicas.platform.kafka, LEDGER):
        if getattr(one.event, "order", None) == f"demo:{name}":
            assert one.partition is not None
            event = (one.id, one.partition, one.event)
            assert found.setdefault(one.id, event) == event, "a repeat says the same in one place"
    return list(found.values())


async def test_a_hundred_deliveries_of_an_order_its_edit_and_its_end(replicas: Replicas) -> None:
    edit = {
        "revision": 1,
        "amended_at": PLACED_AT.isoformat(),
        "lines": [{"line": "1", "sku": "tea", "quantity": 7}],
    }
    called_off = {"cancelled_at": PLACED_AT.isoformat()}
    for path, body in (
        ("/v1/orders", order("hundred")),
        ("/v1/orders/hundred/amendments", edit),
        ("/v1/orders/hundred/cancel", called_off),
    ):
        answers = await deliver(replicas, path, [body])
        assert {(one.status_code, one.text) for one in answers} == {(202, answers[0].text)}
    names = [type(event).__name__ for _, _, event in await told(replicas, "hundred")]
    assert names == ["OrderPlaced", "OrderAmended", "OrderCancelled"]


async def test_all_at_once_in_any_order(replicas: Replicas) -> None:
    """The edit and the end race the order, on both replicas: whoever wins, they follow it."""
    edit = {
        "revision": 1,
        "amended_at": PLACED_AT.isoformat(),
        "lines": [{"line": "1", "sku": "tea", "quantity": 7}],
    }
    called_off = {"cancelled_at": PLACED_AT.isoformat()}
    await asyncio.gather(
        deliver(replicas, "/v1/orders/raced/amendments", [edit]),
        deliver(replicas, "/v1/orders/raced/cancel", [called_off]),
        deliver(replicas, "/v1/orders", [order("raced")]),
    )

    async def all_three() -> list[type[Any]]:
        kinds = [type(event) for _, _, event in await told(replicas, "raced")]
        return kinds if len(kinds) == 3 else []

    kinds = await until(all_three, what="order, edit and end", every_s=0.2)
    assert kinds.index(OrderPlaced) < kinds.index(OrderAmended)


async def test_a_pool_is_chosen_once(replicas: Replicas) -> None:
    """Two contents of one order race: one of them wins, with its pool, on both replicas."""
    bodies = [order("once", destination=place) for place in (NORTH, SOUTH)]
    answers = await deliver(replicas, "/v1/orders", bodies)
    assert {one.status_code for one in answers} == {202, 409}
    accepted = {one.text for one in answers if one.status_code == 202}
    assert len(accepted) == 1
    assert len(await told(replicas, "once")) == 1


async def test_an_older_revision_does_not_undo_a_newer_one(replicas: Replicas) -> None:
    """Both reach the log, the older one last; the ledger passes it over."""
    await replicas.doors[0].post("/v1/orders", json=order("older"))
    for door, revision in zip(replicas.doors, (2, 1), strict=True):
        edit = {"revision": revision, "lines": [{"line": "1", "sku": "tea", "quantity": revision}]}
        answer = await door.post("/v1/orders/older/amendments", json=edit)
        assert answer.status_code == 202
    amended = [one for _, _, one in await told(replicas, "older") if isinstance(one, OrderAmended)]
    assert [one.revision for one in amended] == [2, 1]


async def test_one_key_on_two_replicas(replicas: Replicas) -> None:
    headers = {"Idempotency-Key": "on both"}
    answers = await deliver(replicas, "/v1/orders", [order("keyed")], headers)
    statuses = {one.status_code for one in answers}
    assert 202 in statuses
    assert statuses <= {202, 409}
    again = [
        await door.post("/v1/orders", json=order("keyed"), headers=headers)
        for door in replicas.doors
    ]
    assert {(one.status_code, one.text) for one in again} == {(202, again[0].text)}
    other = await replicas.doors[1].post("/v1/orders", json=order("other"), headers=headers)
    assert other.status_code == 422
