"""What is kept in PostgreSQL: what was taken, what waits, and what was answered."""

from order_ingest.store.books import PostgresOrderBook, PostgresRegister
from order_ingest.store.spool import PostgresSpool

__all__ = ["PostgresOrderBook", "PostgresRegister", "PostgresSpool"]
