"""What is kept in PostgreSQL: what was taken, who may come in, who gets what, and shops."""

from order_ingest.store.books import PostgresOrderBook, PostgresRegister
from order_ingest.store.customers import PostgresRecipients
from order_ingest.store.keys import PostgresKeys
from order_ingest.store.shops import PostgresShopBook

__all__ = [
    "PostgresKeys",
    "PostgresOrderBook",
    "PostgresRecipients",
    "PostgresRegister",
    "PostgresShopBook",
]
