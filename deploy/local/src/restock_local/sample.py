"""A small made-up shop: what `restock up` starts with, and what benchmarks send orders to."""

from datetime import datetime

import orjson

from restock_common.contracts.catalogue import CatalogueEntity, Product, Supplier
from restock_local.demo.door import Door
from restock_local.demo.geography import LOCATIONS, POOLS, VEHICLES

_SUPPLIER = Supplier(supplier="wholesale", name="Wholesale", lead_time_days_mean=3)


def sample_products(count: int) -> list[Product]:
    """Return so many products, of one supplier: tea-1, tea-2 and so on."""
    return [
        Product(sku=f"tea-{n}", name=f"Tea no. {n}", category="tea", supplier=_SUPPLIER.supplier)
        for n in range(1, count + 1)
    ]


async def stock_shop(
    door: Door, products: list[Product], *, units: int, counted_at: datetime
) -> None:
    """Send master data, and a count of every product at every warehouse.

    Args:
        door: Order-ingest's.
        products: What is sold.
        units: How many of each stand at each warehouse.
        counted_at: The time of the counts.
    """
    entities: dict[str, list[CatalogueEntity]] = {
        "pools": list(POOLS),
        "locations": list(LOCATIONS),
        "suppliers": [_SUPPLIER],
        "vehicles": list(VEHICLES),
        "products": list(products),
    }
    for kind, items in entities.items():
        whole = {"items": [item.model_dump(mode="json") for item in items]}
        await door.put(f"/v1/{kind}:batch", orjson.dumps(whole))
    lines = [{"sku": product.sku, "quantity": units} for product in products]
    for location in LOCATIONS:
        count = {
            "count": f"opening-{location.location}",
            "location": location.location,
            "counted_at": counted_at,
            "lines": lines,
        }
        await door.post("/v1/counts", orjson.dumps(count))


def sample_order(number: str, *, placed_at: datetime, sku: str) -> bytes:
    """Return one order as a storefront sends it: one unit, to a place near the first warehouse."""
    place = LOCATIONS[0].place
    return orjson.dumps(
        {
            "order": number,
            "customer": "you",
            "placed_at": placed_at,
            "destination": {"latitude": place.latitude, "longitude": place.longitude},
            "lines": [{"sku": sku, "quantity": 1}],
        }
    )
