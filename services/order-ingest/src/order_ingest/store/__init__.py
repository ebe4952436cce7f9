"""What is kept in PostgreSQL: what was taken, and who may come in."""

from order_ingest.store.books import PostgresOrderBook, PostgresRegister
from order_ingest.store.keys import PostgresKeys

__all__ = ["PostgresKeys", "PostgresOrderBook", "PostgresRegister"]
