"""A purchase order as CSV, for suppliers that want a file."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

COLUMNS = (
    "purchase_order",
    "supplier",
    "location",
    "expected_at",
    "order_line",
    "sku",
    "quantity",
    "unit_cost",
)


def csv_of(order: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> str:
    """Return an order as CSV (RFC 4180), a row for each line with units that are still wanted."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    expected_at = order["expected_at"]
    for line in lines:
        wanted = line["quantity"] - line["cancelled"]
        if wanted > 0:
            writer.writerow(
                (
                    order["purchase_order"],
                    order["supplier"],
                    order["location"],
                    "" if expected_at is None else expected_at.isoformat(),
                    line["order_line"],
                    line["sku"],
                    wanted,
                    line["reason"].get("unit_cost") or "",
                )
            )
    return text.getvalue()
