"""What the ledger tells over HTTP."""

from stock_ledger.api.lookups import Queries, create_api

__all__ = ["Queries", "create_api"]
