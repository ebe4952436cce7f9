"""What validation of one message alone cannot see: the catalogue, the time, and its own lines."""

from order_ingest.domain.checks.common import (
    EARLIEST,
    MAX_AHEAD,
    MAX_PLANNED_AHEAD,
    Known,
    check_time,
)
from order_ingest.domain.checks.goods import (
    check_adjustment,
    check_count,
    check_expected_receipt,
    check_policy,
    check_receipt,
    check_scan,
)
from order_ingest.domain.checks.master_data import check_entities, in_effect_now
from order_ingest.domain.checks.orders import (
    check_amendment,
    check_hold,
    check_order,
    check_return,
)
from order_ingest.domain.checks.transfers import (
    check_transfer,
    check_transfer_receipt,
    check_transfer_shipment,
)

__all__ = [
    "EARLIEST",
    "MAX_AHEAD",
    "MAX_PLANNED_AHEAD",
    "Known",
    "check_adjustment",
    "check_amendment",
    "check_count",
    "check_entities",
    "check_expected_receipt",
    "check_hold",
    "check_order",
    "check_policy",
    "check_receipt",
    "check_return",
    "check_scan",
    "check_time",
    "check_transfer",
    "check_transfer_receipt",
    "check_transfer_shipment",
    "in_effect_now",
]
