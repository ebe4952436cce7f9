"""Proves the books: the journal by its hash chain, the balances by doing all of it again."""

from stock_ledger.audit.chain import Fault, Finding
from stock_ledger.audit.movements import rebuild_from_movements
from stock_ledger.audit.rebuilt import Difference, Rebuilt
from stock_ledger.audit.replay import rebuild_from_log
from stock_ledger.audit.verify import Verdict, verify

__all__ = [
    "Difference",
    "Fault",
    "Finding",
    "Rebuilt",
    "Verdict",
    "rebuild_from_log",
    "rebuild_from_movements",
    "verify",
]
