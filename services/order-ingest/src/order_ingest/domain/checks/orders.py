"""What storefronts say: orders, amendments, carts and returns."""

from order_ingest.domain.checks.common import (
    MAX_PLANNED_AHEAD,
    Known,
    reference,
    refuse,
    repeats,
    serials,
    sold,
    stocked,
    time,
)
from order_ingest.domain.findings import Finding
from order_ingest.domain.requests import (
    AmendmentRequest,
    HoldRequest,
    OrderRequest,
    ReturnRequest,
)


def check_order(request: OrderRequest, known: Known) -> None:
    """Raise Refused for an unknown sku, a line named twice, or a time out of reach."""
    findings = sold([line.sku for line in request.lines], known.catalogue)
    findings += time("placed_at", request.placed_at, known.now)
    if request.window is not None:
        for name, moment in (
            ("window.earliest", request.window.earliest),
            ("window.latest", request.window.latest),
        ):
            findings += time(name, moment, known.now, MAX_PLANNED_AHEAD)
    if request.promised_by is not None:
        findings += time("promised_by", request.promised_by, known.now, MAX_PLANNED_AHEAD)
    names = [line.line or str(number) for number, line in enumerate(request.lines, 1)]
    findings += repeats("line", names)
    refuse(findings)


def check_amendment(request: AmendmentRequest, known: Known) -> None:
    """Raise Refused as for an order."""
    findings = sold([line.sku for line in request.lines], known.catalogue)
    if request.amended_at is not None:
        findings += time("amended_at", request.amended_at, known.now)
    findings += repeats("line", [line.line for line in request.lines])
    refuse(findings)


def check_hold(request: HoldRequest, known: Known) -> None:
    """Raise Refused for an unknown sku or pool, a sku twice, or a time out of reach."""
    skus = [line.sku for line in request.lines]
    findings = sold(skus, known.catalogue)
    if request.held_at is not None:
        findings += time("held_at", request.held_at, known.now)
    if request.pool is not None:
        findings += reference("pool", request.pool, known.catalogue.pools)
    findings += repeats("sku", skus)
    refuse(findings)


def check_return(request: ReturnRequest, known: Known) -> None:
    """Raise Refused for a sku that is unknown or a kit, wrong serials, or a time out of reach."""
    skus = [line.sku for line in request.lines]
    findings = stocked(skus, known.catalogue)
    findings += time("returned_at", request.returned_at, known.now)
    findings += reference("location", request.location, known.catalogue.locations)
    findings += serials(skus, [line.serials for line in request.lines])
    findings += [
        Finding(f"lines.{index}.serials", f"are not {line.quantity}", len(line.serials))
        for index, line in enumerate(request.lines)
        if line.serials and len(line.serials) != line.quantity
    ]
    findings += sold(
        [line.sku for line in request.replacements], known.catalogue, lines="replacements"
    )
    findings += repeats("line", [line.line for line in request.replacements], lines="replacements")
    refuse(findings)
