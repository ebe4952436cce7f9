"""What the ledger reads: its log."""

from stock_ledger.stream.ledger import (
    MAX_RECORDS,
    SERVICE,
    LedgerApplication,
    Store,
    ledger_stream,
)

__all__ = ["MAX_RECORDS", "SERVICE", "LedgerApplication", "Store", "ledger_stream"]
