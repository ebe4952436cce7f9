"""A small world for the door: its catalogue, a good order, and the running service."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from tests.support import read_records

from restock_common.contracts import TYPES
from restock_common.contracts.envelope import decode
from restock_common.contracts.topics import LEDGER
from restock_common.settings import KafkaSettings
from restock_local.supervisor import SHOP

PLACED_AT = datetime(2017, 1, 2, 9, tzinfo=UTC)

NORTH = {"latitude": 41.9, "longitude": -87.6}
SOUTH = {"latitude": 29.8, "longitude": -95.4}

CATALOGUE: dict[str, list[dict[str, Any]]] = {
    "suppliers": [{"supplier": "acme"}],
    "products": [
        *({"sku": sku, "supplier": "acme"} for sku in ("tea", "milk", "a/b:1")),
        {
            "sku": "breakfast",
            "supplier": "acme",
            "components": [{"sku": "tea", "quantity": 2}, {"sku": "milk", "quantity": 1}],
        },
    ],
    "pools": [{"pool": "north", "shard": 1}, {"pool": "south", "shard": 2}],
    "locations": [
        {"location": "n1", "pool": "north", "place": NORTH},
        {"location": "n2", "pool": "north", "place": {"latitude": 42.3, "longitude": -87.9}},
        {"location": "s1", "pool": "south", "place": SOUTH},
    ],
    "vehicles": [{"vehicle": "v1", "location": "n1", "capacity_grams": 900_000}],
}


@dataclass(frozen=True, slots=True)
class Ingest:
    """The running service: its door with a good key, and its broker."""

    http: httpx.AsyncClient
    kafka: KafkaSettings
    url: str
    shop: str = SHOP
    database_url: str = ""


def order(number: str, **changes: Any) -> dict[str, Any]:
    """Return a good order of two lines, near the northern pool."""
    return {
        "order": number,
        "customer": "household-1",
        "placed_at": PLACED_AT.isoformat(),
        "destination": {"latitude": 41.8, "longitude": -87.7},
        "lines": [{"sku": "tea", "quantity": 2}, {"sku": "milk", "quantity": 1}],
        **changes,
    }


async def on_shards(ingest: Ingest, kind: type[Any], **fields: Any) -> list[tuple[int, Any]]:
    """Return the ledger's events of a kind that have these fields, each with its shard."""
    found = []
    for record in await read_records(ingest.kafka, LEDGER):
        message = decode(record, TYPES)
        if isinstance(message.event, kind) and all(
            getattr(message.event, name) == value for name, value in fields.items()
        ):
            found.append((record.partition, message.event))
    return found


def refused(answer: httpx.Response) -> list[tuple[str, object]]:
    """Return the field and value of everything that a problem finds fault with."""
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return [(error["field"], error["value"]) for error in answer.json()["errors"]]
