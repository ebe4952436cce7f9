"""Master data of products and suppliers, from what the data set says of a product."""

import re

from restock_common.contracts.catalogue import Product, Supplier
from restock_local.demo import chance

SUPPLIERS = 24
"""Manufacturers of the data set share these suppliers, so that an order has several lines."""

_GRAMS = {
    "OZ": 28.35,
    "LB": 453.6,
    "ML": 1.0,
    "L": 1000.0,
    "PT": 473.0,
    "QT": 946.0,
    "GAL": 3785.0,
    "GA": 3785.0,
}
_SIZE = re.compile(
    r"(?:(?P<packs>\d+)\s*(?:PK)?\s*/\s*)?(?P<number>\d*\.?\d+)\s*(?:FL\s*)?"
    r"(?P<unit>OZ|LB|ML|L|PT|QT|GAL|GA)\b"
)
_LIGHTEST_GRAMS, _HEAVIEST_GRAMS = 10, 15_000
_DEPARTMENT_GRAMS = {
    "GROCERY": 450,
    "DRUG GM": 250,
    "PRODUCE": 700,
    "COSMETICS": 120,
    "NUTRITION": 350,
    "MEAT": 900,
    "MEAT-PCKGD": 450,
    "DELI": 400,
    "PASTRY": 400,
    "FLORAL": 600,
    "SPIRITS": 1200,
    "GARDEN CENTER": 4000,
}
_OTHER_DEPARTMENT_GRAMS = 500


def weight_grams(package_size: str | None, department: str) -> int:
    """Return what a product weighs, in grams: read from its package size, or its department's.

    Liquids count as water. A size beyond 15 kg is not a weight (a bag for 30 gallons).
    """
    found = _SIZE.search(package_size or "")
    if found is not None:
        grams = float(found["number"]) * _GRAMS[found["unit"]] * int(found["packs"] or 1)
        if _LIGHTEST_GRAMS <= grams <= _HEAVIEST_GRAMS:
            return round(grams)
    return _DEPARTMENT_GRAMS.get(department, _OTHER_DEPARTMENT_GRAMS)


def supplier_of(manufacturer: int) -> str:
    """Return the supplier that delivers a manufacturer's products."""
    return f"supplier-{chance.pick(SUPPLIERS, 'manufacturer', manufacturer) + 1:02d}"


def product(
    sku: str, manufacturer: int, department: str, name: str | None, package_size: str | None
) -> Product:
    """Return the master data of one product."""
    draw = chance.uniform("pack", sku)
    return Product(
        sku=sku,
        name=name or department.title(),
        category=department,
        supplier=supplier_of(manufacturer),
        weight_grams=weight_grams(package_size, department),
        pack_size=1 if draw < 0.6 else 6 if draw < 0.9 else 12,  # noqa: PLR2004 - shares of packs
    )


def suppliers() -> tuple[Supplier, ...]:
    """Return the suppliers, with what a buyer believes of them before the first delivery."""
    return tuple(
        Supplier(
            supplier=(name := f"supplier-{number:02d}"),
            name=f"Supplier {number}",
            lead_time_days_mean=round(chance.between(0.8, 4.5, "lead-time", name), 1),
            lead_time_days_sd=round(chance.between(0.2, 1.0, "lead-time-sd", name), 1),
        )
        for number in range(1, SUPPLIERS + 1)
    )
