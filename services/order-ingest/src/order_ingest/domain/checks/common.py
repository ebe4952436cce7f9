"""What several checks look at: skus, locations, times and repeats."""

from collections.abc import Container, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from order_ingest.domain.findings import Finding, Refused, not_in_catalogue
from restock_common.contracts.catalogue import Catalogue
from restock_common.contracts.ledger import TransferEnd
from restock_common.errors import shown

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Before it a time is a typing error, or an epoch that was not set."""

MAX_AHEAD = timedelta(days=1)
"""How far a clock may run fast before what it says is refused."""

MAX_PLANNED_AHEAD = timedelta(days=366)
"""How long ahead a delivery can be agreed, or expected."""


@dataclass(frozen=True, slots=True)
class Known:
    """What an input is checked against.

    Attributes:
        catalogue: The master data as it stands.
        now: The time by the clock that counts, the system's or a replay's.
    """

    catalogue: Catalogue
    now: datetime

    def end(self, location: str) -> TransferEnd:
        """Return a location that the catalogue has, with its pool and its shard."""
        pool = self.catalogue.locations[location].pool
        shard = self.catalogue.pools[pool].shard
        return TransferEnd(location=location, pool=pool, shard=shard)


def check_time(field: str, moment: datetime, now: datetime) -> None:
    """Raise Refused where a time is out of reach."""
    refuse(time(field, moment, now))


def refuse(findings: Sequence[Finding]) -> None:
    """Raise Refused where there is a finding."""
    if findings:
        raise Refused(findings)


def sold(skus: Sequence[str], catalogue: Catalogue, lines: str = "lines") -> list[Finding]:
    """Find the lines whose sku is not in the catalogue."""
    return [
        not_in_catalogue(f"{lines}.{index}.sku", sku)
        for index, sku in enumerate(skus)
        if sku not in catalogue.products
    ]


def stocked(skus: Sequence[str], catalogue: Catalogue) -> list[Finding]:
    """Find the lines whose sku stands on no shelf: it is not known, or a kit."""
    return [
        found
        for index, sku in enumerate(skus)
        for found in stocked_sku(f"lines.{index}.sku", sku, catalogue)
    ]


def stocked_sku(field: str, sku: str, catalogue: Catalogue) -> list[Finding]:
    """Find a sku that stands on no shelf: it is not known, or a kit."""
    product = catalogue.products.get(sku)
    if product is None:
        return [not_in_catalogue(field, sku)]
    if product.components:
        return [Finding(field, "is a kit, which is never stocked: name components", shown(sku))]
    return []


def reference(field: str, name: str, known: Container[str]) -> list[Finding]:
    """Find a name that is not known."""
    return [] if name in known else [not_in_catalogue(field, name)]


def repeats(
    field: str, shown_as: Sequence[str], keys: Sequence[Hashable] = (), lines: str = "lines"
) -> list[Finding]:
    """Find the lines that stand twice.

    Args:
        field: Of a line: where the finding is put.
        shown_as: The value of each line that is shown.
        keys: What tells lines apart; what is shown, where nothing is given.
        lines: Where the lines stand.
    """
    return [
        Finding(f"{lines}.{index}.{field}", "stands twice", shown(shown_as[index]))
        for index in _seconds(keys or shown_as)
    ]


def time(
    field: str, moment: datetime, now: datetime, ahead: timedelta = MAX_AHEAD
) -> list[Finding]:
    """Find a time that is out of reach."""
    if moment < EARLIEST:
        return [Finding(field, f"is before {EARLIEST:%Y-%m-%d}", moment.isoformat())]
    if moment > now + ahead:
        reason = f"is more than {ahead.days} day{'s' * (ahead.days > 1)} after {now.isoformat()}"
        return [Finding(field, reason, moment.isoformat())]
    return []


def serials(skus: Sequence[str], named: Sequence[tuple[str, ...]]) -> list[Finding]:
    """Find serial numbers that stand twice for one sku, within a line or on two."""
    seen: set[tuple[str, str]] = set()
    findings = []
    for index, (sku, of_line) in enumerate(zip(skus, named, strict=True)):
        for serial in of_line:
            if (sku, serial) in seen:
                field = f"lines.{index}.serials"
                findings.append(Finding(field, "names a serial twice", shown(serial)))
            seen.add((sku, serial))
    return findings


def _seconds(keys: Sequence[Hashable]) -> Iterator[int]:
    seen: set[Hashable] = set()
    for index, key in enumerate(keys):
        if key in seen:
            yield index
        seen.add(key)
