"""A small made-up shop for docker-compose.yml's profile `demo`: stocks it, then sells for ever.

Runs in order-ingest's image with what Python has. `ORDERS_PER_S` orders a second, one unit each, by
Zipf's law over `PRODUCTS` products; shelves are filled up once an hour.
"""

import json
import os
import random
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime

_URL = os.environ["RESTOCK_URL"].rstrip("/")
_KEY = os.environ["RESTOCK_KEY"]
_ORDERS_PER_S = float(os.environ.get("ORDERS_PER_S", "5"))
_PRODUCTS = int(os.environ.get("PRODUCTS", "50"))
_UNITS = 2_000
_REFILL_S = 3600.0
_PATIENCE_S = 120.0
_PLACE = {"latitude": 50.11, "longitude": 8.68}


def main() -> None:
    """Stock the shop, then sell until the process is ended."""
    skus = [f"tea-{number}" for number in range(1, _PRODUCTS + 1)]
    weights = [1 / number for number in range(1, _PRODUCTS + 1)]
    run = f"{time.time():.0f}"
    for path, items in master_data(skus):
        send("PUT", path, {"items": items})
    chance = random.Random(int(run))  # noqa: S311 - nobody's secret
    filled_at, number = float("-inf"), 0
    due = time.monotonic()
    while True:
        if time.monotonic() - filled_at > _REFILL_S:
            fill(skus)
            filled_at = time.monotonic()
        number += 1
        (sku,) = chance.choices(skus, weights)
        send("POST", "/v1/orders", order(f"{run}-{number}", sku))
        due += 1 / _ORDERS_PER_S
        time.sleep(max(0.0, due - time.monotonic()))


def master_data(skus: list[str]) -> list[tuple[str, list[dict[str, object]]]]:
    """Return one warehouse and what is sold from it."""
    location: dict[str, object] = {
        "location": "main",
        "name": "Main warehouse",
        "pool": "home",
        "place": _PLACE,
    }
    return [
        ("/v1/pools:batch", [{"pool": "home", "shard": 0}]),
        ("/v1/locations:batch", [location]),
        (
            "/v1/suppliers:batch",
            [{"supplier": "wholesale", "name": "Wholesale", "lead_time_days_mean": 3}],
        ),
        (
            "/v1/products:batch",
            [{"sku": sku, "name": sku, "category": "tea", "supplier": "wholesale"} for sku in skus],
        ),
    ]


def fill(skus: list[str]) -> None:
    """Count the shelves as full."""
    now = moment()
    lines = [{"sku": sku, "quantity": _UNITS} for sku in skus]
    count = {"count": f"full-{now}", "location": "main", "counted_at": now, "lines": lines}
    send("POST", "/v1/counts", count)


def order(number: str, sku: str) -> dict[str, object]:
    """Return one order as a storefront sends it."""
    return {
        "order": number,
        "customer": f"customer-{hash(number) % 1000}",
        "placed_at": moment(),
        "destination": _PLACE,
        "lines": [{"sku": sku, "quantity": 1}],
    }


def moment() -> str:
    """Return now as RFC 3339 says it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def send(method: str, path: str, body: object) -> None:
    """Send one thing, again and again while the door says that it cannot take it now."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        request = urllib.request.Request(  # noqa: S310 - the URL is the operator's
            _URL + path,
            data=json.dumps(body).encode(),
            method=method,
            headers={"X-API-Key": _KEY, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - as above
                return
        except urllib.error.HTTPError as error:
            if error.code not in {429, 503} or time.monotonic() > deadline:
                sys.exit(f"{method} {path}: {error.code} {error.read().decode()[:500]}")
        except OSError as error:
            if time.monotonic() > deadline:
                sys.exit(f"{method} {path}: {error}")
        time.sleep(1)


if __name__ == "__main__":
    main()
