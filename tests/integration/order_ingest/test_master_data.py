"""Master data, deliveries, counts and a replay's time through the HTTP door."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.order_ingest.sample import (
    CATALOGUE,
    PLACED_AT,
    SOUTH,
    Ingest,
    on_shards,
    order,
    refused,
)
from tests.support import read_messages, read_records, until

from order_ingest.domain.checks import EARLIEST
from restock_common.contracts.catalogue import Catalogue, Product
from restock_common.contracts.ledger import (
    AssortmentListed,
    GoodsReceived,
    ListedLocation,
    StockCounted,
    TimeAdvanced,
)
from restock_common.contracts.topics import CATALOGUE as CATALOGUE_TOPIC
from restock_common.contracts.topics import LEDGER, SHARDS

pytestmark = pytest.mark.kafka

_AT = PLACED_AT.isoformat()


async def of_type(ingest: Ingest, kind: type[Any]) -> list[Any]:
    messages = await read_messages(ingest.kafka, LEDGER)
    return [one.event for one in messages if isinstance(one.event, kind)]


async def test_what_was_put_is_on_the_compacted_topic(ingest: Ingest) -> None:
    messages = await read_messages(ingest.kafka, CATALOGUE_TOPIC)
    catalogue = Catalogue.of(message.event for message in messages)
    assert set(catalogue.products) >= {"tea", "milk", "a/b:1"}
    assert set(catalogue.pools) == {"north", "south"}
    assert set(catalogue.vehicles) == {"v1"}
    keys = {record.key for record in await read_records(ingest.kafka, CATALOGUE_TOPIC)}
    assert {b"Product:tea", b"Pool:north", b"Location:s1", b"Vehicle:v1"} <= keys


async def test_a_new_product_can_be_ordered_at_once(ingest: Ingest) -> None:
    answer = await ingest.http.put("/v1/products/new%2F1", json={"supplier": "acme"})
    assert answer.status_code == 202
    assert answer.json()["product"] == "new/1"
    lines = [{"sku": "new/1", "quantity": 1}]
    assert (await ingest.http.post("/v1/orders", json=order("n", lines=lines))).status_code == 202


async def test_every_shard_is_told_of_a_product_and_a_location(ingest: Ingest) -> None:
    listed = await on_shards(ingest, AssortmentListed)
    for shard in range(SHARDS):
        told = [event for partition, event in listed if partition == shard]
        skus = {sku for event in told for sku in event.skus}
        assert skus >= {"tea", "milk"}
        assert "breakfast" not in skus
        assert ListedLocation(location="s1", pool="south") in {
            one for event in told for one in event.locations
        }
    answer = await ingest.http.put("/v1/products/listed", json={"supplier": "acme"})
    assert answer.status_code == 202
    await ingest.http.put("/v1/suppliers/unlisted", json={})
    told_of = await on_shards(ingest, AssortmentListed, skus=("listed",))
    assert sorted(shard for shard, _ in told_of) == list(range(SHARDS))
    assert len(await on_shards(ingest, AssortmentListed)) == len(listed) + SHARDS


async def test_a_listing_stands_at_a_time_that_the_log_has_reached(ingest: Ingest) -> None:
    """Of a replay that has not begun: its shards must not learn what year it is here."""
    messages = await read_messages(ingest.kafka, LEDGER)
    first = next(one for one in messages if isinstance(one.event, AssortmentListed))
    assert first.time == EARLIEST


@pytest.mark.parametrize(
    ("component", "value"), [("cocoa", "cocoa"), ("breakfast", "breakfast"), ("set", "set")]
)
async def test_a_kit_is_made_of_products(ingest: Ingest, component: str, value: str) -> None:
    kit = {"supplier": "acme", "components": [{"sku": component, "quantity": 1}]}
    answer = await ingest.http.put("/v1/products/set", json=kit)
    assert refused(answer) == [("components.0.sku", value)]


async def test_a_product_that_was_stocked_cannot_become_a_kit(ingest: Ingest) -> None:
    kit = {"supplier": "acme", "components": [{"sku": "milk", "quantity": 1}]}
    answer = await ingest.http.put("/v1/products/tea", json=kit)
    assert answer.status_code == 409
    assert "'tea'" in answer.json()["detail"]


async def test_the_last_record_of_an_entity_wins(ingest: Ingest) -> None:
    for grams in (100, 250):
        body = {"supplier": "acme", "weight_grams": grams}
        await ingest.http.put("/v1/products/heavy", json=body)
    messages = await read_messages(ingest.kafka, CATALOGUE_TOPIC)
    product = Catalogue.of(message.event for message in messages).products["heavy"]
    assert product == Product(sku="heavy", supplier="acme", weight_grams=250)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("products/x", {"supplier": "nobody"}, "supplier"),
        ("products/x", {"supplier": "acme", "colour": "red"}, "colour"),
        ("products/x", {"supplier": "acme", "sku": "y"}, "sku"),
        ("products/x", {"supplier": "acme", "weight_grams": 0}, "weight_grams"),
        ("products/x", {"supplier": "acme", "unit_cost": "3"}, "unit_cost"),
        ("products/x", {}, "supplier"),
        ("products/x", [], "body"),
        ("locations/x", {"pool": "nowhere", "place": SOUTH}, "pool"),
        ("locations/x", {"pool": "north", "place": {**SOUTH, "z": 1}}, "place.z"),
        ("vehicles/x", {"location": "nowhere", "capacity_grams": 1}, "location"),
        ("pools/x", {"shard": SHARDS}, "shard"),
        ("suppliers/x", {"lead_time_days_mean": 0}, "lead_time_days_mean"),
    ],
)
async def test_wrong_master_data_is_named(
    ingest: Ingest, path: str, body: object, field: str
) -> None:
    answer = await ingest.http.put(f"/v1/{path}", json=body)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_batch_is_written_all_or_none(ingest: Ingest) -> None:
    items = [
        {"sku": "all-1", "supplier": "acme"},
        {"sku": "all-2", "supplier": "nobody"},
        {"sku": "all-3", "supplier": "acme"},
    ]
    answer = await ingest.http.put("/v1/products:batch", json={"items": items})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["items.1.supplier"]
    lines = [{"sku": "all-1", "quantity": 1}]
    assert (await ingest.http.post("/v1/orders", json=order("a", lines=lines))).status_code == 422


async def test_thousands_of_products_fit_in_a_batch(ingest: Ingest) -> None:
    items = [
        {
            "sku": f"many-{number}",
            "name": "An article with a name that is neither short nor very long",
            "category": "household",
            "supplier": "acme",
            "weight_grams": 100 + number,
            "pack_size": 12,
            "minimum_order_quantity": 12,
            "unit_cost": 1.25,
        }
        for number in range(5000)
    ]
    answer = await ingest.http.put("/v1/products:batch", json={"items": items})
    assert answer.status_code == 202, answer.text[:200]
    assert len(answer.json()["items"]) == 5000


async def test_a_pool_stays_on_its_shard_and_a_location_in_its_pool(ingest: Ingest) -> None:
    moved = await ingest.http.put("/v1/pools/north", json={"shard": 3})
    assert moved.status_code == 409
    assert "'north'" in moved.json()["detail"]
    same = await ingest.http.put("/v1/pools/north", json={"shard": 1, "name": "North"})
    assert same.status_code == 202
    location = {"pool": "south", "place": SOUTH}
    assert (await ingest.http.put("/v1/locations/n1", json=location)).status_code == 409
    twice = {"items": [{"pool": "new", "shard": 0}, {"pool": "new", "shard": 3}]}
    assert (await ingest.http.put("/v1/pools:batch", json=twice)).status_code == 409
    beside = await ingest.http.put("/v1/pools/beside", json={"shard": 1})
    assert beside.status_code == 202, "two pools may share a shard"


async def test_a_receipt_goes_to_the_shard_of_its_location(ingest: Ingest) -> None:
    receipt = {
        "receipt": "r-1",
        "location": "s1",
        "received_at": _AT,
        "purchase_order": "po-1",
        "lines": [{"sku": "tea", "quantity": 12, "order_line": "pl-1"}],
    }
    answer = await ingest.http.post("/v1/receipts", json=receipt)
    assert answer.status_code == 202
    assert (answer.json()["receipt"], answer.json()["pool"]) == ("r-1", "south")
    [event] = [one for one in await of_type(ingest, GoodsReceived) if one.receipt == "r-1"]
    assert (event.pool, event.purchase_order, event.lines[0].order_line) == (
        "south",
        "po-1",
        "pl-1",
    )
    records = await read_records(ingest.kafka, LEDGER)
    assert {one.partition for one in records if b'"r-1"' in (one.value or b"")} == {2}


async def test_receipts_are_answered_one_by_one(ingest: Ingest) -> None:
    line = {"sku": "tea", "quantity": 1}
    receipts = [
        {"receipt": "rb-1", "location": "n1", "received_at": _AT, "lines": [line]},
        {"receipt": "rb-2", "location": "mars", "received_at": _AT, "lines": [line]},
        {"receipt": "rb-3", "location": "n1", "received_at": "2099-01-01T00:00Z", "lines": [line]},
        {"receipt": "rb-4", "location": "n1", "received_at": _AT, "lines": []},
    ]
    answer = await ingest.http.post("/v1/receipts:batch", json={"receipts": receipts})
    assert answer.status_code == 207
    items = answer.json()["items"]
    assert [item["status"] for item in items] == [202, 422, 422, 422]
    fields = [item["problem"]["errors"][0]["field"] for item in items[1:]]
    assert fields == ["location", "received_at", "lines"]


async def test_a_count(ingest: Ingest) -> None:
    count: dict[str, Any] = {"count": "c-1", "location": "n2", "counted_at": _AT}
    lines = [{"sku": "tea", "quantity": 0}, {"sku": "milk", "quantity": 9}]
    answer = await ingest.http.post("/v1/counts", json={**count, "lines": lines})
    assert answer.status_code == 202
    [event] = await of_type(ingest, StockCounted)
    assert (event.pool, [line.quantity for line in event.lines]) == ("north", [0, 9])
    twice = await ingest.http.post("/v1/counts", json={**count, "lines": [lines[0], lines[0]]})
    assert [error["field"] for error in twice.json()["errors"]] == ["lines.1.sku"]
    unknown = await ingest.http.post(
        "/v1/counts", json={**count, "lines": [{"sku": "coffee", "quantity": 1}]}
    )
    assert unknown.json()["errors"][0]["value"] == "coffee"


async def test_time_is_said_on_every_shard_and_never_goes_back(ingest: Ingest) -> None:
    now = datetime.now(UTC)
    before = len(await of_type(ingest, TimeAdvanced))
    for _ in range(2):
        answer = await ingest.http.post("/v1/clock", json={"until": now.isoformat()})
        assert answer.status_code == 202, "saying it again does no harm"
    records = await read_records(ingest.kafka, LEDGER)
    said = [one for one in records if b"TimeAdvanced" in dict(one.headers)["ce_type"]]
    assert len(said) == before + 2 * SHARDS
    assert {one.partition for one in said} == set(range(SHARDS))
    assert {dict(one.headers)["ce_source"] for one in said} == {b"/restock/order-ingest/clock"}
    back = {"until": (now - timedelta(hours=1)).isoformat()}
    assert (await ingest.http.post("/v1/clock", json=back)).status_code == 409
    ahead = await ingest.http.post("/v1/clock", json={"until": "2099-01-01T00:00:00Z"})
    assert ahead.json()["errors"][0]["field"] == "until"


async def test_progress_comes_to_rest_at_the_end_of_what_is_read(ingest: Ingest) -> None:
    end = len(await read_records(ingest.kafka, CATALOGUE_TOPIC))

    async def at_rest() -> bool:
        progress = (await ingest.http.get("/v1/progress")).json()
        read = progress["offsets"][CATALOGUE_TOPIC.name]["0"]
        return bool(read == end and progress["unpublished"] == progress["pending"] == 0)

    assert await until(at_rest, what="the catalogue has been read")


async def test_the_description_names_every_kind_of_master_data(ingest: Ingest) -> None:
    description = (await ingest.http.get("/openapi.json")).json()
    assert {f"/v1/{kind}:batch" for kind in CATALOGUE} <= set(description["paths"])
    schemas = set(description["components"]["schemas"])
    assert {"OrderRequest", "Product", "CountRequest", "HoldRequest", "PolicyRequest"} <= schemas
    assert "delete" in description["paths"]["/v1/holds/{hold}"]


async def test_requests_are_measured_by_the_template_of_their_route(ingest: Ingest) -> None:
    await ingest.http.put("/v1/products/measured", json={"supplier": "acme"})
    metrics = (await ingest.http.get("/metrics")).text
    assert 'method="PUT",route="/v1/products/{entity:path}",status="202"' in metrics
    assert 'restock_taken_in_items_total{kind="order",outcome="accepted"}' in metrics
