"""What is kept in PostgreSQL: orders, carts and transfers as they were first taken, and shops."""

from order_ingest.store.books import PostgresOrderBook, PostgresRegister
from order_ingest.store.shops import PostgresShopBook

__all__ = ["PostgresOrderBook", "PostgresRegister", "PostgresShopBook"]
