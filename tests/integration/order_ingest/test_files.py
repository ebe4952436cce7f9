"""`restock ingest` against the running service: killed in the middle, and a whole catalogue."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.integration.order_ingest.sample import Ingest, order
from tests.support import read_messages, until

from restock_common.contracts.catalogue import Catalogue, Product
from restock_common.contracts.ledger import OrderPlaced
from restock_common.contracts.topics import CATALOGUE, LEDGER, PROMOTIONS

pytestmark = pytest.mark.kafka

_ORDERS = 6_000


async def command(
    ingest: Ingest, *arguments: str | Path, key: str | None = None
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "restock",
        "ingest",
        *arguments,
        *("--url", ingest.url, "--key", key or ingest.http.headers["X-API-Key"]),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    told, _ = await process.communicate()
    return process.returncode, told.decode()


async def test_a_file_whose_sender_is_killed_arrives_once(ingest: Ingest, tmp_path: Path) -> None:
    lines = [{"sku": "tea", "quantity": 1}]
    orders: list[Any] = [order(f"file-{n}", lines=lines) for n in range(_ORDERS)]
    orders[3] = order("file-3", lines=[{"sku": "cocoa", "quantity": 1}])
    path = tmp_path / "orders.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in orders) + "{\n")
    state = tmp_path / "orders.ndjson.ingest.json"
    killed = await command(ingest, path)
    await until(lambda: asyncio.to_thread(state.exists), what="the first answers", every_s=0.005)
    killed.send_signal(signal.SIGKILL)
    await ended(killed)
    code, told = await ended(await command(ingest, path))
    assert code == 1, told
    assert f"{_ORDERS - 1:,} orders taken, 2 refused" in told
    ids: dict[str, set[str]] = {}
    for one in await read_messages(ingest.kafka, LEDGER):
        if isinstance(one.event, OrderPlaced):
            ids.setdefault(one.event.order, set()).add(one.id)
    assert ids.keys() == {f"{ingest.shop}:file-{n}" for n in range(_ORDERS)} - {"demo:file-3"}
    assert {len(found) for found in ids.values()} == {1}
    refused = [
        json.loads(line)
        for line in (tmp_path / "orders.ndjson.refused.ndjson").read_text().splitlines()
    ]
    assert [one["line"] for one in refused] == [4, _ORDERS + 1]
    assert refused[0]["errors"][0]["field"] == "lines.0.sku"
    code, told = await ended(await command(ingest, path))
    assert (code, "2 refused" in told) == (1, True), "what is done is only told again"


async def test_a_key_that_is_not_known_stops_it(ingest: Ingest, tmp_path: Path) -> None:
    path = tmp_path / "orders.ndjson"
    path.write_text(json.dumps(order("keyless")) + "\n")
    code, told = await ended(await command(ingest, path, key="not-a-known-key"))
    assert (code, "401" in told) == (2, True)


async def test_a_catalogue_is_taken_as_a_whole_or_not_at_all(
    ingest: Ingest, tmp_path: Path
) -> None:
    path = tmp_path / "catalogue.yaml"
    good = """
suppliers:
  - supplier: brewery
terms:
  - {terms: brewery-all, supplier: brewery, minimum_order_value: 250.0, order_weekdays: [0, 3]}
products:
  - {sku: ale, supplier: brewery, unit_cost: 1.5, barcodes: ["4006381333931"]}
  - {sku: ale, supplier: brewery, unit_cost: 1.75, effective_from: 2099-01-01}
promotions:
  - {promotion: oktoberfest, sku: ale, starts_on: 2099-09-20, ends_on: 2099-10-05, price: 2.0}
prices:
  - {sku: ale, effective_from: 2099-01-01, price: 3.1}
series:
  - {series: temperature, day: 2026-11-22, value: -1.5}
"""
    path.write_text(good.replace("supplier: brewery, unit_cost: 1.5", "supplier: nobody"))
    before = await read_messages(ingest.kafka, CATALOGUE)
    code, told = await ended(await command(ingest, "--catalogue", path))
    assert code == 1
    assert "products.0.supplier: is not in the catalogue: 'nobody'" in told
    assert await read_messages(ingest.kafka, CATALOGUE) == before
    path.write_text(good)
    code, told = await ended(await command(ingest, "--catalogue", path))
    assert (code, told) == (
        0,
        "Taken: 1 suppliers, 2 products, 1 terms, 1 series, 1 promotions, 1 prices.\n",
    )
    catalogue = Catalogue.of(one.event for one in await read_messages(ingest.kafka, CATALOGUE))
    assert catalogue.products["ale"].unit_cost == 1.5
    assert [one.unit_cost for one in catalogue.versions(Product, "ale")] == [1.5, 1.75]
    plans = await read_messages(ingest.kafka, PROMOTIONS)
    assert [type(one.event).__name__ for one in plans] == ["Promotion", "Price"]
    ordered = await ingest.http.post(
        "/v1/orders", json=order("ale", lines=[{"sku": "ale", "quantity": 1}])
    )
    assert ordered.status_code == 202


async def test_a_plan_changes_nothing_before_its_day(ingest: Ingest) -> None:
    planned = {"supplier": "acme", "effective_from": "2099-01-01"}
    answer = await ingest.http.put("/v1/products/later", json=planned)
    assert answer.status_code == 202
    early = order("early", lines=[{"sku": "later", "quantity": 1}])
    assert (await ingest.http.post("/v1/orders", json=early)).status_code == 422
    price = {"effective_from": "2099-01-01", "price": 2}
    assert (await ingest.http.put("/v1/prices/later", json=price)).status_code == 202
