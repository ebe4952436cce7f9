"""On what terms suppliers sell, found by supplier and sku: a sku's own go before the supplier's."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from restock_common.contracts.catalogue import Catalogue, SupplierTerms

_DETAILS = frozenset(SupplierTerms.model_fields) - {"terms", "supplier", "sku", "effective_from"}


@dataclass(slots=True)
class SupplierTermsIndex:
    """Finds terms in the catalogue as it stands, field by field; made anew where it has changed."""

    catalogue: Catalogue
    _seen: tuple[int, date] | None = None
    _found: dict[tuple[str, str | None], SupplierTerms] = field(default_factory=dict)
    _sources: dict[str, set[str]] = field(default_factory=dict)

    def of(self, supplier: str, sku: str | None = None) -> SupplierTerms | None:
        """Return the terms of a sku, or those of all that a supplier sells."""
        self._look_again()
        general = self._found.get((supplier, None))
        special = None if sku is None else self._found.get((supplier, sku))
        if special is None or general is None:
            return special or general
        told: dict[str, Any] = {
            name: value
            for name in _DETAILS
            if (value := getattr(special, name)) is not None and value != ()
        }
        return general.model_copy(update={**told, "sku": sku})

    def sources(self, sku: str) -> frozenset[str]:
        """Return the suppliers that have told their terms for a sku."""
        self._look_again()
        return frozenset(self._sources.get(sku, ()))

    def _look_again(self) -> None:
        if self._seen == (self.catalogue.changes, self.catalogue.as_of):
            return
        self._found, self._sources = {}, {}
        for _, one in sorted(self.catalogue.terms.items(), reverse=True):
            self._found[one.supplier, one.sku] = one
            if one.sku is not None:
                self._sources.setdefault(one.sku, set()).add(one.supplier)
        self._seen = (self.catalogue.changes, self.catalogue.as_of)
