"""The books in PostgreSQL: loaded for a batch, saved with its commit, and looked up for people."""

from stock_ledger.store.auditing import Audit, Auditor
from stock_ledger.store.loading import load
from stock_ledger.store.queries import PostgresQueries
from stock_ledger.store.saving import save

__all__ = ["Audit", "Auditor", "PostgresQueries", "load", "save"]
