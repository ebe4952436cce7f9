"""What storefronts and warehouses send: the same JSON through every door.

Validation is strict and in one pass over the bytes: a quantity in quotes is a wrong type, and a
field that is not known here is a spelling mistake to be told, not to be passed over.
"""

from order_ingest.domain.requests.base import MAX_BATCH_ITEMS, MAX_CATALOGUE_ITEMS, Request
from order_ingest.domain.requests.customers import ManifestRequest, Recipient
from order_ingest.domain.requests.devices import ScanBatch, ScanRequest
from order_ingest.domain.requests.goods import (
    AdjustedSide,
    AdjustmentRequest,
    CountRequest,
    ExpectedReceiptRequest,
    PolicyRequest,
    ReceiptBatch,
    ReceiptRequest,
    TransferReceiptRequest,
    TransferRequest,
    TransferShipmentRequest,
)
from order_ingest.domain.requests.keys import KeyRequest, RotationRequest
from order_ingest.domain.requests.master_data import (
    KINDS,
    CatalogueRequest,
    ClockRequest,
    EntityBatch,
)
from order_ingest.domain.requests.nesting import MAX_DEPTH, check_depth
from order_ingest.domain.requests.orders import (
    AmendmentRequest,
    CancelMessage,
    CancelRequest,
    HoldRequest,
    LineRequest,
    NamedLineRequest,
    OrderBatch,
    OrderRequest,
    ReturnRequest,
)
from order_ingest.domain.requests.parsing import (
    parse,
    parse_batch,
    parse_entities,
    parse_entity,
    parse_identifier,
    parse_storefront_message,
    parse_with,
)
from order_ingest.domain.requests.shops import SkuTable

__all__ = [
    "KINDS",
    "MAX_BATCH_ITEMS",
    "MAX_CATALOGUE_ITEMS",
    "MAX_DEPTH",
    "AdjustedSide",
    "AdjustmentRequest",
    "AmendmentRequest",
    "CancelMessage",
    "CancelRequest",
    "CatalogueRequest",
    "ClockRequest",
    "CountRequest",
    "EntityBatch",
    "ExpectedReceiptRequest",
    "HoldRequest",
    "KeyRequest",
    "LineRequest",
    "ManifestRequest",
    "NamedLineRequest",
    "OrderBatch",
    "OrderRequest",
    "PolicyRequest",
    "ReceiptBatch",
    "ReceiptRequest",
    "Recipient",
    "Request",
    "ReturnRequest",
    "RotationRequest",
    "ScanBatch",
    "ScanRequest",
    "SkuTable",
    "TransferReceiptRequest",
    "TransferRequest",
    "TransferShipmentRequest",
    "check_depth",
    "parse",
    "parse_batch",
    "parse_entities",
    "parse_entity",
    "parse_identifier",
    "parse_storefront_message",
    "parse_with",
]
