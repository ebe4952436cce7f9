"""What is said of transfers, against the transfer as it was ordered."""

from collections.abc import Sequence

from order_ingest.domain.checks.common import Known, reference, refuse, repeats, stocked, time
from order_ingest.domain.findings import Finding
from order_ingest.domain.requests import (
    TransferReceiptRequest,
    TransferRequest,
    TransferShipmentRequest,
)
from restock_common.contracts.ledger import TransferLine, TransferOrdered
from restock_common.errors import shown


def check_transfer(request: TransferRequest, known: Known) -> None:
    """Raise Refused for what has no stock, one place for both ends, or a time out of reach."""
    findings = stocked([line.sku for line in request.lines], known.catalogue)
    findings += time("ordered_at", request.ordered_at, known.now)
    for name, location in (("source", request.source), ("target", request.target)):
        findings += reference(name, location, known.catalogue.locations)
    if request.source == request.target:
        findings.append(Finding("target", "is the source", shown(request.target)))
    findings += repeats("line", [line.line for line in request.lines])
    refuse(findings)


def check_transfer_shipment(
    request: TransferShipmentRequest, transfer: TransferOrdered, known: Known
) -> None:
    """Raise Refused for a line that the transfer has not, or a time out of reach."""
    findings = _of_transfer(request.lines, transfer)
    findings += time("shipped_at", request.shipped_at, known.now)
    refuse(findings)


def check_transfer_receipt(
    request: TransferReceiptRequest, transfer: TransferOrdered, known: Known
) -> None:
    """Raise Refused as for a shipment, and where nothing is said at all."""
    findings = _of_transfer(request.lines, transfer)
    findings += time("received_at", request.received_at, known.now)
    if not (request.lines or request.complete):
        findings.append(Finding("lines", "are none, and complete is not set"))
    refuse(findings)


def _of_transfer(lines: Sequence[TransferLine], transfer: TransferOrdered) -> list[Finding]:
    skus = {line.line: line.sku for line in transfer.lines}
    findings = []
    for index, line in enumerate(lines):
        if line.line not in skus:
            reason = f"is not a line of transfer {shown(transfer.transfer)!r}"
            findings.append(Finding(f"lines.{index}.line", reason, shown(line.line)))
        elif line.sku != skus[line.line]:
            reason = f"is not the {shown(skus[line.line])!r} of the line"
            findings.append(Finding(f"lines.{index}.sku", reason, shown(line.sku)))
    return findings + repeats("line", [line.line for line in lines])
