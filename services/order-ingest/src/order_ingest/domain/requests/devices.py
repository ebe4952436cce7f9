"""What scanners say: one barcode, one place, one quantity."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from order_ingest.domain.requests.base import MAX_BATCH_ITEMS, Request
from restock_common.contracts.ledger import Condition
from restock_common.units import Identifier, LocationId, Sku, Timestamp, Units

DeviceId = Annotated[Identifier, Field(max_length=100)]
"""With what is put before it and a number of 19 digits, an identifier."""


class ScanRequest(Request):
    """One scan: a device that repeats it, by its sequence, is counted once.

    Attributes:
        device: Which scanner.
        sequence: Counts the scans of the device; never used again.
        kind: A count says what is there, a receipt what has arrived.
        location: Where.
        barcode: What was read; a GTIN in whichever of its lengths.
        sku: Instead of a barcode.
        quantity: Units; of a receipt one at least.
        scanned_at: When.
        lot: The batch that they were made in.
        expires_on: Of a received lot, the last day on which it can be sold.
        condition: What they are good for.
        purchase_order: Of a receipt: what they were ordered on.
        order_line: Of a receipt: its line.
    """

    device: DeviceId
    sequence: Annotated[int, Field(ge=0, lt=2**63)]
    kind: Literal["count", "receipt"]
    location: LocationId
    barcode: Identifier | None = None
    sku: Sku | None = None
    quantity: Units
    scanned_at: Timestamp
    lot: Identifier | None = None
    expires_on: date | None = None
    condition: Condition = Condition.SELLABLE
    purchase_order: Identifier | None = None
    order_line: Identifier | None = None

    @property
    def scan(self) -> str:
        """Return the id of the count or receipt that the scan is."""
        return f"scan:{self.device}:{self.sequence}"

    @model_validator(mode="after")
    def _names_one_thing(self) -> "ScanRequest":
        if (self.barcode is None) == (self.sku is None):
            raise ValueError("either barcode or sku must be there")
        if self.kind == "count":
            told = {"expires_on", "purchase_order", "order_line"} & self.model_fields_set
            if told:
                raise ValueError(f"a count has no {', '.join(sorted(told))}")
        return self


class ScanBatch(Request):
    """Up to 1,000 scans, answered one by one."""

    scans: Annotated[tuple[ScanRequest, ...], Field(min_length=1, max_length=MAX_BATCH_ITEMS)]
