"""What validation of one message alone cannot see: the catalogue, and the time."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from order_ingest.domain.findings import Conflict, Finding, Refused
from order_ingest.domain.requests import CountRequest, OrderRequest, ReceiptRequest
from restock_common.contracts.catalogue import (
    Catalogue,
    CatalogueEntity,
    Location,
    Pool,
    Product,
    Vehicle,
)
from restock_common.errors import shown

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Before it a time is a typing error, or an epoch that was not set."""

MAX_AHEAD = timedelta(days=1)
"""How far a clock may run fast before what it says is refused."""

MAX_WINDOW_AHEAD = timedelta(days=366)
"""How long ahead a delivery can be agreed."""


@dataclass(frozen=True, slots=True)
class Known:
    """What an input is checked against.

    Attributes:
        catalogue: The master data as it stands.
        now: The time by the clock that counts, the system's or a replay's.
    """

    catalogue: Catalogue
    now: datetime


def check_order(request: OrderRequest, known: Known) -> None:
    """Raise Refused for an unknown sku, a line named twice, or a time out of reach."""
    findings = _skus([line.sku for line in request.lines], known.catalogue)
    findings += _time("placed_at", request.placed_at, known.now)
    if request.window is not None:
        for name, moment in (
            ("window.earliest", request.window.earliest),
            ("window.latest", request.window.latest),
        ):
            findings += _time(name, moment, known.now, MAX_WINDOW_AHEAD)
    names = [line.line or str(number) for number, line in enumerate(request.lines, 1)]
    findings += _repeats("line", names)
    _refuse(findings)


def check_receipt(request: ReceiptRequest, known: Known) -> None:
    """Raise Refused for an unknown sku or location, or a time out of reach."""
    findings = _skus([line.sku for line in request.lines], known.catalogue)
    findings += _time("received_at", request.received_at, known.now)
    findings += _reference("location", request.location, known.catalogue.locations)
    _refuse(findings)


def check_count(request: CountRequest, known: Known) -> None:
    """Raise Refused as for a receipt, and where one sku was counted twice."""
    skus = [line.sku for line in request.lines]
    findings = _skus(skus, known.catalogue)
    findings += _time("counted_at", request.counted_at, known.now)
    findings += _reference("location", request.location, known.catalogue.locations)
    findings += _repeats("sku", skus)
    _refuse(findings)


def check_time(field: str, moment: datetime, now: datetime) -> None:
    """Raise Refused where a time is out of reach."""
    _refuse(_time(field, moment, now))


def check_entities(entities: Iterable[CatalogueEntity], catalogue: Catalogue, at: str = "") -> None:
    """Raise where master data refers to what is not there, or moves what must stay.

    Args:
        entities: What is to be written, all or none.
        catalogue: What is there.
        at: Where the entities stand in the input; `{}` is replaced by the number of each.

    Raises:
        Refused: A supplier, pool or location is not known.
        Conflict: A pool would change its shard, or a location its pool: both are where the
            ledger has booked stock, which does not move with a line of master data.
    """
    written: dict[str, CatalogueEntity] = {}
    findings: list[Finding] = []
    for number, entity in enumerate(entities):
        findings += _references(entity, catalogue, at.format(number))
        before = written.get(entity.entity_id) or _home(entity, catalogue)
        _check_stays(before, entity)
        written[entity.entity_id] = entity
    _refuse(findings)


def _references(entity: CatalogueEntity, catalogue: Catalogue, at: str) -> list[Finding]:
    match entity:
        case Product():
            return _reference(f"{at}supplier", entity.supplier, catalogue.suppliers)
        case Location():
            return _reference(f"{at}pool", entity.pool, catalogue.pools)
        case Vehicle():
            return _reference(f"{at}location", entity.location, catalogue.locations)
        case _:
            return []


def _home(entity: CatalogueEntity, catalogue: Catalogue) -> CatalogueEntity | None:
    match entity:
        case Pool():
            return catalogue.pools.get(entity.pool)
        case Location():
            return catalogue.locations.get(entity.location)
        case _:
            return None


def _check_stays(before: CatalogueEntity | None, after: CatalogueEntity) -> None:
    match before, after:
        case Pool(shard=old), Pool(shard=new) if old != new:
            raise Conflict(
                f"pool {after.entity_id!r} is on shard {old} and cannot move to {new}",
                field="shard",
            )
        case Location(pool=home), Location(pool=other) if home != other:
            raise Conflict(
                f"location {after.entity_id!r} is of pool {home!r} and cannot move to {other!r}",
                field="pool",
            )
        case _:
            pass


def _skus(skus: list[str], catalogue: Catalogue) -> list[Finding]:
    return [
        Finding(f"lines.{index}.sku", "is not in the catalogue", shown(sku))
        for index, sku in enumerate(skus)
        if sku not in catalogue.products
    ]


def _reference(field: str, name: str, known: Container[str]) -> list[Finding]:
    return [] if name in known else [Finding(field, "is not in the catalogue", shown(name))]


def _repeats(field: str, names: list[str]) -> list[Finding]:
    if len(set(names)) == len(names):
        return []
    return [
        Finding(f"lines.{index}.{field}", "stands twice", shown(name))
        for index, name in _seconds(names)
    ]


def _seconds(names: list[str]) -> Iterator[tuple[int, str]]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield index, name
        seen.add(name)


def _time(
    field: str, moment: datetime, now: datetime, ahead: timedelta = MAX_AHEAD
) -> list[Finding]:
    if moment < EARLIEST:
        return [Finding(field, f"is before {EARLIEST:%Y-%m-%d}", moment.isoformat())]
    if moment > now + ahead:
        reason = f"is more than {ahead.days} day{'s' * (ahead.days > 1)} after {now.isoformat()}"
        return [Finding(field, reason, moment.isoformat())]
    return []


def _refuse(findings: list[Finding]) -> None:
    if findings:
        raise Refused(findings)
