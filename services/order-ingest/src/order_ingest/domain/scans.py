"""What a scan means: the product behind the barcode, and the count or receipt that it is."""

from pydantic import ValidationError

from order_ingest.domain.checks import Known, check_scan
from order_ingest.domain.findings import Finding, Refused, refused
from order_ingest.domain.requests import CountRequest, ReceiptRequest, ScanRequest
from restock_common.contracts.catalogue import Catalogue, barcode_of
from restock_common.contracts.ledger import CountLine, ReceiptLine
from restock_common.errors import shown


def sku_of(scan: ScanRequest, catalogue: Catalogue) -> str:
    """Return the sku that was scanned. Raises Refused for a barcode of no product."""
    if scan.sku is not None:
        return scan.sku
    assert scan.barcode is not None, "a scan has a barcode or a sku"
    sku = catalogue.skus_by_barcode.get(barcode_of(scan.barcode))
    if sku is None:
        raise Refused([Finding("barcode", "is of no product", shown(scan.barcode), missing=True)])
    return sku


def meant(scan: ScanRequest, known: Known) -> CountRequest | ReceiptRequest:
    """Return the count or receipt that a scan is. Raises Refused."""
    sku = sku_of(scan, known.catalogue)
    check_scan(scan, sku, known)
    try:
        if scan.kind == "count":
            line = CountLine(
                sku=sku, quantity=scan.quantity, lot=scan.lot, condition=scan.condition
            )
            return CountRequest(
                count=scan.scan, location=scan.location, counted_at=scan.scanned_at, lines=(line,)
            )
        arrived = ReceiptLine(
            sku=sku,
            quantity=scan.quantity,
            order_line=scan.order_line,
            lot=scan.lot,
            expires_on=scan.expires_on,
            condition=scan.condition,
        )
        return ReceiptRequest(
            receipt=scan.scan,
            location=scan.location,
            received_at=scan.scanned_at,
            purchase_order=scan.purchase_order,
            lines=(arrived,),
        )
    except ValidationError as error:
        raise refused(error) from None
