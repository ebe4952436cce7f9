"""Levels, forecasts and time in; purchase orders out; receipts close them."""

import httpx
from tests.integration.replenisher.harness import (
    DAY,
    MIDNIGHT,
    advance,
    forecast,
    level,
    placed,
    positioned,
    receipt,
    replenishment,
    running,
    sell,
)
from tests.support import publish, read_messages

from replenisher.domain.terms import Policy
from restock_common.contracts.replenishment import PurchaseOrderClosed
from restock_common.contracts.topics import DEAD_LETTERS
from restock_common.settings import KafkaSettings


async def test_a_review_orders_once_for_each_supplier_and_location(
    topics: KafkaSettings, database_url: str
) -> None:
    await sell(topics, "acme", ["a", "b", "full"], pack_size=6, minimum_order_quantity=12)
    await publish(topics, [level("a", 3), level("b", 0, location="W2"), level("full", 10_000)])
    await publish(topics, [forecast("a", 2), forecast("b", 1, location="W2"), forecast("full", 2)])
    async with running(topics, database_url) as service:
        await service.quiet()
        assert await placed(topics) == []
        await advance(topics, MIDNIGHT)
        await service.quiet()

        first, second = await placed(topics)
        assert (first.supplier, first.location, first.placed_at) == ("acme", "W1", MIDNIGHT)
        assert [line.sku for line in first.lines] == ["a"]
        assert (second.location, [line.sku for line in second.lines]) == ("W2", ["b"])
        line = first.lines[0]
        reason = line.reason
        assert (reason.on_hand, reason.inventory_position, reason.on_order) == (3, 3, 0)
        assert reason.inventory_position <= reason.reorder_point < reason.order_up_to_level
        assert line.quantity % 6 == 0
        assert line.quantity >= max(12, reason.order_up_to_level - 3)
        assert reason.forecast_learned_until == MIDNIGHT

        await advance(topics, MIDNIGHT + DAY / 2)
        await service.quiet()
        await advance(topics, MIDNIGHT + DAY)
        await service.quiet()
        assert len(await placed(topics)) == 2, "what is on order counts in the position"


async def test_receipts_count_once_and_close_the_order(
    topics: KafkaSettings, database_url: str
) -> None:
    await sell(topics, "acme", ["a", "b"])
    await publish(topics, [level("a", 0), level("b", 0), forecast("a", 2), forecast("b", 2)])
    async with running(topics, database_url) as service:
        await advance(topics, MIDNIGHT)
        await service.quiet()
        (order,) = await placed(topics)
        a, b = (line.quantity for line in order.lines)

        short = receipt(order, 0, a - 1, on_hand=a - 1)
        again = short.model_copy(update={"on_hand": a})
        await publish(topics, [short, again, receipt(order, 1, b + 5, on_hand=b + 5)])
        await service.quiet()
        [position] = await service.views.positions("a")
        assert (position.on_order, position.on_hand) == (1, a)
        [over] = await service.views.positions("b")
        assert (over.on_order, over.on_hand) == (0, b + 5)
        assert len(await replenishment(topics)) == 1, "one unit is still to come"

        await publish(topics, [receipt(order, 0, 1, name="r2", on_hand=a)])
        await service.quiet()
        closed = [one.event for one in await replenishment(topics)][1:]
        assert closed == [
            PurchaseOrderClosed(
                supplier="acme",
                purchase_order=order.purchase_order,
                location="W1",
                closed_at=MIDNIGHT + 2 * DAY,
            )
        ]
        record = (await service.views.lead_times())["acme"]
        assert (record.observations, record.total_minutes) == (2, 2 * 2 * 1440)


async def test_what_the_ledger_sends_again_changes_nothing(
    topics: KafkaSettings, database_url: str
) -> None:
    await sell(topics, "acme", ["a"])
    sent = [positioned(level("a", units), "/ledger/0", units) for units in (1, 2, 3)]
    async with running(topics, database_url) as service:
        await publish(topics, [*sent, *sent[:2]])
        await service.quiet()
        [position] = await service.views.positions("a")
        assert position.on_hand == 3


async def test_an_unknown_supplier_defers_the_need_until_it_is_known(
    topics: KafkaSettings, database_url: str
) -> None:
    await sell(topics, "acme", ["a"])
    await publish(topics, [level("orphan", 0), forecast("orphan", 3)])
    await publish(topics, [level("owed", 0, backordered=2)])
    async with running(topics, database_url) as service:
        await advance(topics, MIDNIGHT)
        await service.quiet()
        assert await placed(topics) == []
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(service.api), base_url="http://test"
        ) as client:
            deferred = (await client.get("/v1/needs", params={"state": "deferred"})).json()
            explained = (await client.get("/v1/explain/orphan/W1")).json()
            missing = await client.get("/v1/explain/orphan/nowhere")
        assert [(need["sku"], need["reason"]) for need in deferred] == [
            ("orphan", "unknown product 'orphan'"),
            ("owed", "unknown product 'owed'"),
        ]
        assert explained["short"] is True
        assert explained["would_order"] == 0
        assert missing.status_code == 404
        assert missing.headers["content-type"] == "application/problem+json"

        await sell(topics, "acme", ["orphan", "owed"])
        await service.quiet()  # the catalogue comes on another topic than the time
        await advance(topics, MIDNIGHT + DAY)
        await service.quiet()
        (order,) = await placed(topics)
        assert [line.sku for line in order.lines] == ["orphan", "owed"]
        assert order.lines[1].quantity == 2
        assert await service.views.uncovered_needs("deferred", 10) == []


async def test_a_forecast_beyond_all_sense_goes_to_the_dead_letters_and_the_stream_goes_on(
    topics: KafkaSettings, database_url: str
) -> None:
    await sell(topics, "acme", ["a"])
    async with running(topics, database_url) as service:
        await publish(topics, [level("a", 0), forecast("a", 1e12), forecast("a", 2)])
        await advance(topics, MIDNIGHT)
        await service.quiet()
        (letter,) = [one.event for one in await read_messages(topics, DEAD_LETTERS)]
        assert letter.field == "horizons.0.mean"
        assert len(await placed(topics)) == 1


async def test_the_windows_show_orders_with_their_reasons(
    topics: KafkaSettings, database_url: str
) -> None:
    await sell(topics, "acme", ["a"])
    await publish(topics, [level("a", 1), forecast("a", 2)])
    async with running(topics, database_url) as service:
        await advance(topics, MIDNIGHT)
        await service.quiet()
        (order,) = await placed(topics)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(service.api), base_url="http://test"
        ) as client:
            listed = (await client.get("/v1/purchase-orders", params={"open": True})).json()
            shown = (await client.get(f"/v1/purchase-orders/{order.purchase_order}")).json()
            [position] = (await client.get("/v1/positions/a")).json()
            [covered] = (await client.get("/v1/needs", params={"state": "covered"})).json()
            explained = (await client.get("/v1/explain/a/W1")).json()
            unknown = await client.get("/v1/purchase-orders/nothing")
        assert [one["purchase_order"] for one in listed] == [order.purchase_order]
        assert shown["lines"][0]["reason"]["on_hand"] == 1
        assert position["on_order"] == order.lines[0].quantity
        assert covered["order_line"] == order.lines[0].order_line
        assert (explained["short"], explained["deferred_because"]) == (False, None)
        assert unknown.status_code == 404


async def test_the_desk_changes_orders_once_and_says_what_does_not_fit(
    topics: KafkaSettings, database_url: str
) -> None:
    await sell(topics, "acme", ["a", "b"], unit_cost=3.0)
    await publish(topics, [level("a", 0), level("b", 0), forecast("a", 2), forecast("b", 2)])
    async with running(topics, database_url, Policy(approval_limit=10.0)) as service:
        await advance(topics, MIDNIGHT)
        await service.quiet()
        assert await placed(topics) == []
        (row,) = await service.views.purchase_orders(open_only=True, limit=10)
        path = f"/v1/purchase-orders/{row['purchase_order']}"
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(service.api), base_url="http://test"
        ) as client:
            assert (await client.post(f"{path}/approve", json={})).status_code == 401
            client.headers["X-API-Key"] = "desk-key-1"
            contact = {"channel": "mail", "target": "orders@acme.test"}
            reached = await client.put("/v1/suppliers/acme/contact", json=contact)
            assert reached.status_code == 204
            shown = (await client.get(f"/v1/proposals/{row['purchase_order']}")).json()
            first, second = (line["order_line"] for line in shown["lines"])
            edited = await client.post(f"{path}/edit", json={"lines": {first: 5, second: 0}})
            assert edited.json()["done"] is True
            once = {"Idempotency-Key": "k1"}
            for _ in range(2):
                approved = await client.post(f"{path}/approve", json={"by": "ada"}, headers=once)
                assert approved.status_code == 200
            refused = await client.post(f"{path}/reject", json={})
            assert refused.status_code == 409
            assert refused.json()["detail"] == "it is placed: reject is not possible"
            csv = (await client.get(f"{path}/lines.csv")).text.splitlines()
            whatif = (
                await client.post("/v1/whatif", json={"supplier": "acme", "weekly_budget": 0})
            ).json()
            finance = (await client.get("/v1/finance")).json()
            risks = (await client.get("/v1/risks")).json()
        await service.quiet()
        (order,) = await placed(topics)
        assert [(line.sku, line.quantity) for line in order.lines] == [("a", 5)]
        assert len(csv) == 2
        assert whatif["then"]["lines"] == 0
        assert finance["open_commitments"] == 15.0
        assert {risk["kind"] for risk in risks} <= {"stockout", "single_source"}
        (sending,) = await service.sendings.claim(10, DAY)
        assert (sending.name, sending.attempts) == (order.purchase_order, 1)
        assert await service.sendings.claim(10, DAY) == [], "somebody has it already"
        await service.sendings.failed(sending.name, "no answer", 0 * DAY)
        (sending,) = await service.sendings.claim(10, 0 * DAY)
        await service.sendings.sent(sending.name)
        assert await service.sendings.claim(10, DAY) == []
        needs = await service.views.uncovered_needs("open", 10)
        revisions = {need["sku"]: need["revision"] for need in needs}
        assert revisions == {"a": 1, "b": 2}, "five units are not enough, and b has no line"
