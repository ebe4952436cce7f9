"""restock.catalogue.v1: master data, as records and as it stands."""

from restock_common.contracts.catalogue.entities import (
    CatalogueEntity,
    DatedEntity,
    Location,
    Pool,
    PriceBreak,
    Product,
    SeriesValue,
    Supplier,
    SupplierTerms,
)
from restock_common.contracts.catalogue.fleet import Carrier, DriverBreak, Vehicle
from restock_common.contracts.catalogue.state import Catalogue, barcode_of

__all__ = [
    "Carrier",
    "Catalogue",
    "CatalogueEntity",
    "DatedEntity",
    "DriverBreak",
    "Location",
    "Pool",
    "PriceBreak",
    "Product",
    "SeriesValue",
    "Supplier",
    "SupplierTerms",
    "Vehicle",
    "barcode_of",
]
