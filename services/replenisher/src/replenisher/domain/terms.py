"""On what terms a sku is bought: the catalogue's word, and what receipts taught of the supplier."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from replenisher.domain.lead_time import LeadTime, LeadTimeRecord
from replenisher.domain.policies.segments import PolicyBook
from replenisher.domain.policy import orderable
from restock_common.contracts.catalogue import Catalogue, Product, Supplier

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Policy:
    """The house's own choices.

    Attributes:
        cover_days: How long one order should last beyond the reorder point.
        lead_time_prior_weight: How many observed lead times the catalogue's belief is worth.
        policies: Which policy each segment uses.
        order_line_cost: What placing one order line costs, in money.
    """

    cover_days: float = 7.0
    lead_time_prior_weight: float = 5.0
    policies: PolicyBook = field(default_factory=PolicyBook)
    order_line_cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Terms:
    """How one sku is bought.

    Attributes:
        supplier: Who delivers.
        lead_time: From order to receipt, as estimated now.
        review_period_days: How often this supplier is ordered from.
        cycle_service_level: P(no stockout in a cycle) wanted.
        minimum_order_quantity: In units.
        pack_size: In units.
        deferral: Why nothing can be ordered; None where it can.
    """

    supplier: str
    lead_time: LeadTime
    review_period_days: float
    cycle_service_level: float
    minimum_order_quantity: int
    pack_size: int
    deferral: str | None

    @property
    def protection_interval_days(self) -> float:
        """Return lead time + review period, in days."""
        return self.lead_time.mean_days + self.review_period_days


@dataclass(slots=True)
class TermsBook:
    """Looks terms up, each sku's once; make a new one for each batch.

    What the catalogue does not know is assumed (one supplier with the contract's defaults), so
    that a shortage is still seen and stays deferred with that reason.
    """

    catalogue: Catalogue
    lead_times: Mapping[str, LeadTimeRecord]
    policy: Policy
    _known: dict[str, Terms] = field(default_factory=dict)
    _estimates: dict[str, LeadTime] = field(default_factory=dict)

    def of(self, sku: str) -> Terms:
        """Return the terms of a sku."""
        terms = self._known.get(sku)
        if terms is None:
            terms = self._known[sku] = self._look_up(sku)
        return terms

    def _look_up(self, sku: str) -> Terms:
        product = self.catalogue.products.get(sku)
        deferral = None
        if product is None:
            deferral = f"unknown product {sku!r}"
            product = Product(sku=sku, supplier=_UNKNOWN)
        supplier = self.catalogue.suppliers.get(product.supplier)
        if supplier is None:
            deferral = deferral or f"unknown supplier {product.supplier!r}"
            supplier = Supplier(supplier=product.supplier)
        if not orderable(product.minimum_order_quantity, product.pack_size):
            deferral = deferral or (
                f"the minimum order of {product.minimum_order_quantity} in packs of "
                f"{product.pack_size} does not fit on one order line"
            )
        return Terms(
            supplier=supplier.supplier,
            lead_time=self._lead_time(supplier),
            review_period_days=supplier.review_period_days,
            cycle_service_level=supplier.cycle_service_level,
            minimum_order_quantity=product.minimum_order_quantity,
            pack_size=product.pack_size,
            deferral=deferral,
        )

    def _lead_time(self, supplier: Supplier) -> LeadTime:
        estimate = self._estimates.get(supplier.supplier)
        if estimate is None:
            record = self.lead_times.get(supplier.supplier, LeadTimeRecord())
            prior = LeadTime(supplier.lead_time_days_mean, supplier.lead_time_days_sd)
            estimate = record.estimate(prior, self.policy.lead_time_prior_weight)
            self._estimates[supplier.supplier] = estimate
        return estimate
