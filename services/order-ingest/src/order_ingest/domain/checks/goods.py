"""What warehouses say of goods."""

from order_ingest.domain.checks.common import (
    MAX_PLANNED_AHEAD,
    Known,
    reference,
    refuse,
    repeats,
    serials,
    stocked,
    stocked_sku,
    time,
)
from order_ingest.domain.findings import Finding
from order_ingest.domain.requests import (
    AdjustmentRequest,
    CountRequest,
    ExpectedReceiptRequest,
    ReceiptRequest,
    ScanRequest,
)


def check_receipt(request: ReceiptRequest, known: Known) -> None:
    """Raise Refused for a sku or location that has no stock, or a time out of reach."""
    skus = [line.sku for line in request.lines]
    findings = stocked(skus, known.catalogue)
    findings += time("received_at", request.received_at, known.now)
    findings += reference("location", request.location, known.catalogue.locations)
    findings += serials(skus, [line.serials for line in request.lines])
    refuse(findings)


def check_count(request: CountRequest, known: Known) -> None:
    """Raise Refused as for a receipt, and where one sku was counted twice in one lot and state."""
    skus = [line.sku for line in request.lines]
    findings = stocked(skus, known.catalogue)
    findings += time("counted_at", request.counted_at, known.now)
    findings += reference("location", request.location, known.catalogue.locations)
    keys = [(line.sku, line.lot, line.condition) for line in request.lines]
    findings += repeats("sku", skus, keys)
    refuse(findings)


def check_adjustment(request: AdjustmentRequest, known: Known) -> None:
    """Raise Refused as for a receipt, and for units that stay what they are."""
    findings = stocked([line.sku for line in request.lines], known.catalogue)
    findings += time("adjusted_at", request.adjusted_at, known.now)
    findings += reference("location", request.location, known.catalogue.locations)
    findings += [
        Finding(f"lines.{index}.target", "is the source", line.target)
        for index, line in enumerate(request.lines)
        if line.source == line.target
    ]
    refuse(findings)


def check_scan(scan: ScanRequest, sku: str, known: Known) -> None:
    """Raise Refused as for a receipt, naming the fields of the scan."""
    field = "sku" if scan.barcode is None else "barcode"
    findings = stocked_sku(field, sku, known.catalogue)
    findings += time("scanned_at", scan.scanned_at, known.now)
    findings += reference("location", scan.location, known.catalogue.locations)
    refuse(findings)


def check_expected_receipt(request: ExpectedReceiptRequest, known: Known) -> None:
    """Raise Refused as for a receipt; it may lie ahead."""
    findings = stocked_sku("sku", request.sku, known.catalogue)
    findings += time("expected_at", request.expected_at, known.now, MAX_PLANNED_AHEAD)
    findings += reference("location", request.location, known.catalogue.locations)
    refuse(findings)


def check_policy(sku: str, location: str, known: Known) -> None:
    """Raise Refused for a sku or location that has no stock."""
    findings = stocked_sku("sku", sku, known.catalogue)
    findings += reference("location", location, known.catalogue.locations)
    refuse(findings)
