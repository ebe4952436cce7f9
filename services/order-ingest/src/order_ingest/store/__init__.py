"""What is kept in PostgreSQL: what was taken and waits, answers, keys, people, and shops."""

from order_ingest.store.answers import PostgresAnswers
from order_ingest.store.books import PostgresOrderBook, PostgresRegister
from order_ingest.store.customers import PostgresRecipients
from order_ingest.store.feeds import PostgresFeedBook
from order_ingest.store.gaps import PostgresGaps
from order_ingest.store.keys import PostgresKeys
from order_ingest.store.polls import PostgresPollBook
from order_ingest.store.rewrapping import rewrap
from order_ingest.store.shops import PostgresShopBook
from order_ingest.store.spool import PostgresSpool
from order_ingest.store.waiting import PostgresWaitingRoom

__all__ = [
    "PostgresAnswers",
    "PostgresFeedBook",
    "PostgresGaps",
    "PostgresKeys",
    "PostgresOrderBook",
    "PostgresPollBook",
    "PostgresRecipients",
    "PostgresRegister",
    "PostgresShopBook",
    "PostgresSpool",
    "PostgresWaitingRoom",
    "rewrap",
]
