"""What one entity alone may have on a day: a barcode, or a supplier's terms for a sku."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property

from order_ingest.domain.findings import Finding
from restock_common.contracts.catalogue import (
    Catalogue,
    CatalogueEntity,
    DatedEntity,
    Product,
    SupplierTerms,
    barcode_of,
)
from restock_common.errors import shown

Claim = tuple[str, str | None]
"""A barcode as it is compared, or a supplier and a sku; sorts of claims never look the same."""

_BARCODE = "\x1f"  # no identifier can hold it
_Named = tuple[type[DatedEntity], str]
_Version = tuple[date, int, DatedEntity]


class Owners:
    """Knows who claims what and when: in effect, planned, or written now over both.

    Args:
        catalogue: What is there.
        entities: What is written, all or none.
    """

    def __init__(self, catalogue: Catalogue, entities: Sequence[CatalogueEntity]) -> None:
        self._catalogue = catalogue
        self._entities = entities
        self._timelines: dict[_Named, _Timeline] = {}
        self._claims = [_claims(one) for one in entities]
        self._claimants: dict[Claim, dict[str, None]] = {}  # in their order, each once
        if not any(self._claims):
            return
        for entity, claims in zip(entities, self._claims, strict=True):
            self._note(entity, claims)
        planned = (one for days in catalogue.planned.values() for one in days.values())
        for version in (*catalogue.terms.values(), *planned):
            self._note(version, _claims(version))

    def findings(self, place: int, at: str) -> Iterator[Finding]:
        """Find what another one has on a day on which this one would.

        Args:
            place: Of what is written; it yields to what is written before it.
            at: Where it stands in the input.
        """
        entity = self._entities[place]
        for number, claim in enumerate(self._claims[place]):
            for other in self._claimed_by(claim):
                version = other != entity.entity_id and self._beside(place, entity, other, claim)
                if version:
                    yield _finding(entity, number, version, self._catalogue.as_of, at)
                    break

    def _note(self, version: CatalogueEntity, claims: Sequence[Claim]) -> None:
        for claim in claims:
            self._claimants.setdefault(claim, {})[version.entity_id] = None

    @cached_property
    def _written(self) -> Mapping[_Named, Sequence[_Version]]:
        """Return what is written of each entity; few have a claim that another has, too."""
        found: dict[_Named, list[_Version]] = {}
        for place, one in enumerate(self._entities):
            if isinstance(one, DatedEntity):
                version = (one.since, place, one)
                found.setdefault((type(one), one.entity_id), []).append(version)
        return found

    def _claimed_by(self, claim: Claim) -> Iterator[str]:
        code, marked = claim
        in_effect = self._catalogue.skus_by_barcode.get(code) if marked == _BARCODE else None
        if in_effect is not None:
            yield in_effect
        yield from self._claimants.get(claim, ())

    def _beside(
        self, place: int, entity: CatalogueEntity, other: str, claim: Claim
    ) -> DatedEntity | None:
        """Return another's version that claims the same on one of the same days."""
        assert isinstance(entity, DatedEntity), "nothing else claims anything"
        kind = type(entity)
        start, end = self._timeline((kind, entity.entity_id)).days(entity, self._catalogue.as_of)
        for _, written, version in self._timeline((kind, other)).between(start, end):
            if written < place and claim in _claims(version):
                return version
        return None

    def _timeline(self, named: _Named) -> "_Timeline":
        found = self._timelines.get(named)
        if found is None:
            known = [(one.since, -1, one) for one in self._catalogue.versions(*named)]
            found = _Timeline([*known, *self._written.get(named, ())])
            self._timelines[named] = found
        return found


class _Timeline:
    """The versions of one entity by their day; of two for one day the last counts."""

    def __init__(self, versions: Sequence[_Version]) -> None:
        by_day = {one[0]: one for one in versions}
        self._starts = sorted(by_day)
        self._versions = [by_day[day] for day in self._starts]

    def days(self, version: DatedEntity, today: date) -> tuple[date, date]:
        """Return the days from today on that a version counts: the first, and the one after."""
        after = bisect_right(self._starts, version.since)
        end = self._starts[after] if after < len(self._starts) else date.max
        return max(version.since, today), end

    def between(self, start: date, end: date) -> Sequence[_Version]:
        """Return the versions that count on one of some days; none where there is no day."""
        if start >= end:
            return ()
        first = max(bisect_right(self._starts, start) - 1, 0)
        return self._versions[first : bisect_left(self._starts, end)]


def _claims(entity: CatalogueEntity) -> list[Claim]:
    match entity:
        case Product(barcodes=barcodes):
            return [(barcode_of(one), _BARCODE) for one in barcodes]
        case SupplierTerms(supplier=supplier, sku=sku):
            return [(supplier, sku)]
        case _:
            return []


def _finding(
    entity: CatalogueEntity, number: int, version: DatedEntity, today: date, at: str
) -> Finding:
    since = f" from {version.since} on" if version.since > today else ""
    if isinstance(entity, Product):
        reason = f"is a barcode of {shown(version.entity_id)!r}{since}"
        return Finding(f"{at}barcodes.{number}", reason, shown(entity.barcodes[number]))
    assert isinstance(entity, SupplierTerms), "nothing else claims anything"
    reason = f"has these terms already: {shown(version.entity_id)!r}{since}"
    return Finding(f"{at}supplier", reason, shown(entity.supplier))
