"""Proves the books: the journal by its hash chain, the balances by doing all of it again."""

from stock_ledger.audit.chain import Fault, Finding
from stock_ledger.audit.verify import Verdict, verify

__all__ = ["Fault", "Finding", "Verdict", "verify"]
