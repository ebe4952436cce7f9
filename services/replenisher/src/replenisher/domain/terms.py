"""On what terms a sku is bought: the catalogue's word, and what receipts taught of the supplier."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from replenisher.domain.lead_time import LeadTime, LeadTimeRecord
from replenisher.domain.policies.segments import PolicyBook
from replenisher.domain.policy import orderable
from replenisher.domain.supplier_terms import SupplierTermsIndex
from restock_common.contracts.catalogue import Catalogue, Product, Supplier, SupplierTerms

UNKNOWN = "unknown"
"""The supplier of what the catalogue does not know."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The house's own choices.

    Attributes:
        cover_days: How long one order should last beyond the reorder point.
        lead_time_prior_weight: How many observed lead times the catalogue's belief is worth.
        policies: Which policy each segment uses.
        order_line_cost: What placing one order line costs, in money.
        holding_rate_per_year: What a unit costs that lies for a year, as a share of its cost.
        approval_limit: Orders worth more wait for somebody's approval; None: no order does.
        forecast_age_days_max: What has an older forecast is held out of planning.
    """

    cover_days: float = 7.0
    lead_time_prior_weight: float = 5.0
    policies: PolicyBook = field(default_factory=PolicyBook)
    order_line_cost: float = 0.0
    holding_rate_per_year: float = 0.25
    approval_limit: float | None = None
    forecast_age_days_max: float = 90.0


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
        unit_cost: Of one unit, in money, before price breaks.
        price_breaks: (units, unit cost) from so many units on, ascending.
        pallet_units: Of a full pallet; None where there are no pallets.
        shelf_life_days: That it can be sold for after it has come; None for ever.
        unit_price: What it is sold at; None where that is not known.
    """

    supplier: str
    lead_time: LeadTime
    review_period_days: float
    cycle_service_level: float
    minimum_order_quantity: int
    pack_size: int
    deferral: str | None
    unit_cost: float = 0.0
    price_breaks: tuple[tuple[int, float], ...] = ()
    pallet_units: int | None = None
    shelf_life_days: int | None = None
    unit_price: float | None = None

    @property
    def smallest_lot(self) -> int:
        """Return the fewest units that can be ordered: whole packs that reach the minimum."""
        return -(-self.minimum_order_quantity // self.pack_size) * self.pack_size

    def unit_cost_of(self, quantity: int) -> float:
        """Return what one unit costs where so many are ordered."""
        cost = self.unit_cost
        for units, lower in self.price_breaks:
            if quantity >= units:
                cost = lower
        return cost

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
    index: SupplierTermsIndex | None = None
    _known: dict[str, Terms] = field(default_factory=dict)
    _estimates: dict[tuple[str, LeadTime], LeadTime] = field(default_factory=dict)

    def of(self, sku: str) -> Terms:
        """Return the terms of a sku."""
        terms = self._known.get(sku)
        if terms is None:
            terms = self._known[sku] = self._look_up(sku)
        return terms

    def conditions(self, supplier: str, sku: str | None = None) -> SupplierTerms:
        """Return what a supplier has told of its terms, perhaps nothing."""
        if self.index is None:
            self.index = SupplierTermsIndex(self.catalogue)
        return self.index.of(supplier, sku) or SupplierTerms(terms="none", supplier=supplier)

    def single_source(self, sku: str) -> bool:
        """Return whether nobody but its supplier has told terms for a sku."""
        if self.index is None:
            self.index = SupplierTermsIndex(self.catalogue)
        return not self.index.sources(sku) - {self.of(sku).supplier}

    def _look_up(self, sku: str) -> Terms:
        product = self.catalogue.products.get(sku)
        deferral = None
        if product is None:
            deferral = f"unknown product {sku!r}"
            product = Product(sku=sku, supplier=UNKNOWN)
        supplier = self.catalogue.suppliers.get(product.supplier)
        if supplier is None:
            deferral = deferral or f"unknown supplier {product.supplier!r}"
            supplier = Supplier(supplier=product.supplier)
        told = self.conditions(supplier.supplier, sku)
        minimum = told.minimum_order_quantity or product.minimum_order_quantity
        pack = told.pack_size or product.pack_size
        cost = product.unit_cost if told.unit_cost is None else told.unit_cost
        mean = told.lead_time_days_mean or supplier.lead_time_days_mean
        sd = (
            supplier.lead_time_days_sd if told.lead_time_days_sd is None else told.lead_time_days_sd
        )
        deferral = deferral or _unsound(minimum, pack, cost, mean, sd)
        if deferral is not None:  # figures that no sum can be done with stay out of all sums
            cost, mean, sd = max(0.0, cost), mean if mean > 0 else 1.0, max(0.0, sd)
        return Terms(
            supplier=supplier.supplier,
            lead_time=self._lead_time(supplier.supplier, LeadTime(mean, sd)),
            review_period_days=supplier.review_period_days,
            cycle_service_level=supplier.cycle_service_level,
            minimum_order_quantity=minimum,
            pack_size=pack,
            deferral=deferral,
            unit_cost=cost,
            price_breaks=tuple((one.from_units, one.unit_cost) for one in told.price_breaks),
            pallet_units=told.pallet_units,
            shelf_life_days=told.shelf_life_days or product.shelf_life_days,
            unit_price=product.unit_price,
        )

    def _lead_time(self, supplier: str, prior: LeadTime) -> LeadTime:
        estimate = self._estimates.get((supplier, prior))
        if estimate is None:
            record = self.lead_times.get(supplier, LeadTimeRecord())
            estimate = record.estimate(prior, self.policy.lead_time_prior_weight)
            self._estimates[supplier, prior] = estimate
        return estimate


def _unsound(minimum: int, pack: int, cost: float, mean: float, sd: float) -> str | None:
    """Return which of the terms nothing can be ordered on; None where they are sound."""
    if not orderable(minimum, pack):
        return f"the minimum order of {minimum} in packs of {pack} does not fit on one order line"
    if not cost >= 0:
        return f"a unit costs {cost:g}"
    if not (mean > 0 and sd >= 0):
        return f"the supplier has no lead time: mean {mean:g}, sd {sd:g} days"
    return None
