"""A catalogue of two pools, and good requests."""

from datetime import UTC, datetime
from typing import Any

from order_ingest.domain.checks import Known
from order_ingest.domain.privacy import Privacy
from order_ingest.domain.requests import OrderRequest
from order_ingest.handlers import Customers
from order_ingest.store import PostgresRecipients
from restock_common.contracts.catalogue import (
    Catalogue,
    CatalogueEntity,
    Location,
    Pool,
    Product,
    Supplier,
    Vehicle,
)
from restock_common.contracts.ledger import Component, Place
from restock_common.postgres import Database
from restock_common.sealing import Seal

NOW = datetime(2017, 1, 2, 9, tzinfo=UTC)
CHICAGO = Place(latitude=41.88, longitude=-87.63)
HOUSTON = Place(latitude=29.76, longitude=-95.37)
PRIVACY = Privacy("a secret of thirty-two characters", position_decimals=3)
SEAL = Seal({"test": bytes(32)})
BREAKFAST = (Component(sku="tea", quantity=2), Component(sku="milk", quantity=1))


def catalogue(*more: CatalogueEntity) -> Catalogue:
    return Catalogue.of(
        [
            Supplier(supplier="acme"),
            Product(sku="tea", supplier="acme"),
            Product(sku="milk", supplier="acme"),
            Product(sku="breakfast", supplier="acme", components=BREAKFAST),
            Pool(pool="north", shard=1),
            Pool(pool="south", shard=2),
            Pool(pool="empty", shard=3),
            Location(location="n1", pool="north", place=CHICAGO),
            Location(location="n2", pool="north", place=Place(latitude=43.04, longitude=-87.91)),
            Location(location="s1", pool="south", place=HOUSTON),
            Vehicle(vehicle="v1", location="n1", capacity_grams=1000),
            *more,
        ]
    )


def known() -> Known:
    return Known(catalogue(), NOW)


def request(**changes: Any) -> OrderRequest:
    return OrderRequest.model_validate(
        {
            "order": "1",
            "customer": "c",
            "placed_at": NOW,
            "destination": CHICAGO,
            "lines": [{"sku": "tea", "quantity": 2}, {"sku": "milk", "quantity": 1}],
            **changes,
        }
    )


def customers(database: Database) -> Customers:
    return Customers(database, PostgresRecipients(SEAL), PRIVACY)
