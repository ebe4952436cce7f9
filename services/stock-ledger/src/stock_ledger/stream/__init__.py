"""What the ledger reads: its log; and for those who follow it, the levels that it tells."""

from stock_ledger.stream.changes import Changes
from stock_ledger.stream.deliveries import Deliverer
from stock_ledger.stream.ledger import (
    MAX_RECORDS,
    SERVICE,
    LedgerApplication,
    Store,
    ledger_stream,
)
from stock_ledger.stream.webhooks import webhook_stream

__all__ = [
    "MAX_RECORDS",
    "SERVICE",
    "Changes",
    "Deliverer",
    "LedgerApplication",
    "Store",
    "ledger_stream",
    "webhook_stream",
]
