"""What storefronts and warehouses send: the same JSON through every door.

Validation is strict and in one pass over the bytes: a quantity in quotes is a wrong type, and a
field that is not known here is a spelling mistake to be told, not to be passed over.
"""

from order_ingest.domain.requests.base import MAX_BATCH_ITEMS, MAX_CATALOGUE_ITEMS, Request
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
from order_ingest.domain.requests.master_data import ClockRequest, EntityBatch
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
)
from order_ingest.domain.requests.shops import SkuTable

__all__ = [
    "MAX_BATCH_ITEMS",
    "MAX_CATALOGUE_ITEMS",
    "AdjustedSide",
    "AdjustmentRequest",
    "AmendmentRequest",
    "CancelMessage",
    "CancelRequest",
    "ClockRequest",
    "CountRequest",
    "EntityBatch",
    "ExpectedReceiptRequest",
    "HoldRequest",
    "LineRequest",
    "NamedLineRequest",
    "OrderBatch",
    "OrderRequest",
    "PolicyRequest",
    "ReceiptBatch",
    "ReceiptRequest",
    "Request",
    "ReturnRequest",
    "SkuTable",
    "TransferReceiptRequest",
    "TransferRequest",
    "TransferShipmentRequest",
    "parse",
    "parse_batch",
    "parse_entities",
    "parse_entity",
    "parse_identifier",
    "parse_storefront_message",
]
