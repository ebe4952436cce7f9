"""Which review is due: told from the watermarks and the reviews made, both in the database."""

from replenisher.domain.review import ReviewDue
from restock_common.contracts.topics import FORECASTS, SHARDS, STOCK
from restock_common.postgres import Database, low_watermark

_SOURCES = {STOCK.name: SHARDS, FORECASTS.name: 1}
_PARTITIONS = {STOCK.name: STOCK.partitions, FORECASTS.name: FORECASTS.partitions}


class PostgresAgenda:
    """The reviews of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due_review(self) -> ReviewDue | None:
        """Return the review of the day that the low watermark is in, unless it has been made.

        The first review comes with the first watermark. Days that passed while nothing ran have
        one review, the last: what they would have ordered, it orders.
        """
        async with self._database.connection() as connection:
            watermark = await low_watermark(connection, _SOURCES, _PARTITIONS)
            if watermark is None:
                return None
            last = await connection.fetchval("SELECT max(review_date) FROM reviews")
        if last is not None and watermark.date() <= last:
            return None
        return ReviewDue(review_date=watermark.date(), cut_at=watermark)
