"""What is kept in PostgreSQL: what was taken, who may come in, and who gets what."""

from order_ingest.store.books import PostgresOrderBook, PostgresRegister
from order_ingest.store.customers import PostgresRecipients
from order_ingest.store.keys import PostgresKeys

__all__ = ["PostgresKeys", "PostgresOrderBook", "PostgresRecipients", "PostgresRegister"]
