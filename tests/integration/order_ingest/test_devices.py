"""Scanners through the whole service: by HTTP, and by MQTT into Kafka."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import pytest
from tests.integration.order_ingest.mosquitto import mosquitto, needs_mosquitto
from tests.integration.order_ingest.sample import PLACED_AT, Ingest, on_shards, refused
from tests.support import read_letters, read_messages, until

from restock_common.contracts.dead_letters import DeadLetter
from restock_common.contracts.ledger import GoodsReceived, StockCounted
from restock_common.contracts.topics import LEDGER
from restock_common.transact import Enclosed

pytestmark = [pytest.mark.kafka, needs_mosquitto]

_AT = PLACED_AT.isoformat()
_BARCODE = "036000291452"


@pytest.fixture(scope="module")
def ingest_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return where devices publish."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as port:
        yield {"RESTOCK_MQTT_URL": f"mqtt://127.0.0.1:{port}"}


@pytest.fixture
async def device(ingest: Ingest, ingest_environment: dict[str, str]) -> Any:
    """Return a device that may publish."""
    body = {"supplier": "acme", "barcodes": [_BARCODE, "SHELF-7"]}
    assert (await ingest.http.put("/v1/products/tea", json=body)).status_code == 202
    port = urlsplit(ingest_environment["RESTOCK_MQTT_URL"]).port
    assert port is not None
    async with aiomqtt.Client("127.0.0.1", port) as client:
        yield client


def scan(sequence: int, **changes: Any) -> dict[str, Any]:
    told = {"sequence": sequence, "kind": "receipt", "barcode": _BARCODE, "quantity": 6}
    return {**told, "scanned_at": _AT, **changes}


async def event_ids(ingest: Ingest, kind: type[Any], field: str, value: str) -> list[str]:
    messages = await read_messages(ingest.kafka, LEDGER)
    return [
        one.id
        for one in messages
        if isinstance(one.event, kind) and getattr(one.event, field) == value
    ]


@pytest.mark.usefixtures("device")
async def test_a_scan_by_http(ingest: Ingest) -> None:
    body = {"device": "gun-1", "location": "n1", **scan(7, barcode="0" + _BARCODE, lot="L1")}
    answers = [await ingest.http.post("/v1/scans", json=body) for _ in range(2)]
    assert [one.status_code for one in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    (_, event), _ = await on_shards(ingest, GoodsReceived, receipt="scan:gun-1:7")
    assert [(one.sku, one.quantity, one.lot) for one in event.lines] == [("tea", 6, "L1")]
    assert len(set(await event_ids(ingest, GoodsReceived, "receipt", "scan:gun-1:7"))) == 1


@pytest.mark.usefixtures("device")
async def test_scans_of_a_batch_are_answered_one_by_one(ingest: Ingest) -> None:
    place = {"device": "gun-2", "location": "s1"}
    scans = [
        {**place, **scan(1, kind="count", quantity=0, barcode="SHELF-7")},
        {**place, **scan(2, barcode="nobody's")},
        {**place, **scan(3, quantity=0)},
        {**place, **scan(4, sku="tea")},
    ]
    answer = await ingest.http.post("/v1/scans:batch", json={"scans": scans})
    assert answer.status_code == 207
    items = answer.json()["items"]
    assert [one["status"] for one in items] == [202, 422, 422, 422]
    fields = [one["problem"]["errors"][0]["field"] for one in items[1:]]
    assert fields == ["barcode", "quantity", "body"]
    [(shard, counted)] = await on_shards(ingest, StockCounted, count="scan:gun-2:1")
    assert (shard, counted.lines[0].quantity) == (2, 0)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"location": "mars"}, ("location", "mars")),
        ({"scanned_at": "1999-01-01T00:00:00Z"}, ("scanned_at", "1999-01-01T00:00:00+00:00")),
        ({"barcode": None, "sku": "breakfast"}, ("sku", "breakfast")),
        ({"kind": "count", "order_line": "1"}, ("body", None)),
    ],
)
@pytest.mark.usefixtures("device")
async def test_a_wrong_scan(
    ingest: Ingest, changes: dict[str, Any], found: tuple[str, object]
) -> None:
    body = {"device": "gun-3", "location": "n1", **scan(1, **changes)}
    [(field, value)] = refused(await ingest.http.post("/v1/scans", json=body))
    assert (field, found[1] and value) == found


async def test_what_devices_publish_is_counted_once(ingest: Ingest, device: Any) -> None:
    count = {"count": "c-1", "counted_at": _AT, "lines": [{"sku": "tea", "quantity": 3}]}
    for _ in range(2):
        await device.publish("restock/n1/gun-4/scans", json.dumps(scan(1)), qos=1)
        await device.publish("restock/s1/gun-4/counts", json.dumps(count), qos=1)

    async def both() -> bool:
        scans = await event_ids(ingest, GoodsReceived, "receipt", "scan:gun-4:1")
        counts = await event_ids(ingest, StockCounted, "count", "gun-4:c-1")
        return len(scans) == len(counts) == 2 and len({*scans, *counts}) == 2

    await until(both, what="both, twice, under one id each")


async def test_what_cannot_be_taken_is_a_dead_letter(ingest: Ingest, device: Any) -> None:
    wrong = {
        "restock/n1/gun-5/scans": b"{",
        "restock/mars/gun-5/scans": json.dumps(scan(1)).encode(),
        "restock/n1/gun-5/counts": json.dumps({"location": "s1"}).encode(),
    }
    for topic, payload in wrong.items():
        await device.publish(topic, payload, qos=1)

    async def letters() -> dict[str, tuple[DeadLetter, Enclosed]]:
        found = await read_letters(ingest.kafka)
        return {one[0].source_topic: one for one in found} if len(found) >= len(wrong) else {}

    found = await until(letters, what="three dead letters")
    assert {name: one.field for name, (one, _) in found.items()} == {
        "mqtt:restock/n1/gun-5/scans": "body",
        "mqtt:restock/mars/gun-5/scans": "location",
        "mqtt:restock/n1/gun-5/counts": "location",
    }
    letter, held = found["mqtt:restock/n1/gun-5/counts"]
    assert "'n1'" in held.reason
    assert "n1" not in letter.reason
    assert held.body == wrong["restock/n1/gun-5/counts"]
