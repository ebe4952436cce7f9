"""What is kept in PostgreSQL: what was taken, what waits, and what was answered."""

from order_ingest.store.answers import PostgresAnswers
from order_ingest.store.books import PostgresOrderBook, PostgresRegister
from order_ingest.store.spool import PostgresSpool
from order_ingest.store.waiting import PostgresWaitingRoom

__all__ = [
    "PostgresAnswers",
    "PostgresOrderBook",
    "PostgresRegister",
    "PostgresSpool",
    "PostgresWaitingRoom",
]
