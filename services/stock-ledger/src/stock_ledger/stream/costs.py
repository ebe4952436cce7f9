"""What units cost, from the catalogue."""

from restock_common.runtime.catalogue import CatalogueReader


class CatalogueCosts:
    """Answers from the master data as it has been read."""

    def __init__(self, reader: CatalogueReader) -> None:
        self._reader = reader

    def unit_cost(self, sku: str) -> float:
        """Return the cost of one unit in money; 0 where it is not known."""
        product = self._reader.catalogue.products.get(sku)
        return 0.0 if product is None else product.unit_cost
